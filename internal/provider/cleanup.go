package provider

import (
	"context"
	"errors"
	"log"
	"slices"
	"sync"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
)

// errEnded is the error of a create that ended too late for the CLI to take the response.
var errEnded = errors.New("the run ended while the invite code was being created, so it is deleted")

// cleanup is the work to do before the process exits:
//   - finish pending creates, and delete their invites, because the CLI can no longer take the responses
//   - delete open ephemeral invites. Terraform and OpenTofu close an ephemeral resource once everything that uses it is
//     done, but not after an error in between (seen in Terraform 1.11 and 1.15 and OpenTofu 1.12)
//   - finish a sign-in that has used a refresh token
type cleanup struct {
	mu       sync.Mutex
	ended    bool // the CLI takes no more responses
	creating sync.WaitGroup
	open     map[string]*platform.Client // the client that can delete each invite, by UIDP
	waits    []func(context.Context)
}

// createInvite creates an invite. An ephemeral one stays open until [cleanup.closed] is called.
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

// opened records that the invite must be deleted when the process exits, unless closed is called before.
func (c *cleanup) opened(id string, client *platform.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setOpen(id, client)
}

// closed records that the invite has been deleted.
func (c *cleanup) closed(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, id)
}

// setOpen is opened for callers that hold c.mu.
func (c *cleanup) setOpen(id string, client *platform.Client) {
	if c.open == nil {
		c.open = map[string]*platform.Client{}
	}
	c.open[id] = client
}

// waitFor makes run call wait last.
func (c *cleanup) waitFor(wait func(context.Context)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = append(c.waits, wait)
}

// end records that the CLI takes no more responses.
func (c *cleanup) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
}

// run does the cleanup, as far as possible before ctx ends.
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

// deleteInvites deletes the open invites at once, without waiting for creates that may hang, and then the invites of
// pending creates once they have finished.
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

// deleteOpen deletes the open invites. Those that it cannot delete stay open. It reports only to the log, because no CLI
// takes a response.
func (c *cleanup) deleteOpen(ctx context.Context) {
	var deletions sync.WaitGroup
	defer deletions.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, client := range c.open {
		deletions.Go(func() {
			// Log before the call: the CLI may kill this process before the platform responds.
			log.Printf("[WARN] Deleting invite %s, which the run has left open", id)
			if err := client.DeleteInvite(ctx, id); err != nil {
				log.Printf("[ERROR] Invite %s may still be valid, delete it with `chainctl iam invites delete %s`: %v", id, id, err)
				c.opened(id, client)
			}
		})
	}
	clear(c.open)
}
