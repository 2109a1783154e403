package platform

import (
	"math/rand/v2"
	"sync"
	"time"
)

// The platform has no idempotency key, so that a create whose answer is lost may have created an invite or not. To find
// out, each create carries a mark: it asks for a lifetime that is shorter by some milliseconds, which no other create of
// the process asks for that has the same inputs. An invite with just that lifetime is the create's own.

// maxMark is the longest mark. It is below half a second, so that the lifetime of an invite still rounds to the one
// that was configured.
const maxMark = 499 * time.Millisecond

// inputs are what makes creates alike.
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
	mark     time.Duration // by which its lifetime is shortened, zero if it has none
	sent     time.Time     // when it was last sent, by the machine's clock
	existing idSet         // what was there before
}

// lifetime is how long the invite is asked to be valid.
func (a attempt) lifetime() time.Duration { return a.spec.TTL - a.mark }

// attempts are the creates of this process.
type attempts struct {
	mu       sync.Mutex
	marks    map[inputs]map[time.Duration]struct{} // in use
	claimed  idSet                                 // the UIDPs of the invites that creates were answered with, or that were deleted
	inexact  map[time.Duration]struct{}            // the TTLs for which the platform has given another lifetime than asked
	unmarked bool                                  // the platform accepts no marked lifetime
}

// begin returns an attempt with a mark that no other has. It has none where the platform accepts none, where the
// lifetime is too short for one, or where all are in use.
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
		// A lifetime of whole seconds is what a platform that rounds gives to any invite.
		if used || (spec.TTL-mark)%time.Second == 0 {
			continue
		}
		s.marks[key][mark] = struct{}{}
		a.mark = mark
		break
	}
	return a
}

// release frees the mark of an attempt whose outcome is known.
func (s *attempts) release(a attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.marks[inputsOf(a.spec)], a.mark)
}

// refuseMarks takes note that the platform accepts the configured lifetime, but not a marked one.
func (s *attempts) refuseMarks() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unmarked = true
}

// claim takes note that an invite is an attempt's: the attempt was answered with it, or it was lost and the invite is
// going to be deleted. It reports false if it was claimed before.
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

// claimAnswer claims the invite that attempt a was answered with. It reports false also if that one existed before, and so
// cannot be what the attempt has created.
func (s *attempts) claimAnswer(a attempt, id string) bool {
	_, before := a.existing[id]
	return !before && s.claim(id)
}

// isOther reports whether an invite is surely not that of attempt a: it was there before, or it belongs to another
// attempt, which has claimed it, or is under way and has its mark.
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

// learn takes note of the lifetime that the platform gave to an attempt's invite. Where it is another one than the attempt
// asked for, lifetimes show nothing any more: an invite may have a mark by chance.
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

// trustsMark reports whether an attempt's invite can be recognized by its lifetime.
func (s *attempts) trustsMark(a attempt) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, inexact := s.inexact[a.spec.TTL]
	return a.mark > 0 && !inexact
}
