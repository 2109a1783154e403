package emulator_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

func TestFaults_strikeBeforeOrAfterTheCommit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault emulator.Fault
		want  codes.Code
		live  int
	}{
		"a status before":   {emulator.Fault{Code: codes.Unavailable}, codes.Unavailable, 0},
		"a status after":    {emulator.Fault{Code: codes.Unavailable, When: emulator.AfterCommit}, codes.Unavailable, 1},
		"another status":    {emulator.Fault{Code: codes.Internal, When: emulator.AfterCommit}, codes.Internal, 1},
		"a reset before":    {emulator.Fault{Drop: true}, codes.Unavailable, 0},
		"a reset after":     {emulator.Fault{Drop: true, When: emulator.AfterCommit}, codes.Unavailable, 1},
		"a delay before":    {emulator.Fault{Delay: time.Millisecond}, codes.OK, 1},
		"a delay after":     {emulator.Fault{Delay: time.Millisecond, When: emulator.AfterCommit}, codes.OK, 1},
		"a delayed status":  {emulator.Fault{Delay: time.Millisecond, Code: codes.Aborted}, codes.Aborted, 0},
		"a spoilt answer":   {emulator.Fault{Mutate: func(m proto.Message) { proto.Reset(m) }}, codes.OK, 1},
		"another method's":  {emulator.Fault{Method: "GetGroupInvite", Code: codes.Internal}, codes.OK, 1},
		"the method's own":  {emulator.Fault{Method: "CreateGroupInvite", Code: codes.Internal}, codes.Internal, 0},
		"one that matches":  {emulator.Fault{Match: forParent("c"), Code: codes.Internal}, codes.Internal, 0},
		"one that does not": {emulator.Fault{Match: forParent("x"), Code: codes.Internal}, codes.OK, 1},
		"an improbable one": {emulator.Fault{Probability: 1e-9, Code: codes.Internal}, codes.OK, 1},
		"a certain one":     {emulator.Fault{Probability: 1, Code: codes.Internal}, codes.Internal, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, emulator.Seed{})
			p.Inject(test.fault)
			_, err := p.create(p.admin, nil)
			wantCode(t, err, test.want)
			if live := p.Live(); len(live) != test.live {
				t.Errorf("%d live invites, want %d", len(live), test.live)
			}
			if p.Count("CreateGroupInvite") != 1 {
				t.Errorf("counted %v", p.Counts())
			}
		})
	}
}

func forParent(part string) func(proto.Message) bool {
	return func(m proto.Message) bool {
		request, ok := m.(*iam.CreateGroupInviteRequest)
		return ok && strings.Contains(request.GetParent(), part)
	}
}

func TestFaults_hangEndsWithTheCallersPatience(t *testing.T) {
	t.Parallel()
	for name, when := range map[string]emulator.When{"before": emulator.BeforeCommit, "after": emulator.AfterCommit} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, emulator.Seed{})
			p.Inject(emulator.Fault{Hang: true, When: when})
			ctx, cancel := context.WithTimeout(p.admin, 50*time.Millisecond)
			defer cancel()
			_, err := p.create(ctx, nil)
			wantCode(t, err, codes.DeadlineExceeded)
			if live := len(p.Live()); live != int(when) {
				t.Errorf("%d live invites, want %d", live, when)
			}
		})
	}
}

func TestFaults_hangEndsWhenTheEmulatorCloses(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	arrived := make(chan struct{})
	p.Inject(emulator.Fault{Hang: true, Match: func(proto.Message) bool { close(arrived); return true }})
	failed := make(chan error, 1)
	go func() {
		_, err := p.create(p.admin, nil)
		failed <- err
	}()
	<-arrived
	closeIt(t, p)
	if err := <-failed; err == nil {
		t.Error("the call succeeded")
	}
}

func TestFaults_callThatIsGivenUpDuringADelayCommitsNothing(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	p.Inject(emulator.Fault{Delay: time.Hour})
	ctx, cancel := context.WithTimeout(p.admin, 20*time.Millisecond)
	defer cancel()
	_, err := p.create(ctx, nil)
	wantCode(t, err, codes.DeadlineExceeded)
	closeIt(t, p) // waits for the handler
	if live := p.Live(); len(live) != 0 {
		t.Errorf("live are %v", live)
	}
}

func TestFaults_strikesAsOftenAsItIsTold(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	p.Inject(emulator.Fault{Code: codes.Unavailable, Times: 2})
	remove := p.Inject(emulator.Fault{Code: codes.Internal})
	var got []codes.Code
	for range 4 {
		_, err := p.create(p.admin, nil)
		got = append(got, status.Code(err))
	}
	remove()
	_, err := p.create(p.admin, nil)
	got = append(got, status.Code(err))
	want := []codes.Code{codes.Unavailable, codes.Unavailable, codes.Internal, codes.Internal, codes.OK}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("the calls answered %v, want %v", got, want)
		}
	}
}

func TestFaults_afterTheCommitWaitsForACommit(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	p.Inject(emulator.Fault{Code: codes.Unavailable, When: emulator.AfterCommit, Times: 1})
	_, err := p.create(p.admin, func(r *iam.CreateGroupInviteRequest) { r.GroupInvite.Ttl = nil })
	wantCode(t, err, codes.InvalidArgument)
	_, err = p.create(p.admin, nil)
	wantCode(t, err, codes.Unavailable)
}

func TestFaults_delayLeavesTheCallToTheNextFault(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	p.Inject(emulator.Fault{Delay: time.Millisecond})
	p.Inject(emulator.Fault{Mutate: func(m proto.Message) {
		if i, ok := m.(*iam.GroupInvite); ok {
			i.Code = ""
		}
	}})
	p.Inject(emulator.Fault{Mutate: func(m proto.Message) {
		if i, ok := m.(*iam.GroupInvite); ok {
			i.Uid = ""
		}
	}})
	created := p.mustCreate(t, nil)
	if created.GetCode() != "" || created.GetUid() != "" || created.GetKeyId() == "" {
		t.Errorf("answered %v, want neither code nor uid", created)
	}
	if stored := p.Invites()[0]; stored.Code == "" || stored.UID == "" {
		t.Errorf("what is stored was spoilt: %v", stored)
	}
}

func TestFaults_saysWhatItIsTold(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	p.Inject(emulator.Fault{
		Code:       codes.ResourceExhausted,
		Message:    "slow down",
		RetryAfter: 3 * time.Second,
		Details:    []proto.Message{&errdetails.QuotaFailure{}},
	})
	_, err := p.create(p.admin, nil)
	wantCode(t, err, codes.ResourceExhausted)
	if got := status.Convert(err).Message(); got != "slow down" {
		t.Errorf("message %q", got)
	}
	if got := detail[*errdetails.RetryInfo](t, err).GetRetryDelay().AsDuration(); got != 3*time.Second {
		t.Errorf("retry after %s", got)
	}
	detail[*errdetails.QuotaFailure](t, err)
}

func TestFaults_thatCannotStrikeIsAMistake(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	for name, fault := range map[string]emulator.Fault{
		"a method that is not there": {Method: "CreateInvite", Code: codes.Internal},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: was taken", name)
				}
			}()
			p.Inject(fault)
		}()
	}
}

func TestFaults_strikeRESTAsWell(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	path := "/iam/v2/groupInvites/" + p.Group("platform")
	body := `{"roleUid":"` + p.Role("viewer") + `","ttl":"3600s"}`

	p.Inject(emulator.Fault{Method: "CreateGroupInvite", When: emulator.AfterCommit, Code: codes.Unavailable, Times: 1})
	if code, answer := p.rest(t, http.MethodPost, path, body); code != http.StatusServiceUnavailable {
		t.Errorf("answered %d %v", code, answer)
	}
	if len(p.Live()) != 1 {
		t.Errorf("live are %v", p.Live())
	}
	p.Inject(emulator.Fault{Method: "CreateGroupInvite", Drop: true})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err == nil {
		response.Body.Close()
		t.Errorf("answered %s over a broken connection", response.Status)
	}
}

// The nth call with the same request meets the same fate, whichever calls come between, and UIDPs repeat as well.
func TestFaults_chanceFollowsFromTheSeedAndTheCallAndNotFromTheOrder(t *testing.T) {
	t.Parallel()
	const people, times = 20, 10
	// outcomes are how the calls for each person went, one after the other.
	outcomes := func(seed uint64, order func(func(person, time int))) string {
		p := start(t, emulator.Seed{})
		p.Inject(emulator.Fault{Probability: 0.2, Seed: seed, Code: codes.Unavailable})
		p.Inject(emulator.Fault{Probability: 0.2, Seed: seed, Code: codes.Aborted})
		fates := make([]string, people)
		order(func(person, _ int) {
			created, err := p.create(p.admin, func(r *iam.CreateGroupInviteRequest) {
				r.GroupInvite.Email = fmt.Sprintf("user%d@example.com", person)
			})
			fates[person] += fmt.Sprintln(status.Code(err), created.GetUid())
		})
		return strings.Join(fates, "---\n")
	}
	oneAfterTheOther := func(do func(person, time int)) {
		for person := range people {
			for time := range times {
				do(person, time)
			}
		}
	}
	inTurn := func(do func(person, time int)) {
		for time := range times {
			for person := range people {
				do(person, time)
			}
		}
	}

	want := outcomes(1, oneAfterTheOther)
	if got := outcomes(1, inTurn); got != want {
		t.Errorf("in another order, the calls met another fate:\n%s\n%s", got, want)
	}
	if got := outcomes(2, oneAfterTheOther); got == want {
		t.Error("another seed changed nothing")
	}
	for code, least := range map[codes.Code]int{codes.Unavailable: 20, codes.Aborted: 16, codes.OK: 64} {
		const draws = people * times // half of the expected number is beyond chance
		if got := strings.Count(want, code.String()+" "); got < least {
			t.Errorf("%d of %d calls ended in %s", got, draws, code)
		}
	}
}

func TestFaults_mayInjectAnother(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	p.Inject(emulator.Fault{Code: codes.Aborted, Times: 1, Match: func(proto.Message) bool {
		p.Inject(emulator.Fault{Code: codes.Internal, Times: 1})
		return true
	}})
	for _, want := range []codes.Code{codes.Aborted, codes.Internal} {
		_, err := p.create(p.admin, nil)
		wantCode(t, err, want)
	}
}

func TestFaults_observerOfRequestsChangesNothing(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	seen := map[string]int{}
	remove := p.OnRequest("CreateGroupInvite", func(request proto.Message) {
		if create, ok := request.(*iam.CreateGroupInviteRequest); ok {
			seen[create.GetGroupInvite().GetEmail()]++
		}
	})
	invite := func(email string) {
		t.Helper()
		if _, err := p.create(p.admin, func(r *iam.CreateGroupInviteRequest) { r.GroupInvite.Email = email }); err != nil {
			t.Fatal(err)
		}
	}
	invite("kim@example.com")
	invite("lee@example.com")
	remove()
	invite("sam@example.com")
	if len(seen) != 2 || seen["kim@example.com"] != 1 || seen["lee@example.com"] != 1 {
		t.Errorf("it saw %v", seen)
	}
}

func TestFaults_droppedConnectionIsReplaced(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	p.Inject(emulator.Fault{Drop: true, Times: 1})
	_, err := p.create(p.admin, nil)
	wantCode(t, err, codes.Unavailable)
	var lost error
	for range 100 { // the client may need a moment to notice
		if _, lost = p.create(p.admin, nil); lost == nil {
			break
		}
	}
	if lost != nil {
		t.Fatal(errors.Join(errors.New("no call succeeds after the connection broke"), lost))
	}
	if p.Connections() != 2 {
		t.Errorf("%d connections, want 2", p.Connections())
	}
}
