package provider

import (
	"context"
	"errors"
	"log"
	"slices"
	"sync"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
)

// errEnded is why no invite is created any more.
var errEnded = errors.New("the run ended while the invite code was being created, so it is deleted")

// cleanup is what is left to do before the process ends:
//   - to finish creates that are under way, and to delete their invites: the CLI can no longer take the answers
//   - to delete ephemeral invites that are open. Terraform and OpenTofu close an ephemeral resource when everything that
//     uses it is done, but not where something fails before (seen in Terraform 1.11 and 1.15 and OpenTofu 1.12)
//   - to finish a sign-in that has used a refresh token
type cleanup struct {
	mu       sync.Mutex
	ended    bool // the CLI takes no more answers
	creating sync.WaitGroup
	open     map[string]*platform.Client // by UIDP of the invite, with the client that can delete it
	waits    []func(context.Context)
}

// createInvite creates an invite for the CLI. An ephemeral one stays open until [cleanup.closed].
func (c *cleanup) createInvite(ctx context.Context, client *platform.Client, spec platform.InviteSpec, ephemeral bool) (*platform.Invite, error) {
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return nil, errEnded
	}
	c.creating.Add(1)
	c.mu.Unlock()
	defer c.creating.Done()

	invite, err := client.CreateInvite(ctx, spec)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || ephemeral {
		c.setOpen(invite.ID, client)
	}
	if c.ended {
		return nil, errEnded
	}
	return invite, nil
}

// opened has the invite deleted when the process ends, unless it is closed before.
func (c *cleanup) opened(id string, client *platform.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setOpen(id, client)
}

// closed says that the invite has been deleted.
func (c *cleanup) closed(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, id)
}

// setOpen is called with the lock held.
func (c *cleanup) setOpen(id string, client *platform.Client) {
	if c.open == nil {
		c.open = map[string]*platform.Client{}
	}
	c.open[id] = client
}

// waitFor has run wait for wait, last.
func (c *cleanup) waitFor(wait func(context.Context)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = append(c.waits, wait)
}

// end says that the CLI takes no more answers.
func (c *cleanup) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
}

// run does what is left to do, as far as it can be done before ctx ends.
func (c *cleanup) run(ctx context.Context) {
	c.end()
	c.deleteInvites(ctx)
	c.mu.Lock()
	waits := slices.Clone(c.waits)
	c.mu.Unlock()
	for _, wait := range waits {
		wait(ctx)
	}
}

// deleteInvites deletes what is open at once, so that a create that hangs keeps no other invite valid, and what is still
// being created when that is done.
func (c *cleanup) deleteInvites(ctx context.Context) {
	var deletions sync.WaitGroup
	defer deletions.Wait()
	deletions.Go(func() { c.deleteOpen(ctx) })
	created := make(chan struct{})
	go func() {
		defer close(created)
		c.creating.Wait()
	}()
	select {
	case <-created:
		c.deleteOpen(ctx)
	case <-ctx.Done():
	}
}

// deleteOpen deletes the invites that are open. What it cannot delete stays open. Only the log reports it: there
// is no CLI to answer.
func (c *cleanup) deleteOpen(ctx context.Context) {
	var deletions sync.WaitGroup
	defer deletions.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, client := range c.open {
		deletions.Go(func() {
			// Before it is tried: the CLI may kill this process sooner than the platform answers.
			log.Printf("[WARN] Deleting invite %s, which the run has left open", id)
			if err := client.DeleteInvite(ctx, id); err != nil {
				log.Printf("[ERROR] Invite %s may still be valid, delete it with `chainctl iam invites delete %s`: %v", id, id, err)
				c.opened(id, client)
			}
		})
	}
	clear(c.open)
}
