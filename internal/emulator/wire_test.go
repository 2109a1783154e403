package emulator_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"golang.org/x/net/http2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// These end a call below gRPC, where a client's own transport makes up a status. That of grpc-go is given here.
func TestFault_transport(t *testing.T) {
	t.Parallel()
	html := func(status int) emulator.Fault {
		return emulator.Fault{Proxy: &emulator.ProxyAnswer{Status: status}}
	}
	tests := map[string]struct {
		fault emulator.Fault
		want  codes.Code
		says  string
	}{
		"enhance_your_calm":   {emulator.Fault{Reset: http2.ErrCodeEnhanceYourCalm}, codes.ResourceExhausted, "ENHANCE_YOUR_CALM"},
		"inadequate_security": {emulator.Fault{Reset: http2.ErrCodeInadequateSecurity}, codes.PermissionDenied, "INADEQUATE_SECURITY"},
		"settings_timeout":    {emulator.Fault{Reset: http2.ErrCodeSettingsTimeout}, codes.Internal, "SETTINGS_TIMEOUT"},
		"flow_control_error":  {emulator.Fault{Reset: http2.ErrCodeFlowControl}, codes.ResourceExhausted, "FLOW_CONTROL_ERROR"},
		"internal_error":      {emulator.Fault{Reset: http2.ErrCodeInternal}, codes.Internal, "INTERNAL_ERROR"},
		"cancel":              {emulator.Fault{Reset: http2.ErrCodeCancel}, codes.Canceled, "CANCEL"},
		"goaway":              {emulator.Fault{GoAway: true}, codes.Unavailable, ""},
		"proxy_401":           {html(http.StatusUnauthorized), codes.Unauthenticated, "text/html"},
		"proxy_403":           {html(http.StatusForbidden), codes.PermissionDenied, "text/html"},
		"proxy_404":           {html(http.StatusNotFound), codes.Unimplemented, "text/html"},
		"proxy_502":           {html(http.StatusBadGateway), codes.Unavailable, "text/html"},
		"proxy_503":           {html(http.StatusServiceUnavailable), codes.Unavailable, "text/html"},
		"proxy_502_as_grpc": {emulator.Fault{Proxy: &emulator.ProxyAnswer{Status: http.StatusBadGateway, ContentType: "application/grpc"}},
			codes.Unknown, ""},
		"too_long": {emulator.Fault{Padding: 5 << 20}, codes.ResourceExhausted, "larger than max"},
		"garbage":  {emulator.Fault{Garbage: true}, codes.Internal, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, when := range []emulator.When{emulator.BeforeCommit, emulator.AfterCommit} {
				p := start(t, emulator.Seed{})
				test.fault.When, test.fault.Times, test.fault.Method = when, 1, "CreateGroupInvite"
				p.Inject(test.fault)

				_, err := p.create(p.admin, nil)

				wantCode(t, err, test.want)
				if !strings.Contains(err.Error(), test.says) {
					t.Errorf("the error is %q, want %q in it", err, test.says)
				}
				afterwards := when == emulator.AfterCommit || test.fault.Padding > 0 || test.fault.Garbage
				if live := len(p.Live()); live != map[bool]int{true: 1}[afterwards] {
					t.Errorf("%d live invites", live)
				}
				if _, err := p.create(p.admin, nil); err != nil && !test.fault.GoAway {
					t.Errorf("the next call on the connection: %v", err)
				}
			}
		})
	}
}

// A stream that ends so takes no other with it, and each one gets its code.
func TestFault_reset_leavesOtherStreamsAlone(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	p.Inject(emulator.Fault{Method: "CreateGroupInvite", Reset: http2.ErrCodeEnhanceYourCalm})
	p.Inject(emulator.Fault{Method: "ListGroups", Delay: 20 * time.Millisecond})
	other := make(chan error, 1)
	go func() {
		_, err := p.groups.ListGroups(p.admin, &iam.ListGroupsRequest{})
		other <- err
	}()
	for range 50 {
		_, err := p.create(p.admin, nil)
		wantCode(t, err, codes.ResourceExhausted)
	}
	if err := <-other; err != nil {
		t.Errorf("a call beside them: %v", err)
	}
	if p.Connections() != 1 {
		t.Errorf("%d connections, want 1", p.Connections())
	}
}

func TestFault_transport_rest(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault emulator.Fault
		want  int // 0 for no answer
	}{
		"proxy":  {emulator.Fault{Proxy: &emulator.ProxyAnswer{Status: http.StatusBadGateway}}, http.StatusBadGateway},
		"reset":  {emulator.Fault{Reset: http2.ErrCodeEnhanceYourCalm}, 0},
		"goaway": {emulator.Fault{GoAway: true}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, pipelines())
			p.Inject(test.fault)
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL()+"/sts/exchange", nil)
			if err != nil {
				t.Fatal(err)
			}
			got := 0
			if response, err := http.DefaultClient.Do(request); err == nil {
				response.Body.Close()
				got = response.StatusCode
			}
			if got != test.want {
				t.Errorf("answered %d, want %d", got, test.want)
			}
		})
	}
}

func TestFault_commitDelay(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	p.Inject(emulator.Fault{Method: "CreateGroupInvite", CommitDelay: 5 * time.Second, Code: codes.Unavailable})
	_, err := p.create(p.admin, nil)
	wantCode(t, err, codes.Unavailable)
	if stored := p.Invites(); len(stored) != 0 {
		t.Errorf("stored already: %v", stored)
	}
	p.clock.Advance(5*time.Second - time.Millisecond)
	if list, err := p.invites.ListGroupInvites(p.admin, &iam.ListGroupInvitesRequest{}); err != nil || len(list.GetGroupInvites()) != 0 {
		t.Errorf("listed too early: %v, %v", list, err)
	}
	p.clock.Advance(time.Millisecond)
	list, err := p.invites.ListGroupInvites(p.admin, &iam.ListGroupInvitesRequest{})
	if err != nil || len(list.GetGroupInvites()) != 1 || len(p.Live()) != 1 {
		t.Fatalf("listed %v, %v", list, err)
	}
	invite := list.GetGroupInvites()[0]
	if got := invite.GetCreateTime().AsTime(); !got.Equal(p.clock.Now()) {
		t.Errorf("created at %s, want %s", got, p.clock.Now())
	}
	if got := invite.GetExpirationTime().AsTime(); !got.Equal(p.clock.Now().Add(24 * time.Hour)) {
		t.Errorf("expires at %s, want a day after %s", got, p.clock.Now())
	}
}

func TestFault_listingDelay(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	p.Inject(emulator.Fault{Method: "CreateGroupInvite", ListingDelay: 5 * time.Second})
	created := p.mustCreate(t, nil)
	seen := func() (listed bool, got codes.Code) {
		list, err := p.invites.ListGroupInvites(p.admin, &iam.ListGroupInvitesRequest{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.invites.GetGroupInvite(p.admin, &iam.GetGroupInviteRequest{Uid: created.GetUid()})
		return len(list.GetGroupInvites()) == 1, status.Code(err)
	}
	if listed, got := seen(); listed || got != codes.NotFound {
		t.Errorf("at once: listed %t, Get answers %s", listed, got)
	}
	if len(p.Live()) != 1 {
		t.Error("the invite does not exist")
	}
	p.clock.Advance(5 * time.Second)
	if listed, got := seen(); !listed || got != codes.OK {
		t.Errorf("later: listed %t, Get answers %s", listed, got)
	}
}

func TestFault_listingDelay_canBeDeletedAtOnce(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	p.Inject(emulator.Fault{Method: "CreateGroupInvite", ListingDelay: time.Hour})
	created := p.mustCreate(t, nil)
	if _, err := p.invites.DeleteGroupInvite(p.admin, &iam.DeleteGroupInviteRequest{Uid: created.GetUid()}); err != nil {
		t.Fatal(err)
	}
	if len(p.Invites()) != 0 {
		t.Error("it is still there")
	}
}

func TestFault_endlessPages(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	p.Inject(emulator.Fault{Method: "ListRoles", EndlessPages: true})
	token := ""
	for range 20 {
		list, err := p.roles.ListRoles(p.admin, &iam.ListRolesRequest{PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		if token = list.GetNextPageToken(); token == "" || len(list.GetRoles()) == 0 {
			t.Fatalf("the list ends, or has an empty page: %v", list)
		}
	}
}

// Clients shorten each ttl by a random part of a second, which must not decide what happens to a call.
func TestFault_probability_ignoresPartsOfASecond(t *testing.T) {
	t.Parallel()
	fates := func(mark time.Duration) (all []string) {
		p := start(t, emulator.Seed{})
		p.Inject(emulator.Fault{Method: "CreateGroupInvite", Probability: 0.5, Code: codes.Unavailable})
		for range 20 {
			created, err := p.create(p.admin, func(r *iam.CreateGroupInviteRequest) {
				r.GroupInvite.Ttl = durationpb.New(24*time.Hour - mark)
				mark += 7 * time.Millisecond
			})
			all = append(all, status.Code(err).String()+created.GetUid())
		}
		return all
	}
	if one, two := fates(time.Millisecond), fates(300*time.Millisecond); !slices.Equal(one, two) {
		t.Errorf("the fates differ:\n%v\n%v", one, two)
	}
}

func TestBehavior_date(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		behavior emulator.Behavior
		skew     time.Duration
	}{
		"none":   {emulator.Behavior{NoDate: true}, 0},
		"ahead":  {emulator.Behavior{DateSkew: time.Minute}, time.Minute},
		"behind": {emulator.Behavior{DateSkew: -time.Hour}, -time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := clock.NewFake(time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC))
			e := emulator.ForTest(t, emulator.Options{Clock: fake, Behavior: test.behavior})
			var want []string
			if !test.behavior.NoDate {
				want = []string{fake.Now().Add(test.skew).Format(http.TimeFormat)}
			}

			var header metadata.MD
			_, err := iam.NewGroupsServiceClient(dial(t, e)).ListGroups(as(t.Context(), e.AdminToken()), &iam.ListGroupsRequest{}, grpc.Header(&header))
			if err != nil || !slices.Equal(header.Get("date"), want) {
				t.Errorf("over gRPC the date is %q, %v; want %q", header.Get("date"), err, want)
			}
			response, err := http.Get(e.URL() + "/iam/v2/groups")
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if got := response.Header.Values("Date"); !slices.Equal(got, want) {
				t.Errorf("over REST the date is %q, want %q", got, want)
			}
		})
	}
}

func TestBehavior_timePrecision(t *testing.T) {
	t.Parallel()
	const second, milli = 1_000_000_000, 1_000_000
	for name, test := range map[string]struct {
		behavior         emulator.Behavior
		created, expires int // nanoseconds
	}{
		"default": {emulator.Behavior{}, 987 * milli, 864 * milli}, // 0.987 + 0.877654321
		"seconds": {emulator.Behavior{TimePrecision: time.Second}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := clock.NewFake(time.Date(2026, time.March, 4, 5, 6, 7, 987_654_321, time.UTC))
			e := emulator.ForTest(t, emulator.Options{Clock: fake, Behavior: test.behavior})
			created, err := iam.NewGroupInvitesServiceClient(dial(t, e)).CreateGroupInvite(as(t.Context(), e.AdminToken()), &iam.CreateGroupInviteRequest{
				Parent:      e.Group("platform"),
				GroupInvite: &iam.GroupInvite{RoleUid: e.Role("viewer"), Ttl: durationpb.New(time.Hour + 877_654_321)},
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := created.GetCreateTime().GetNanos(); int(got) != test.created {
				t.Errorf("create_time has %d ns, want %d", got, test.created)
			}
			if got := created.GetExpirationTime().GetNanos(); int(got) != test.expires%second {
				t.Errorf("expiration_time has %d ns, want %d", got, test.expires)
			}
		})
	}
}

func TestBehavior_wholeSecondTTL(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	p.SetBehavior(func(b *emulator.Behavior) { b.WholeSecondTTL = true })
	_, err := p.create(p.admin, func(r *iam.CreateGroupInviteRequest) {
		r.GroupInvite.Ttl = durationpb.New(24*time.Hour - 17*time.Millisecond)
	})
	wantCode(t, err, codes.InvalidArgument)
	if got := detail[*errdetails.BadRequest](t, err).GetFieldViolations(); len(got) != 1 || got[0].GetField() != "ttl" {
		t.Errorf("violations %v, want one of ttl", got)
	}
	p.mustCreate(t, nil)
}

func TestBehavior_lifetime(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	p.SetBehavior(func(b *emulator.Behavior) {
		b.Lifetime = func(ttl time.Duration) time.Duration { return ttl / 2 }
	})
	created := p.mustCreate(t, nil)
	if got := created.GetExpirationTime().AsTime().Sub(created.GetCreateTime().AsTime()); got != 12*time.Hour {
		t.Errorf("valid for %s, want 12h", got)
	}
}
