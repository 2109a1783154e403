package platform

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
)

// LifetimeTolerance is by how much the life of an invite may differ from what was asked: the platform may round its
// times, and takes the two one after the other.
const LifetimeTolerance = 2 * time.Second

// searches are the waits before each look for a lost invite: a create may be committed, or listed, after the first look.
// The last is for creates that the platform may still be at work on, because it has not answered.
var searches = []time.Duration{0, time.Second, 2 * time.Second, 4 * time.Second}

// creates knows which invites this process is making and has made, so that none of them is ever taken for one that
// was lost.
type creates struct {
	mu    sync.Mutex
	kinds map[inputs]*alike
	given map[time.Duration]time.Duration // the lifetimes that the platform gave, by what was asked for
}

// inputs are what makes creates alike. The TTL is left out: those of two invites may lie within its tolerance.
type inputs struct {
	groupID, roleID, email string
	singleUse              bool
}

// alike are the creates of this process with the same inputs.
type alike struct {
	underWay int                 // creates that the platform may be acting on
	made     map[string]struct{} // the uids that were answered
	recovery *recovery           // set from when one is lost until it was looked for; meanwhile none is sent
}

// recovery is the search for the creates of one kind that were lost.
type recovery struct {
	lost    []*creation
	settled chan struct{} // closed, by settle, when no create of the kind is under way
	settle  sync.Once
	done    chan struct{} // closed when the search is over
}

// creation is a create of this process.
type creation struct {
	spec     InviteSpec
	kind     *alike
	underWay bool
	from     time.Time // when it was last sent, by our clock

	// Where its outcome is not known:
	given    time.Duration // the lifetime that the platform gives for the one asked for, zero if that is not known
	recovery *recovery
	leads    bool   // does the search for all in its recovery
	stray    string // the UIDP of its invite, where it was found
	revoked  bool   // and revoked
	left     string // what there is to say of what it left behind

	goesOn    bool   // the platform had not answered when it was given up
	elsewhere string // the UIDP of an invite of another group, with which it was answered
}

// plan registers a create that is going to be made.
func (c *creates) plan(spec InviteSpec) *creation {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kinds == nil {
		c.kinds = map[inputs]*alike{}
	}
	key := inputs{spec.GroupID, spec.RoleID, strings.ToLower(spec.Email), spec.SingleUse}
	kind := c.kinds[key]
	if kind == nil {
		kind = &alike{made: map[string]struct{}{}}
		c.kinds[key] = kind
	}
	return &creation{spec: spec, kind: kind}
}

// enter is to be called before a create is sent. While a lost one of the same kind is looked for it waits: a new
// invite would make it uncertain which is the lost one.
func (c *creates) enter(ctx context.Context, create *creation, now func() time.Time) error {
	for {
		c.mu.Lock()
		recovery := create.kind.recovery
		if err := ctx.Err(); err != nil {
			c.mu.Unlock()
			return err
		}
		if recovery == nil {
			create.kind.underWay++
			create.underWay = true
			create.from = now()
			c.mu.Unlock()
			return nil
		}
		c.mu.Unlock()
		select {
		case <-recovery.done:
		case <-ctx.Done():
		}
	}
}

// leave ends what enter began where the platform has surely not acted, so that waiting to send the create again holds
// up nobody's search.
func (c *creates) leave(create *creation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle(create)
}

// claim ends what enter began with the uid that was answered. It reports false where that was another create's answer
// before; it is then for the caller to end this one.
func (c *creates) claim(create *creation, uid string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := create.kind.made[uid]; ok {
		return false
	}
	create.kind.made[uid] = struct{}{}
	c.settle(create)
	return true
}

// learn takes note of the lifetime that the platform gave.
func (c *creates) learn(asked, given time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.given == nil {
		c.given = map[time.Duration]time.Duration{}
	}
	c.given[asked] = given
}

// lose ends what enter began where the outcome is not known.
func (c *creates) lose(create *creation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if create.kind.recovery == nil {
		create.kind.recovery = &recovery{settled: make(chan struct{}), done: make(chan struct{})}
		create.leads = true
	}
	create.recovery = create.kind.recovery
	create.recovery.lost = append(create.recovery.lost, create)
	c.settle(create)
}

// settle takes a create from those under way, if it is one. The caller holds the lock.
func (c *creates) settle(create *creation) {
	if create.underWay {
		create.underWay = false
		create.kind.underWay--
	}
	if recovery := create.kind.recovery; recovery != nil && create.kind.underWay == 0 {
		recovery.settle.Do(func() { close(recovery.settled) })
	}
}

// finish ends a recovery and lets creates of the kind be sent again. Whoever the search did not get to is told so.
func (c *creates) finish(kind *alike) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, lost := range kind.recovery.lost {
		if lost.left == "" {
			lost.left = unsearched(lost, "other creates with the same inputs took too long")
		}
	}
	close(kind.recovery.done)
	kind.recovery = nil
}

// expect tells lost creates which lifetime the platform is known to give them.
func (c *creates) expect(lost []*creation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range lost {
		l.given = c.given[l.spec.TTL]
	}
}

// wasMade reports whether uid is an invite that a create of this process was answered with.
func (c *creates) wasMade(kind *alike, uid string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := kind.made[uid]
	return ok
}

// findLost finds out what became of a lost create, and sets its revoked and left. ctx ending does not stop it; it has
// deadlines of its own.
func (c *Client) findLost(ctx context.Context, lost *creation) {
	if !lost.leads {
		<-lost.recovery.done // Comes: the leader's search has a deadline.
		return
	}
	defer c.creates.finish(lost.kind)

	// They have the time of a usual call, which is longer than one that tidies up.
	settling, cancel := c.cleanUp(ctx, c.config.RequestTimeout)
	defer cancel()
	select {
	case <-lost.recovery.settled:
	case <-settling.Done():
		return
	}
	// All are settled and none may begin, so nobody adds to those who are lost.
	searching, cancel := c.cleanUp(ctx, c.cleanUpCall())
	defer cancel()
	c.search(searching, lost.recovery.lost)
}

// search looks for the invites of lost creates with the same inputs, and revokes them where it is certain that they
// are theirs.
func (c *Client) search(ctx context.Context, lost []*creation) {
	slices.SortFunc(lost, func(a, b *creation) int { return a.from.Compare(b.from) })
	c.creates.expect(lost)
	missing := slices.Clone(lost)
	var doubtful []*Invite
	for look, wait := range searches {
		if look == len(searches)-1 && !slices.ContainsFunc(missing, func(l *creation) bool { return l.goesOn }) {
			break
		}
		if err := c.config.Sleep(ctx, wait); err != nil {
			if look == 0 {
				c.failSearch(missing, err)
				return
			}
			break
		}
		var candidates []*Invite
		var err error
		candidates, doubtful, err = c.candidates(ctx, missing)
		if err != nil {
			c.failSearch(missing, err)
			return
		}
		found, certain := c.assign(candidates, missing)
		if !certain {
			tell(missing, ambiguous(append(candidates, doubtful...)))
			return
		}
		var revocations sync.WaitGroup // At once: all share the time.
		for l, candidate := range found {
			l.stray = candidate.ID
			revocations.Go(func() { l.revoked, l.left = c.revokeStray(ctx, l.stray) })
		}
		revocations.Wait()
		missing = slices.DeleteFunc(missing, func(l *creation) bool { return found[l] != nil })
		if len(missing) == 0 {
			return
		}
	}
	if len(doubtful) > 0 {
		tell(missing, ambiguous(doubtful))
		return
	}
	if err := c.sees(ctx, missing[0].spec.GroupID); err != nil {
		c.failSearch(missing, err)
		return
	}
	tell(missing, fmt.Sprintf("Nothing was left behind as of %s: no invite with these inputs was made in the group since the call began.",
		c.config.Now().UTC().Format(time.RFC3339)))
}

// tell says the same of all.
func tell(lost []*creation, left string) {
	for _, l := range lost {
		l.left = left
	}
}

// failSearch says of creates that they were not looked for.
func (c *Client) failSearch(lost []*creation, err error) {
	for _, l := range lost {
		l.left = unsearched(l, c.explain(err, readInvites, "listing invites").Error())
	}
}

// sees is an error where a listing of a group's invites is empty because the caller may not see them: the platform
// leaves out of a list what the caller may not see, so that an identity that can only create would be told that
// nothing was left behind. A Get is refused instead.
func (c *Client) sees(ctx context.Context, groupID string) error {
	_, err := c.getInvite(ctx, groupID+"/0000000000000000")
	if codeOf(err) == codes.PermissionDenied {
		return err
	}
	return nil
}

// newestFirst is how many invites must each be older than the one before until a listing is taken to be in that order:
// more than come about by chance.
const newestFirst = 20

// candidates are the invites that one of lost may have made: they have its inputs, were made since it was sent, and
// belong to no other create of this process. The doubtful ones may have been made before, by what is known of the
// platform's clock.
func (c *Client) candidates(ctx context.Context, lost []*creation) (certain, doubtful []*Invite, err error) {
	list := c.newListing(Scope{GroupID: lost[0].spec.GroupID})
	seen := map[string]struct{}{}
	var last time.Time
	var ascents, descents int
	for {
		page, err := list.next(ctx)
		if err != nil {
			return nil, nil, err
		}
		// Anew for each page, because each tells the time.
		clock := c.offset.estimate()
		older := len(page.invites) > 0
		for _, invite := range page.invites {
			switch {
			case last.IsZero():
			case invite.CreatedAt.After(last):
				ascents++
			case invite.CreatedAt.Before(last):
				descents++
			}
			last = invite.CreatedAt
			older = older && !madeSince(invite, lost[0].from, clock.ahead-clock.wide)
			if _, again := seen[invite.ID]; again || c.creates.wasMade(lost[0].kind, invite.ID) {
				continue
			}
			seen[invite.ID] = struct{}{}
			// One from our future shows that the platform's clock is ahead, by nobody knows how much.
			future := clock.wide == unobserved && invite.CreatedAt.After(c.config.Now().Add(inSync))
			switch {
			case !future && slices.ContainsFunc(lost, func(l *creation) bool { return l.mayHaveMade(invite, clock.ahead-clock.sure) }):
				certain = append(certain, invite)
			case slices.ContainsFunc(lost, func(l *creation) bool {
				// The platform may give another lifetime than it is asked for.
				return l.mayHaveMade(invite, clock.ahead-clock.wide) || l.looksLike(invite, clock.ahead-clock.sure)
			}):
				doubtful = append(doubtful, invite)
			}
		}
		// The newest come first by default. Where that is seen to hold, a page of older ones ends the search.
		if page.last || ascents == 0 && descents >= newestFirst && older {
			return certain, doubtful, nil
		}
	}
}

// mayHaveMade reports whether invite has the create's inputs and was made since the create was sent, where the
// platform's clock is ahead of ours. It has not been made since it was found, so there is no other end to look at.
func (l *creation) mayHaveMade(invite *Invite, ahead time.Duration) bool {
	return l.looksLike(invite, ahead) && l.offLife(invite) <= LifetimeTolerance
}

// looksLike is mayHaveMade but for the lifetime.
func (l *creation) looksLike(invite *Invite, ahead time.Duration) bool {
	return invite.GroupID == l.spec.GroupID &&
		invite.RoleID == l.spec.RoleID &&
		strings.EqualFold(invite.Email, l.spec.Email) &&
		invite.SingleUse == l.spec.SingleUse &&
		madeSince(invite, l.from, ahead)
}

// offLife is by how much the life of the invite differs from what was asked for, or from what the platform gives for it.
func (l *creation) offLife(invite *Invite) time.Duration {
	life := invite.ExpiresAt.Sub(invite.CreatedAt)
	off := (life - l.spec.TTL).Abs()
	if l.given > 0 {
		off = min(off, (life - l.given).Abs())
	}
	return off
}

// madeSince reports whether the platform, whose clock is ahead of ours, made the invite at the time from or later.
func madeSince(invite *Invite, from time.Time, ahead time.Duration) bool {
	return invite.CreatedAt.Add(precision(invite.CreatedAt)).After(from.Add(ahead))
}

// assign gives each candidate to a lost create of its own. Where one is left over, at least one of them was made by
// somebody else, and it is not certain which. The oldest candidate, which the fewest creates can have made, is given
// away first, to the create whose TTL it fits best.
func (c *Client) assign(candidates []*Invite, lost []*creation) (_ map[*creation]*Invite, certain bool) {
	clock := c.offset.estimate()
	found := map[*creation]*Invite{}
	slices.SortFunc(candidates, func(a, b *Invite) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	for _, candidate := range candidates {
		var best *creation
		for _, l := range lost {
			if found[l] == nil && l.mayHaveMade(candidate, clock.ahead-clock.sure) &&
				(best == nil || l.offLife(candidate) < best.offLife(candidate)) {
				best = l
			}
		}
		if best == nil {
			return nil, false
		}
		found[best] = candidate
	}
	return found, true
}

func ambiguous(candidates []*Invite) string {
	ids := make([]string, len(candidates))
	for i, candidate := range candidates {
		ids[i] = candidate.ID
	}
	slices.Sort(ids)
	return "An invite may have been left behind. It would be one of these, which were made with the same inputs at about " +
		"the same time: " + strings.Join(ids, ", ") + ". Which of them it is, if any, cannot be known, so none was revoked. " +
		"Those that are in no Terraform state, and that nobody else made, are to be revoked with `chainctl iam invites delete`."
}

func unsearched(l *creation, why string) string {
	return fmt.Sprintf("An invite may have been left behind, and looking for it failed (%s). Look for one made at about %s "+
		"with `chainctl iam invites list --parent %s`, and revoke it with `chainctl iam invites delete`.",
		why, l.from.UTC().Format(time.RFC3339), l.spec.GroupID)
}
