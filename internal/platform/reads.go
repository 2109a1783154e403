package platform

import (
	"context"
	"sync"

	"chainguard.dev/sdk/uidp"
)

// Terraform refreshes each invite separately, and a group may have hundreds of them. reads answers them from a listing of
// the group where that takes fewer calls. The rule does not depend on time:
//
//   - The first read of a group is a Get. Most groups have one invite in a configuration.
//   - From the second on, the group is listed, and reads are answered from the listing, as long as that takes no more
//     pages than there have been reads of the group, or than cheapPages. So it never costs much more than the Gets that
//     it saves, however many other invites the group has.
//   - What the listing does not hold, a Get decides: a page may have been short or have shifted, and the invite may be
//     younger than the listing. The same goes for an invite that was read before, or that this process deleted: what a
//     listing that began earlier says of it may be out of date.
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
	settled map[string]struct{} // what the listing must not answer for (any more): read before, or deleted
	pages   *pager[*Invite]
	total   int64         // invites in the group, negative if the platform does not tell
	done    bool          // the listing has ended or failed
	coming  chan struct{} // closed when the page arrives that is being fetched, nil if there is none
}

// take answers a read from a listing of the invite's group, going on with it if that is worth a call. It returns nil if
// the listing has no answer.
func (r *reads) take(ctx context.Context, id string, list func() *pager[*Invite]) (*Invite, error) {
	groupID := uidp.Parent(id)
	r.mu.Lock()
	if r.groups == nil {
		r.groups = map[string]*groupReads{}
	}
	group := r.groups[groupID]
	if group == nil {
		group = &groupReads{pages: list(), listed: map[string]*Invite{}, settled: map[string]struct{}{}, total: -1}
		r.groups[groupID] = group
	}
	r.mu.Unlock()
	return group.take(ctx, id)
}

// forget drops an invite that this process deleted.
func (r *reads) forget(id string) {
	r.mu.Lock()
	group := r.groups[uidp.Parent(id)]
	r.mu.Unlock()
	if group != nil {
		group.mu.Lock()
		defer group.mu.Unlock()
		delete(group.listed, id)
		group.settled[id] = struct{}{} // The page that is being fetched may hold it.
	}
}

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

// worthAPage reports whether the next page of the listing is worth its call.
func (g *groupReads) worthAPage() bool {
	budget := max(g.asked, cheapPages)
	if g.done || g.pages.pages >= budget {
		return false
	}
	return g.total < 0 || (g.total+pageSize-1)/pageSize <= int64(budget)
}

// nextPage fetches a page for all reads that wait for it. A read that gives up does not end it.
func (g *groupReads) nextPage(ctx context.Context, coming chan struct{}) {
	page, err := g.pages.next(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	defer close(coming)
	g.coming = nil
	if err != nil {
		g.done = true // Each read calls the platform on its own, and gets its own error.
		return
	}
	g.total, g.done = page.total, g.pages.done
	for _, invite := range page.items {
		g.listed[invite.ID] = invite
	}
}
