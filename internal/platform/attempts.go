package platform

import (
	"math/rand/v2"
	"sync"
	"time"
)

// The platform has no idempotency key, so a create whose response is lost may or may not have created an invite. To
// find out, each create has a mark: it requests a lifetime that is shorter by a number of milliseconds, unique among
// the creates of this process with the same inputs. An invite with exactly that lifetime belongs to the create.

// maxMark is the maximum mark. It is less than half a second, so that the lifetime of an invite still rounds to the
// configured one.
const maxMark = 499 * time.Millisecond

// inputs are what creates must share for their invites to be indistinguishable without marks.
type inputs struct {
	groupID, roleID, email string
	singleUse              bool
	ttl                    time.Duration
}

func inputsOf(spec InviteSpec) inputs {
	return inputs{spec.GroupID, spec.RoleID, foldAddress(spec.Email), spec.SingleUse, spec.TTL}
}

// idSet is a set of UIDPs.
type idSet map[string]struct{}

// attempt is one create.
type attempt struct {
	spec     InviteSpec
	mark     time.Duration // subtracted from the lifetime, zero for no mark
	sent     time.Time     // when it was last sent, by the local clock
	existing idSet         // invites that existed before
}

// lifetime returns the lifetime to request.
func (a attempt) lifetime() time.Duration { return a.spec.TTL - a.mark }

// attempts are the creates of this process.
type attempts struct {
	mu       sync.Mutex
	marks    map[inputs]map[time.Duration]struct{} // in use
	claimed  idSet                                 // UIDPs of the invites that creates returned, or that were deleted
	inexact  map[time.Duration]struct{}            // TTLs for which the platform granted a different lifetime than requested
	unmarked bool                                  // the platform rejects marked lifetimes
}

// begin returns an attempt with a unique mark. It has no mark if the platform rejects marks, if the lifetime is too
// short, or if all marks are in use.
func (s *attempts) begin(spec InviteSpec, before idSet) attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := attempt{spec: spec, existing: before}
	if s.unmarked || spec.TTL <= time.Second {
		return a
	}
	key := inputsOf(spec)
	if s.marks == nil {
		s.marks = map[inputs]map[time.Duration]struct{}{}
	}
	if s.marks[key] == nil {
		s.marks[key] = map[time.Duration]struct{}{}
	}
	const marks = int(maxMark / time.Millisecond)
	first := rand.IntN(marks) //nolint:gosec // G404: a mark is no secret.
	for i := range marks {
		mark := time.Duration((first+i)%marks+1) * time.Millisecond
		_, used := s.marks[key][mark]
		// A platform that rounds gives whole seconds to every invite.
		if used || (spec.TTL-mark)%time.Second == 0 {
			continue
		}
		s.marks[key][mark] = struct{}{}
		a.mark = mark
		break
	}
	return a
}

// release frees the mark of an attempt with a known outcome.
func (s *attempts) release(a attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.marks[inputsOf(a.spec)], a.mark)
}

// refuseMarks records that the platform accepts the configured lifetime but rejected a marked one.
func (s *attempts) refuseMarks() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unmarked = true
}

// claim records that an invite belongs to an attempt, which returned it, or which was lost and is about to delete it.
// It returns false if the invite was claimed before.
func (s *attempts) claim(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.claimed[id]; taken {
		return false
	}
	if s.claimed == nil {
		s.claimed = idSet{}
	}
	s.claimed[id] = struct{}{}
	return true
}

// claimAnswer claims the invite in the response to attempt a. It also returns false if the invite existed before the
// attempt, which therefore cannot have created it.
func (s *attempts) claimAnswer(a attempt, id string) bool {
	_, before := a.existing[id]
	return !before && s.claim(id)
}

// isOther reports whether an invite certainly does not belong to attempt a: it existed before, it was claimed by
// another attempt, or it has the mark of another one in progress.
func (s *attempts) isOther(a attempt, invite *Invite) bool {
	if _, before := a.existing[invite.ID]; before {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.claimed[invite.ID]; ok {
		return true
	}
	mark := a.spec.TTL - invite.Lifetime()
	_, open := s.marks[inputsOf(a.spec)][mark]
	return open && mark != a.mark
}

// learn records the lifetime that the platform granted to an attempt's invite. If it differs from the requested one,
// marks are no longer reliable, because an invite may have one by chance.
func (s *attempts) learn(a attempt, given time.Duration) {
	if a.mark == 0 || given == a.lifetime() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inexact == nil {
		s.inexact = map[time.Duration]struct{}{}
	}
	s.inexact[a.spec.TTL] = struct{}{}
}

// trustsMark reports whether the invite of an attempt can be recognized by its lifetime.
func (s *attempts) trustsMark(a attempt) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, inexact := s.inexact[a.spec.TTL]
	return a.mark > 0 && !inexact
}
