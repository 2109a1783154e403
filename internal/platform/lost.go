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

// lookWaits are the waits before each look for a lost invite, ten seconds in all: the platform may carry out a create, or
// list what it created, after the first look.
var lookWaits = []time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second}

// finding is what became of a lost create.
type finding struct {
	deleted string // the UIDP of its invite, if that was found and deleted
	left    string // what there is to say of what it left behind
}

// findLost looks for the invite of a lost create and deletes it. ctx ending does not stop it; it has a deadline of its own.
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
		last, err = cleaning.look(a, since) // What was listed before an error counts.
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

// cleanUp is the time for cleaning up after a create, in which calls are sent again whatever goes wrong but a refusal.
type cleanUp struct {
	client *Client
	ctx    context.Context
	cancel context.CancelFunc
	budget time.Duration // for all of it
	try    time.Duration // for one try of a call
}

// cleanUp begins to clean up after ctx, which may have ended. There is time for a call that hangs, for another one that
// is answered, and for the waits between the looks.
func (c *Client) cleanUp(ctx context.Context) *cleanUp {
	// A third of the usual time has to do for a try: one that hangs is sent again, and the caller has waited already.
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

// look is a listing of a group's newest invites.
type look struct {
	began   time.Time // by the machine's clock
	asOf    time.Time // when the platform answered, by its own clock if it told the time
	invites []*Invite
}

// look lists the invites of the attempt's group. Lost creates of one group share a listing, if it began after they were
// lost.
func (u *cleanUp) look(a attempt, since time.Time) (look, error) {
	c := u.client
	for {
		result, err := share(u.ctx, &c.looks, a.spec.GroupID, func(ctx context.Context) (look, error) {
			// A deadline of its own, so that it does not end with the first of those who share it.
			ctx, cancel := context.WithTimeout(ctx, u.budget)
			defer cancel()
			return u.list(ctx, a.spec.GroupID)
		})
		if u.ctx.Err() != nil || !result.began.Before(since) {
			return result, err
		}
	}
}

// oldest is how far back a look goes in a listing that is ordered by age. No create takes that long.
const oldest = 2 * time.Hour

// list lists the newest invites of a group: all of them, unless the listing is seen to begin with the newest.
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

// newest goes through the pages of a listing until they end, hold old invites only, or yield returns false.
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

// newestFirst is a heuristic: the platform lists invites newest first by default, but does not promise it. A page of
// old invites ends a look only if the listing so far was in that order, in so many steps that it cannot be chance.
type newestFirst struct {
	last              time.Time
	ascents, descents int
}

// minDescents is how many invites must each be older than the one before.
const minDescents = 20

// endsAt takes a page into account, and reports whether those that follow can only hold invites from before the time.
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

// delete deletes an invite that no state knows, and says how that went.
func (u *cleanUp) delete(id string) (deleted bool, left string) {
	if err := u.client.deleteInvite(u.ctx, id, rpc.Persist(u.try)); err != nil {
		return false, fmt.Sprintf("The request had created invite %[1]s, and deleting it failed (%[2]v). It may still be valid: delete it "+
			"with `chainctl iam invites delete %[1]s`.", id, err)
	}
	return true, fmt.Sprintf("Invite %s, which the request had created, was deleted.", id)
}

// canList is an error if the caller may not list the group's invites. The platform leaves out of a listing what the
// caller may not see, so that an identity that can only create would be told that there is no invite. A Get is denied.
func (u *cleanUp) canList(groupID string) error {
	_, err := u.client.getInvite(u.ctx, groupID+"/0000000000000000", rpc.Persist(u.try))
	if refusedWith(err, codes.PermissionDenied) {
		return err
	}
	return nil
}
