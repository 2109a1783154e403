package store

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// AddInvite completes an invite with what the platform decides, and stores it. The order of creation is the order of
// these calls.
func (s *Store) AddInvite(i Invite) *Invite {
	// A client may ask for a ttl that is off by a random part of a second. UIDPs follow from the whole seconds, so that
	// a run can be repeated.
	asked := (i.TTL + time.Second - 1).Truncate(time.Second)
	i.UID = s.NewUID(i.Group, "invite", fmt.Sprintf("%s\x00%s\x00%s\x00%t", i.RoleUID, i.Email, asked, i.SingleUse))
	i.KeyID = RandomHex(20)
	i.Code = newCode(i.Group)
	if i.Created.IsZero() {
		i.Created = s.Stamp()
	}
	lifetime := i.TTL
	if s.Behavior.Lifetime != nil {
		lifetime = s.Behavior.Lifetime(i.TTL)
	}
	i.Expires = s.truncate(i.Created.Add(lifetime))
	s.created++
	i.number = s.created
	s.invites[i.UID] = &i
	return &i
}

// newCode returns an invite code. Like the platform's, it is base64 of JSON that starts with the group; unlike them, it
// says that it is of no use elsewhere.
func newCode(group string) string {
	b, err := json.Marshal(struct {
		Group  string `json:"grp"`
		Issuer string `json:"iss"`
		Secret string `json:"sec"`
	}{group, "chainguard-emulator: not an invite to anything real", RandomHex(20)})
	if err != nil {
		panic(err) // three strings
	}
	return base64.StdEncoding.EncodeToString(b)
}

// Invite returns the invite of a UIDP, nil if there is none.
func (s *Store) Invite(uid string) *Invite {
	i := s.invites[uid]
	if i == nil || s.Now().Before(i.committed) {
		return nil
	}
	return i
}

// ListedInvite is Invite as Get and List see it.
func (s *Store) ListedInvite(uid string) *Invite {
	i := s.Invite(uid)
	if i == nil || s.Now().Before(i.listed) {
		return nil
	}
	return i
}

// Invites returns all invites in the order of creation.
func (s *Store) Invites() []*Invite {
	now := s.Now()
	found := slices.SortedFunc(maps.Values(s.invites), func(a, b *Invite) int { return a.number - b.number })
	return slices.DeleteFunc(found, func(i *Invite) bool { return now.Before(i.committed) })
}

// ListedInvites returns the invites that List shows, in no order: thousands of them are sorted only once, by List.
func (s *Store) ListedInvites() []*Invite {
	now := s.Now()
	return slices.DeleteFunc(slices.Collect(maps.Values(s.invites)), func(i *Invite) bool {
		return now.Before(i.committed) || now.Before(i.listed)
	})
}

// ChangeInvite puts a changed copy in the place of a stored invite: stored ones are never changed, so that they can be
// read without the mutex. Its UIDP stays.
func (s *Store) ChangeInvite(stored *Invite, change func(*Invite)) {
	changed := *stored
	change(&changed)
	changed.UID, changed.number = stored.UID, stored.number
	s.invites[changed.UID] = &changed
}

// DelayCommit makes an invite that was just created come into being d later.
func (s *Store) DelayCommit(stored *Invite, d time.Duration) {
	s.ChangeInvite(stored, func(i *Invite) {
		i.Created, i.Expires = i.Created.Add(d), i.Expires.Add(d)
		i.committed = s.Now().Add(d)
	})
}

// DelayListing hides an invite from Get and List for d from now on.
func (s *Store) DelayListing(stored *Invite, d time.Duration) {
	s.ChangeInvite(stored, func(i *Invite) { i.listed = s.Now().Add(d) })
}

// RemoveInvite deletes a stored invite.
func (s *Store) RemoveInvite(i *Invite) {
	delete(s.invites, i.UID)
}
