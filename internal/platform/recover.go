package platform

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// The platform may round the times of an invite, and takes them one after the other.
	ttlTolerance    = 2 * time.Second
	windowTolerance = time.Second

	// noticeableSkew is the difference between the platform's clock and ours from which it is allowed for. An HTTP
	// date has whole seconds, so less than this is noise.
	noticeableSkew = 2 * time.Second
)

// searches are the waits before each look for a lost invite. A create that was cut off may still be committed after
// the first look.
var searches = []time.Duration{0, time.Second, 2 * time.Second}

// creates knows which invites this process is making and has made, so that none of them is ever taken for one that
// was lost.
type creates struct {
	mu     sync.Mutex
	groups map[inputs]*alike
}

// inputs are what makes creates alike. The TTL is left out: those of two invites may lie within its tolerance.
type inputs struct {
	groupID, roleID, email string
	singleUse              bool
}

// alike are the creates of this process with the same inputs.
type alike struct {
	underWay int
	made     map[string]struct{} // the uids that were answered
	recovery *recovery           // set from when one is lost until it was looked for; meanwhile none is begun
}

// recovery is the search for the creates of one kind that were lost.
type recovery struct {
	lost    []*lostCreate
	settled chan struct{} // closed when no create of the kind is under way
	done    chan struct{} // closed when the search is over
}

// lostCreate is a create whose outcome is not known.
type lostCreate struct {
	spec     InviteSpec
	group    *alike
	from, to time.Time // when it was made, by our clock
	leads    bool      // does the search for all in its recovery
	recovery *recovery

	// What the search says of it.
	revoked bool
	left    string
}

// begin registers a create. While a lost one of the same kind is looked for it waits: a new invite would make it
// uncertain which is the lost one.
func (c *creates) begin(ctx context.Context, spec InviteSpec) (*alike, error) {
	key := inputs{spec.GroupID, spec.RoleID, strings.ToLower(spec.Email), spec.SingleUse}
	for {
		c.mu.Lock()
		if c.groups == nil {
			c.groups = map[inputs]*alike{}
		}
		group := c.groups[key]
		if group == nil {
			group = &alike{made: map[string]struct{}{}}
			c.groups[key] = group
		}
		if group.recovery == nil {
			group.underWay++
			c.mu.Unlock()
			return group, nil
		}
		done := group.recovery.done
		c.mu.Unlock()
		select {
		case <-done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// settle ends what begin began: with the uid that was answered, or with the create that was lost, or with neither.
func (c *creates) settle(group *alike, answered string, lost *lostCreate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	group.underWay--
	if answered != "" {
		group.made[answered] = struct{}{}
	}
	if lost != nil {
		if group.recovery == nil {
			group.recovery = &recovery{settled: make(chan struct{}), done: make(chan struct{})}
			lost.leads = true
		}
		group.recovery.lost = append(group.recovery.lost, lost)
		lost.recovery = group.recovery
	}
	if group.recovery != nil && group.underWay == 0 {
		close(group.recovery.settled)
	}
}

// finish ends a recovery and lets creates of the kind begin again. Whoever the search did not get to is told so.
func (c *creates) finish(group *alike) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range group.recovery.lost {
		if l.left == "" {
			l.left = unsearched(l, "other creates with the same inputs took too long")
		}
	}
	close(group.recovery.done)
	group.recovery = nil
}

// wasMade reports whether uid is an invite that a create of this process was answered with.
func (c *creates) wasMade(group *alike, uid string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := group.made[uid]
	return ok
}

// recover finds out what became of a lost create. It reports whether its invite was found and revoked, and in left
// what there is to say to a person. ctx ending does not stop it; it has a deadline of its own.
func (c *Client) recover(ctx context.Context, lost *lostCreate) (revoked bool, left string) {
	if !lost.leads {
		<-lost.recovery.done // Comes: the leader's search has a deadline.
		return lost.revoked, lost.left
	}
	searchCtx, cancel := c.cleanUp(ctx)
	defer cancel()
	select {
	case <-lost.recovery.settled:
		c.search(searchCtx, lost.recovery.lost)
	case <-searchCtx.Done():
	}
	c.creates.finish(lost.group)
	return lost.revoked, lost.left
}

// search looks for the invites of lost creates with the same inputs, and revokes them where it is certain that they
// are theirs. The caller's recovery keeps others from adding to lost.
func (c *Client) search(ctx context.Context, lost []*lostCreate) {
	slices.SortFunc(lost, func(a, b *lostCreate) int { return a.from.Compare(b.from) })
	missing := slices.Clone(lost)
	for _, wait := range searches {
		if err := c.config.Sleep(ctx, wait); err != nil {
			break
		}
		for _, l := range missing {
			l.to = c.config.Now() // It may have been committed after it was cut off.
		}
		candidates, err := c.candidates(ctx, missing)
		if err != nil {
			for _, l := range missing {
				l.left = unsearched(l, err.Error())
			}
			return
		}
		found, certain := assign(candidates, missing)
		if !certain {
			for _, l := range missing {
				l.left = ambiguous(candidates)
			}
			return
		}
		for l, candidate := range found {
			if err := c.DeleteInvite(ctx, candidate.ID); err != nil {
				l.left = fmt.Sprintf("The platform made invite %[1]s all the same, and revoking it failed (%[2]v). It may "+
					"be alive: revoke it with `chainctl iam invites delete %[1]s`.", candidate.ID, err)
				continue
			}
			l.revoked = true
			l.left = fmt.Sprintf("The platform made invite %s all the same; it was revoked, so nothing was left behind.", candidate.ID)
		}
		missing = slices.DeleteFunc(missing, func(l *lostCreate) bool { _, ok := found[l]; return ok })
		if len(missing) == 0 {
			return
		}
	}
	for _, l := range missing {
		l.left = "Nothing was left behind: no invite with these inputs was made in the group during the call."
	}
}

// candidates are the invites that one of lost may have made: they have its inputs, were made while it was under way,
// and belong to no other create of this process.
func (c *Client) candidates(ctx context.Context, lost []*lostCreate) ([]*Invite, error) {
	spec := lost[0].spec // The inputs that matter to the request are the same for all.
	var found []*Invite
	list := c.newListing(Scope{GroupID: spec.GroupID})
	seen := map[string]struct{}{}
	var last time.Time
	newestFirst := true
	for {
		page, err := list.next(ctx)
		if err != nil {
			return nil, err
		}
		begin := lost[0].from.Add(page.skew - windowTolerance)
		older := len(page.invites) > 0
		for _, invite := range page.invites {
			newestFirst = newestFirst && (last.IsZero() || !invite.CreatedAt.After(last))
			last = invite.CreatedAt
			older = older && invite.CreatedAt.Before(begin)
			if _, again := seen[invite.ID]; again || c.creates.wasMade(lost[0].group, invite.ID) {
				continue
			}
			seen[invite.ID] = struct{}{}
			// From here on by our clock.
			invite.CreatedAt, invite.ExpiresAt = invite.CreatedAt.Add(-page.skew), invite.ExpiresAt.Add(-page.skew)
			if slices.ContainsFunc(lost, func(l *lostCreate) bool { return l.mayHaveMade(invite) }) {
				found = append(found, invite)
			}
		}
		// The newest come first by default. Where that holds, a page of older ones ends the search.
		if page.last || newestFirst && older {
			return found, nil
		}
	}
}

// mayHaveMade reports whether invite, with times by our clock, has the create's inputs and was made while the create
// was under way.
func (l *lostCreate) mayHaveMade(invite *Invite) bool {
	return invite.GroupID == l.spec.GroupID &&
		invite.RoleID == l.spec.RoleID &&
		strings.EqualFold(invite.Email, l.spec.Email) &&
		invite.SingleUse == l.spec.SingleUse &&
		(invite.ExpiresAt.Sub(invite.CreatedAt)-l.spec.TTL).Abs() <= ttlTolerance &&
		!invite.CreatedAt.Before(l.from.Add(-windowTolerance)) &&
		!invite.CreatedAt.After(l.to.Add(windowTolerance))
}

// skew is how far the platform's clock is ahead of ours, zero where it does not tell or the difference is small.
func (c *Client) skew(exchange *exchange) time.Duration {
	date := exchange.date.Load()
	if date == nil {
		return 0
	}
	theirs, err := http.ParseTime(*date)
	if err != nil {
		return 0
	}
	if skew := theirs.Sub(c.config.Now()); skew.Abs() > noticeableSkew {
		return skew
	}
	return 0
}

// assign gives each candidate to a lost create of its own. Where one is left over, at least one of them was made by
// somebody else, and it is not certain which.
func assign(candidates []*Invite, lost []*lostCreate) (_ map[*lostCreate]*Invite, certain bool) {
	found := map[*lostCreate]*Invite{}
	slices.SortFunc(candidates, func(a, b *Invite) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	for _, candidate := range candidates {
		i := slices.IndexFunc(lost, func(l *lostCreate) bool {
			return found[l] == nil && l.mayHaveMade(candidate)
		})
		if i < 0 {
			return nil, false
		}
		found[lost[i]] = candidate
	}
	return found, true
}

func ambiguous(candidates []*Invite) string {
	ids := make([]string, len(candidates))
	for i, candidate := range candidates {
		ids[i] = candidate.ID
	}
	return "An invite may have been left behind: " + strings.Join(ids, ", ") + " were all made with these inputs during " +
		"the call, and which of them is this one's cannot be known, so none was revoked. Revoke those that nobody else " +
		"made with `chainctl iam invites delete`."
}

func unsearched(l *lostCreate, why string) string {
	return fmt.Sprintf("An invite may have been left behind, and looking for it failed (%s). Look for one made at about %s "+
		"with `chainctl iam invites list --parent %s`, and revoke it with `chainctl iam invites delete`.",
		why, l.from.UTC().Format(time.RFC3339), l.spec.GroupID)
}
