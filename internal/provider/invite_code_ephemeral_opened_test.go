package provider

import (
	"context"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
)

// fixedToken is one token for every call.
type fixedToken string

func (k fixedToken) Token(context.Context) (*oauth2.Token, error) {
	return &oauth2.Token{AccessToken: string(k)}, nil
}

func (fixedToken) Discard(string) {}

// The CLI gives a provider two seconds to end: what is open must not wait for an open that hangs.
func TestOpenInvitesAreRevokedWhileAnotherIsStillBeingOpened(t *testing.T) {
	t.Parallel()
	e := emulator.ForTest(t, emulator.Options{})
	client, err := platform.New(platform.Config{API: e.URL(), Tokens: fixedToken(e.AdminToken())})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	invite := func() string {
		return e.AddInvite(emulator.Invite{Group: e.Group("acme.example"), RoleUID: e.Role("viewer")}).UID
	}
	opened := new(openedInvites)
	opened.add(invite(), client)
	end := opened.begin()
	revoked := make(chan struct{})
	go func() {
		defer close(revoked)
		opened.revokeAll(t.Context())
	}()

	for deadline := time.Now().Add(endTimeout / 2); len(e.Live()) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("what was open is alive as long as something is being opened")
		}
	}
	opened.add(invite(), client)
	end()
	<-revoked
	if live := e.Live(); len(live) > 0 {
		t.Errorf("%d invites are alive that were opened meanwhile", len(live))
	}
}
