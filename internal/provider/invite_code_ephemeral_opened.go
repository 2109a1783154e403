package provider

import (
	"context"
	"log"
	"sync"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
)

// openedInvites are the ephemeral invites that are to be revoked and were not yet. Terraform and OpenTofu close an
// ephemeral resource when everything that uses it is done, but not at all where something fails before (measured with
// Terraform 1.11 and 1.15 and OpenTofu 1.12). So whatever is open when the CLI ends the provider is revoked then.
type openedInvites struct {
	mu      sync.Mutex
	opening int // opens under way, which may add an invite
	settled chan struct{}
	invites map[string]*platform.Client // by UIDP, with the client that can revoke it
}

// begin says that an open is under way, until end is called.
func (o *openedInvites) begin() (end func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.opening == 0 {
		o.settled = make(chan struct{})
	}
	o.opening++
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.opening--; o.opening == 0 {
			close(o.settled)
		}
	}
}

func (o *openedInvites) add(id string, client *platform.Client) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.invites == nil {
		o.invites = map[string]*platform.Client{}
	}
	o.invites[id] = client
}

func (o *openedInvites) remove(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.invites, id)
}

// endTimeout bounds what is done when the CLI ends the provider. The CLI waits for two seconds, and longer is of use
// only to a provider that runs on its own, with -debug.
const endTimeout = 10 * time.Second

// revokeAll revokes what is still open. It is called when nobody can open any more.
func (o *openedInvites) revokeAll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	var revocations sync.WaitGroup
	defer revocations.Wait()
	// At once, so that an open that hangs keeps no other invite alive.
	o.revoke(ctx, &revocations)

	o.mu.Lock()
	settled, opening := o.settled, o.opening
	o.mu.Unlock()
	if opening > 0 {
		select {
		case <-settled:
		case <-ctx.Done():
		}
	}
	o.revoke(ctx, &revocations)
}

// revoke begins to revoke what is open now. There is nobody left to tell of a failure but the log.
func (o *openedInvites) revoke(ctx context.Context, revocations *sync.WaitGroup) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, client := range o.invites {
		revocations.Go(func() {
			// Before it is tried: the CLI may end this process sooner than the platform answers.
			log.Printf("[WARN] The ephemeral invite %s was left open by the CLI and is being revoked", id)
			if err := client.DeleteInvite(ctx, id); err != nil {
				log.Printf("[ERROR] The ephemeral invite %s may still be alive, revoke it with `chainctl iam invites delete %s`: %v", id, id, err)
			}
		})
	}
	clear(o.invites)
}
