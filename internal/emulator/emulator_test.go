package emulator_test

import (
	"context"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

func TestEmulator_onlyLoopbackIsServed(t *testing.T) {
	t.Parallel()
	for _, address := range []string{":0", "0.0.0.0:0", "192.0.2.1:80", "example.com:80", "127.0.0.1", "[::]:0"} {
		e, err := emulator.New(emulator.Options{Listen: address})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Start(); err == nil || !strings.Contains(err.Error(), "loopback only") {
			t.Errorf("%s: %v", address, err)
			closeIt(t, e)
		}
	}
	e, err := emulator.New(emulator.Options{Listen: "localhost:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(); err != nil {
		t.Fatalf("localhost: %v", err)
	}
	defer closeIt(t, e)
	if !strings.HasPrefix(e.URL(), "http://127.0.0.1:") {
		t.Errorf("localhost is served at %s", e.URL())
	}
	if err := e.Start(); err == nil {
		t.Error("it started twice")
	}
}

func TestEmulator_takenPortIsAnError(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer closeIt(t, taken)
	e, err := emulator.New(emulator.Options{Listen: taken.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(); err == nil || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Errorf("starting on a taken port: %v", err)
	}
	closeIt(t, e) // which never started
}

// Not parallel: it looks at all goroutines of the process.
func TestEmulator_nothingRunsAfterClose(t *testing.T) {
	e := emulator.ForTest(t, emulator.Options{})
	conn := dial(t, e)
	if _, err := iam.NewGroupsServiceClient(conn).ListGroups(as(t.Context(), e.AdminToken()), &iam.ListGroupsRequest{}); err != nil {
		t.Fatal(err)
	}
	response, err := http.Get(e.URL() + "/orgcheck") // leaves an idle connection
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	closeIt(t, e)
	closeIt(t, e)
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for _, stack := range strings.Split(string(stacks), "\n\n") {
		if strings.Contains(stack, "net/http.(*conn).serve") || strings.Contains(stack, "emulator.(*Emulator)") {
			t.Errorf("still runs:\n%s", stack)
		}
	}
}

func TestEmulator_dateIsTheEmulators(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	var header metadata.MD
	if _, err := p.groups.ListGroups(p.admin, &iam.ListGroupsRequest{}, grpc.Header(&header)); err != nil {
		t.Fatal(err)
	}
	want := p.clock.Now().Format(http.TimeFormat)
	if got := header.Get("date"); !slices.Equal(got, []string{want}) {
		t.Errorf("answered with the date %q, want %q", got, want)
	}
	_, err := p.groups.ListGroups(t.Context(), &iam.ListGroupsRequest{}, grpc.Header(&header))
	wantCode(t, err, codes.Unauthenticated)
	if got := header.Get("date"); !slices.Equal(got, []string{want}) {
		t.Errorf("refused with the date %q, want %q", got, want)
	}
}

func TestEmulator_requestsAreKeptWithoutTheirTokens(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(p.admin, "x-extra", "yes"), time.Hour)
	defer cancel()
	if _, err := p.create(ctx, nil); err != nil {
		t.Fatal(err)
	}
	_, err := p.groups.ListGroups(t.Context(), &iam.ListGroupsRequest{})
	wantCode(t, err, codes.Unauthenticated)

	requests := p.Requests()
	if len(requests) != 2 {
		t.Fatalf("kept %v", requests)
	}
	first := requests[0]
	if first.Method != "CreateGroupInvite" || first.REST || !first.Done || first.Code != codes.OK ||
		!first.Time.Equal(p.clock.Now()) || first.Identity != p.AdminIdentity() ||
		first.Timeout <= 0 || first.Timeout > time.Hour || !strings.HasPrefix(first.UserAgent, "grpc-go/") {
		t.Errorf("kept %+v", first)
	}
	if got := first.Metadata.Get("x-extra"); !slices.Equal(got, []string{"yes"}) {
		t.Errorf("metadata %v", first.Metadata)
	}
	if got := first.Metadata.Get("authorization"); len(got) != 1 || !strings.HasPrefix(got[0], "Bearer sha256:") {
		t.Errorf("the authorization is kept as %v", got)
	}
	if request, ok := first.Request.(*iam.CreateGroupInviteRequest); !ok || request.GetParent() != p.Group("platform") {
		t.Errorf("the request is kept as %v", first.Request)
	}
	if requests[1].Code != codes.Unauthenticated {
		t.Errorf("kept %+v", requests[1])
	}

	if p.Count("") != 2 || p.Count("ListGroups") != 1 || p.Counts()["CreateGroupInvite"] != 1 {
		t.Errorf("counted %v", p.Counts())
	}
	p.ResetRequests()
	if len(p.Requests()) != 0 || p.Count("") != 0 {
		t.Errorf("after a reset: %v", p.Counts())
	}
}

func TestEmulator_manyCallersAtOnce(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			created, err := p.create(p.admin, nil)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := p.invites.ListGroupInvites(p.admin, &iam.ListGroupInvitesRequest{}); err != nil {
				t.Error(err)
			}
			p.SetInvite(created.GetUid(), func(i *emulator.Invite) { i.Email = "kim@example.com" })
			if _, err := p.invites.DeleteGroupInvite(p.admin, &iam.DeleteGroupInviteRequest{Uid: created.GetUid()}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if left := p.Invites(); len(left) != 0 {
		t.Errorf("%d invites are left", len(left))
	}
	if p.Connections() != 1 {
		t.Errorf("%d connections, want 1", p.Connections())
	}
}
