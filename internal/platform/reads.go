package platform

import (
	"context"
	"sync"

	"chainguard.dev/sdk/uidp"
)

// Terraform refreshes each invite separately, and a group may have hundreds of them. reads serves them from a listing of
// the group if that takes fewer calls. The rule does not depend on time:
//
//   - The first read of a group is a Get, because most configurations have one invite per group.
//   - From the second read on, the group is listed, and reads are served from the listing, as long as it takes no more
//     pages than there were reads of the group, or than cheapPages. So it never costs much more than the Gets it
//     replaces, however many other invites the group has.
//   - If the listing does not have an invite, a Get decides: a page may have been short or shifted, and the invite may be
//     newer than the listing. The same applies to an invite that was read before, or that this process deleted, because
//     a listing that started earlier may be out of date.

// cheapPages is the number of pages with a thousand invites.
const cheapPages = 5

// reads are the reads of a client, by group.
type reads struct {
	mu     sync.Mutex
	groups map[string]*groupReads
}

// groupReads are the reads of one group.
type groupReads struct {
	mu      sync.Mutex
	asked   int                 // number of reads
	listed  map[string]*Invite  // not read yet
	settled map[string]struct{} // UIDPs that must not be served from the listing: read before, or deleted
	pages   *pager[*Invite]
	total   int64         // number of invites in the group, negative if unknown
	done    bool          // the listing has ended or failed
	coming  chan struct{} // closed when the page in progress arrives, nil if there is none
}

// take returns an invite from the listing of its group, and fetches further pages if that is worth a call. It returns
// nil if the listing does not have the invite.
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

// forget removes an invite that this process deleted.
func (r *reads) forget(id string) {
	r.mu.Lock()
	group := r.groups[uidp.Parent(id)]
	r.mu.Unlock()
	if group != nil {
		group.mu.Lock()
		defer group.mu.Unlock()
		delete(group.listed, id)
		group.settled[id] = struct{}{} // The page in progress may contain it.
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

// worthAPage reports whether fetching the next page may save calls.
func (g *groupReads) worthAPage() bool {
	budget := max(g.asked, cheapPages)
	if g.done || g.pages.pages >= budget {
		return false
	}
	return g.total < 0 || (g.total+pageSize-1)/pageSize <= int64(budget)
}

// nextPage fetches a page for all waiting reads. It continues if one of them gives up.
func (g *groupReads) nextPage(ctx context.Context, coming chan struct{}) {
	page, err := g.pages.next(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	defer close(coming)
	g.coming = nil
	if err != nil {
		g.done = true // Each read falls back to a Get, and returns its own error.
		return
	}
	g.total, g.done = page.total, g.pages.done
	for _, invite := range page.items {
		g.listed[invite.ID] = invite
	}
}
