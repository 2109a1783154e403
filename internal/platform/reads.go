package platform

import (
	"context"
	"sync"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/uidp"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// A refresh reads every invite on its own, and hundreds of them are in one group. Which reads are worth a listing of
// the group is decided by one rule, which knows no time:
//
//   - The first read of a group is a Get. Most groups have one invite in a configuration.
//   - From the second on, the group is listed, and reads are answered from the list, as long as the list takes no more
//     pages than there have been reads of the group, or than cheapPages. So it never costs much more than the Gets that
//     it saves, however many invites of others the group holds.
//   - What the list does not hold, one Get decides: a page may have been short or have shifted, and the invite may be
//     younger than the list. So it is for an invite that was read before, or that this process revoked: what a list
//     that began earlier says of it may be out of date.
//
// cheapPages is what a thousand invites take.
const cheapPages = 5

// reads are the reads of a client, by group.
type reads struct {
	mu     sync.Mutex
	groups map[string]*groupReads
}

// groupReads are the reads of one group.
type groupReads struct {
	mu      sync.Mutex
	asked   int                 // reads so far
	listed  map[string]*Invite  // not asked for yet
	settled map[string]struct{} // ids that the list must not answer for (any more): they were read before, or revoked
	list    *listing
	total   int64         // invites in the group, negative where the platform does not tell
	done    bool          // the list is at its end, or failed
	coming  chan struct{} // closed when the page comes that is on its way, nil if there is none
}

// ReadInvite is the invite with the UIDP id. [IsNotFound] tells whether the error is that there is none (any more).
// Where many invites of one group are read, it may be answered from a listing of the group that began after the
// client was made.
func (c *Client) ReadInvite(ctx context.Context, id string) (*Invite, error) {
	group := c.readsOf(uidp.Parent(id))
	invite, err := group.take(ctx, id)
	switch {
	case err != nil:
		return nil, c.explain(err, readInvites, "reading invite "+redact.Text(id))
	case invite != nil:
		return invite, nil
	default:
		return c.getInvite(ctx, id)
	}
}

// getInvite asks the platform for one invite.
func (c *Client) getInvite(ctx context.Context, id string) (*Invite, error) {
	doing := "reading invite " + redact.Text(id)
	var answer *iam.GroupInvite
	err := c.withYoungGroup(ctx, uidp.Parent(id), func() (err error) {
		answer, err = c.invites.GetGroupInvite(ctx, &iam.GetGroupInviteRequest{Uid: id})
		return err
	})
	if err != nil {
		return nil, c.explain(err, readInvites, doing)
	}
	if answer.GetUid() != id {
		return nil, c.malformed(doing, "it is about another invite, %q", redact.Text(answer.GetUid()))
	}
	return c.readInvite(answer, doing)
}

func (c *Client) readsOf(groupID string) *groupReads {
	c.reads.mu.Lock()
	defer c.reads.mu.Unlock()
	if c.reads.groups == nil {
		c.reads.groups = map[string]*groupReads{}
	}
	group := c.reads.groups[groupID]
	if group == nil {
		group = &groupReads{list: c.newListing(Scope{GroupID: groupID}), listed: map[string]*Invite{}, settled: map[string]struct{}{}, total: -1}
		c.reads.groups[groupID] = group
	}
	return group
}

// forget drops an invite that this process revoked.
func (r *reads) forget(id string) {
	r.mu.Lock()
	group := r.groups[uidp.Parent(id)]
	r.mu.Unlock()
	if group != nil {
		group.mu.Lock()
		defer group.mu.Unlock()
		delete(group.listed, id)
		group.settled[id] = struct{}{} // The page that is on its way may hold it.
	}
}

// take answers one read from the list, going on with it if that is worth it. It is nil where the list has no answer.
func (g *groupReads) take(ctx context.Context, id string) (*Invite, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked++
	_, settled := g.settled[id]
	g.settled[id] = struct{}{}
	if settled || g.asked == 1 {
		return nil, nil
	}
	for {
		if invite, ok := g.listed[id]; ok {
			delete(g.listed, id)
			return invite, nil
		}
		if g.coming == nil {
			if !g.worthAPage() {
				return nil, nil
			}
			g.coming = make(chan struct{})
			go g.nextPage(context.WithoutCancel(ctx), g.coming)
		}
		coming := g.coming
		g.mu.Unlock()
		select {
		case <-coming:
			g.mu.Lock()
		case <-ctx.Done():
			g.mu.Lock()
			return nil, ctx.Err()
		}
	}
}

// worthAPage reports whether the next page of the list is worth its call.
func (g *groupReads) worthAPage() bool {
	budget := max(g.asked, cheapPages)
	if g.done || g.list.pages >= budget {
		return false
	}
	return g.total < 0 || (g.total+pageSize-1)/pageSize <= int64(budget)
}

// nextPage gets a page for all who wait for it. Those who give up do not end it.
func (g *groupReads) nextPage(ctx context.Context, coming chan struct{}) {
	page, err := g.list.next(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	defer close(coming)
	g.coming = nil
	if err != nil {
		g.done = true // Each read gets to the platform on its own, and to its own error.
		return
	}
	g.total, g.done = page.total, page.last
	for _, invite := range page.invites {
		g.listed[invite.ID] = invite
	}
}
