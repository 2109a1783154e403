package platform

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/rpc"
)

// lookWaits are the waits before each search for a lost invite, ten seconds in total. The platform may execute a
// create, or list its invite, after the first search.
var lookWaits = []time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second}

// finding is the outcome of a lost create.
type finding struct {
	deleted string // the UIDP of its invite, if found and deleted
	left    string // describes what it left behind
}

// findLost finds and deletes the invite of a lost create. It has its own deadline and continues if ctx ends.
func (c *Client) findLost(ctx context.Context, a attempt) finding {
	cleaning := c.cleanUp(ctx)
	defer cleaning.cancel()
	since := c.clock.Now()
	var last look
	var possible []*Invite
	for _, wait := range lookWaits {
		if c.clock.Sleep(cleaning.ctx, wait) != nil {
			break
		}
		var err error
		last, err = cleaning.look(a, since) // Use what was listed before an error.
		listed := slices.DeleteFunc(slices.Clone(last.invites), func(i *Invite) bool { return c.attempts.isOther(a, i) })
		sent := last.asOf.Add(-last.began.Sub(a.sent))
		var own *Invite
		own, possible = match(a, listed, sent, c.attempts.trustsMark(a))
		switch {
		case own != nil && c.attempts.claim(own.ID):
			deleted, left := cleaning.delete(own.ID)
			if !deleted {
				return finding{left: left}
			}
			return finding{deleted: own.ID, left: left}
		case err != nil:
			return finding{left: unsearched(a, c.explain(err, readInvites, "listing invites"))}
		}
	}
	switch {
	case last.began.IsZero():
		return finding{left: unsearched(a, context.DeadlineExceeded)}
	case len(possible) > 0:
		return finding{left: ambiguous(possible)}
	}
	if err := cleaning.canList(a.spec.GroupID); err != nil {
		return finding{left: unsearched(a, err)}
	}
	return finding{left: fmt.Sprintf("No matching invite was found in the group as of %s.", last.began.UTC().Format(time.RFC3339))}
}

func ambiguous(possible []*Invite) string {
	return "The request may have succeeded. Possible invites: " + strings.Join(ids(possible), ", ") + ". None was deleted, because they " +
		"cannot be told apart from invites with the same arguments that were created elsewhere. Delete those that are in no Terraform " +
		"state and that you did not create otherwise with `chainctl iam invites delete`."
}

func unsearched(a attempt, why error) string {
	return fmt.Sprintf("The request may have succeeded, and looking for the invite failed (%v). Look for an invite created at about %s with "+
		"`chainctl iam invites list --parent %s`, and delete it with `chainctl iam invites delete`.",
		why, a.sent.UTC().Format(time.RFC3339), a.spec.GroupID)
}

// cleanUp is the cleanup after a create. It retries calls after any error except a rejection.
type cleanUp struct {
	client *Client
	ctx    context.Context
	cancel context.CancelFunc
	budget time.Duration // for the whole cleanup
	try    time.Duration // for one try of a call
}

// cleanUp returns the cleanup of a create with this context, which may have ended. There is time for a call that hangs,
// another one that succeeds, and the waits between the searches.
func (c *Client) cleanUp(ctx context.Context) *cleanUp {
	// Limit each try to a third of the request timeout: a call that hangs is retried, and the caller has already
	// waited.
	const least = 10 * time.Second
	timeout := c.conn.RequestTimeout()
	try := min(timeout, max(least, timeout/3))
	budget := c.limits.cleanUp
	if budget == 0 {
		budget = 2 * try
		for _, wait := range lookWaits {
			budget += wait
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), budget)
	return &cleanUp{client: c, ctx: ctx, cancel: cancel, budget: budget, try: try}
}

// look is a listing of the newest invites of a group.
type look struct {
	began   time.Time // by the local clock
	asOf    time.Time // when the platform responded, by its own clock if known
	invites []*Invite
}

// look lists the newest invites of the attempt's group. Lost creates in the same group share a listing that started
// after they were lost.
func (u *cleanUp) look(a attempt, since time.Time) (look, error) {
	c := u.client
	for {
		result, err := share(u.ctx, &c.looks, a.spec.GroupID, func(ctx context.Context) (look, error) {
			// The listing has its own deadline, so that it does not end with the first of its callers.
			ctx, cancel := context.WithTimeout(ctx, u.budget)
			defer cancel()
			return u.list(ctx, a.spec.GroupID)
		})
		if u.ctx.Err() != nil || !result.began.Before(since) {
			return result, err
		}
	}
}

// oldest is how far back to list a group whose invites are sorted by age. No create takes that long.
const oldest = 2 * time.Hour

// list lists the newest invites of a group, or all if they do not seem to be sorted.
func (u *cleanUp) list(ctx context.Context, groupID string) (look, error) {
	c := u.client
	result := look{began: c.clock.Now()}
	pages := c.invitePages(Scope{GroupID: groupID}, rpc.Persist(u.try))
	err := newest(ctx, pages, func(page page[*Invite]) bool {
		if result.asOf.IsZero() {
			result.asOf = page.asOf
		}
		result.invites = append(result.invites, page.items...)
		return true
	})
	return result, err
}

// newest reads the pages of a listing until they end, contain only old invites, or yield returns false.
func newest(ctx context.Context, pages *pager[*Invite], yield func(page[*Invite]) bool) error {
	var order newestFirst
	for !pages.done {
		page, err := pages.next(ctx)
		if err != nil {
			return err
		}
		if !yield(page) || order.endsAt(page.items, page.asOf.Add(-oldest)) {
			break
		}
	}
	return nil
}

// newestFirst detects listings in descending order of age. This is the platform's default, but it is not guaranteed. A
// page of old invites ends a search only if the listing has so far been sorted over too many invites to be a
// coincidence.
type newestFirst struct {
	last              time.Time
	ascents, descents int
}

// minDescents is the required number of invites older than their predecessor.
const minDescents = 20

// endsAt processes a page, and reports whether all following pages contain only invites from before the given time.
func (n *newestFirst) endsAt(page []*Invite, before time.Time) bool {
	old := len(page) > 0
	for _, invite := range page {
		switch {
		case n.last.IsZero():
		case invite.CreatedAt.After(n.last):
			n.ascents++
		case invite.CreatedAt.Before(n.last):
			n.descents++
		}
		n.last = invite.CreatedAt
		old = old && invite.CreatedAt.Before(before)
	}
	return old && n.ascents == 0 && n.descents >= minDescents
}

// delete deletes an invite that is in no state. If it fails, left says so.
func (u *cleanUp) delete(id string) (deleted bool, left string) {
	if err := u.client.deleteInvite(u.ctx, id, rpc.Persist(u.try)); err != nil {
		return false, fmt.Sprintf("The request had created invite %[1]s, and deleting it failed (%[2]v). It may still be valid: delete it "+
			"with `chainctl iam invites delete %[1]s`.", id, err)
	}
	return true, fmt.Sprintf("Invite %s, which the request had created, was deleted.", id)
}

// canList returns an error if the caller may not list the group's invites. The platform silently omits what the caller
// may not see, so an identity that can only create would find no invite. A Get returns PermissionDenied.
func (u *cleanUp) canList(groupID string) error {
	_, err := u.client.getInvite(u.ctx, groupID+"/0000000000000000", rpc.Persist(u.try))
	if refusedWith(err, codes.PermissionDenied) {
		return err
	}
	return nil
}
