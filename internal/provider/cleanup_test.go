package provider

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
)

// fixedToken is the same token for every call.
type fixedToken string

func (k fixedToken) Token(context.Context) (*oauth2.Token, error) {
	return &oauth2.Token{AccessToken: string(k)}, nil
}

func (fixedToken) Discard(string) {}

// newCleanup returns an empty cleanup, and a client that creates invites without it.
func newCleanup(t *testing.T) (c *cleanup, e *emulator.Emulator, client *platform.Client, spec platform.InviteSpec) {
	t.Helper()
	e = emulator.ForTest(t, emulator.Options{})
	client, err := platform.New(platform.Config{API: e.URL(), Tokens: fixedToken(e.AdminToken()), RequestTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return new(cleanup), e, client, platform.InviteSpec{GroupID: e.Group("acme.example"), RoleID: e.Role("viewer"), TTL: time.Hour}
}

// An open invite must not wait for a create that hangs, because the CLI waits only for shutdownTimeout.
func TestCleanup_deletesOpenInvitesDuringACreate(t *testing.T) {
	t.Parallel()
	c, e, client, spec := newCleanup(t)
	if _, err := c.createInvite(t.Context(), client, spec, true); err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	e.Inject(emulator.Fault{Method: "CreateGroupInvite", Mutate: func(proto.Message) { <-release }})
	created := make(chan error)
	go func() {
		_, err := c.createInvite(t.Context(), client, spec, false)
		created <- err
	}()
	for len(e.Live()) < 2 {
		runtime.Gosched()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.run(t.Context())
	}()
	for len(e.Live()) == 2 {
		runtime.Gosched()
	}
	close(release)
	if err := <-created; !errors.Is(err, errEnded) {
		t.Errorf("error %v, want %v", err, errEnded)
	}
	<-done
	if live := e.Live(); len(live) > 0 {
		t.Errorf("%d invites are valid, want that of the pending create deleted as well", len(live))
	}
}

func TestCleanup_createsNothingAfterTheCLIExited(t *testing.T) {
	t.Parallel()
	c, e, client, spec := newCleanup(t)
	c.end()
	if _, err := c.createInvite(t.Context(), client, spec, false); !errors.Is(err, errEnded) {
		t.Errorf("error %v, want %v", err, errEnded)
	}
	if e.Count("CreateGroupInvite") > 0 {
		t.Error("an invite was created")
	}
}

func TestCleanup_retriesFailedDeletions(t *testing.T) {
	t.Parallel()
	c, e, client, spec := newCleanup(t)
	if _, err := c.createInvite(t.Context(), client, spec, true); err != nil {
		t.Fatal(err)
	}
	remove := e.Inject(emulator.Fault{Method: "DeleteGroupInvite", Code: codes.PermissionDenied})
	c.run(t.Context())
	if len(e.Live()) != 1 {
		t.Fatal("the invite was deleted, so the test is void")
	}
	remove()
	c.run(t.Context())
	if live := e.Live(); len(live) > 0 {
		t.Errorf("%d invites are valid", len(live))
	}
}

func TestCleanup_keepsInvitesInTheState(t *testing.T) {
	t.Parallel()
	c, e, client, spec := newCleanup(t)
	if _, err := c.createInvite(t.Context(), client, spec, false); err != nil {
		t.Fatal(err)
	}
	closed, err := c.createInvite(t.Context(), client, spec, true)
	if err != nil {
		t.Fatal(err)
	}
	c.closed(closed.ID)
	c.run(t.Context())
	if live := e.Live(); len(live) != 2 {
		t.Errorf("%d invites are valid, want 2", len(live))
	}
}

func TestCleanup_callsTheWaits(t *testing.T) {
	t.Parallel()
	c := new(cleanup)
	waited := false
	c.waitFor(func(context.Context) { waited = true })
	c.run(t.Context())
	if !waited {
		t.Error("it does not wait")
	}
}
