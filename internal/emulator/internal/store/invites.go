package store

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// AddInvite sets the fields of an invite that the platform sets, and stores it.
func (s *Store) AddInvite(i Invite) *Invite {
	// Clients may shorten a ttl by a random part of a second. The UIDP depends only on whole seconds, so that it is the
	// same in each run.
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

// newCode returns an invite code. Like the platform's codes, it is base64 of JSON that starts with the group; unlike
// them, it says that it works nowhere else.
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

// Invite returns the invite with a UIDP, nil if there is none.
func (s *Store) Invite(uid string) *Invite {
	i := s.invites[uid]
	if i == nil || s.Now().Before(i.committed) {
		return nil
	}
	return i
}

// ListedInvite is like Invite, but returns nil if a ListingDelay hides the invite.
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

// ListedInvites returns the invites that List returns, unsorted, because List sorts them.
func (s *Store) ListedInvites() []*Invite {
	now := s.Now()
	return slices.DeleteFunc(slices.Collect(maps.Values(s.invites)), func(i *Invite) bool {
		return now.Before(i.committed) || now.Before(i.listed)
	})
}

// ChangeInvite replaces a stored invite by a changed copy with the same UIDP. Stored invites are immutable, so that
// they can be read without the mutex.
func (s *Store) ChangeInvite(stored *Invite, change func(*Invite)) {
	changed := *stored
	change(&changed)
	changed.UID, changed.number = stored.UID, stored.number
	s.invites[changed.UID] = &changed
}

// DelayCommit makes an invite that was just created exist only from d from now on.
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
