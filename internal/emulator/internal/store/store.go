// Package store is the memory of an emulated platform: groups, roles, identities, role bindings, invites and refresh
// tokens. It knows nothing of access control and of the API.
package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"chainguard.dev/sdk/uidp"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
)

// Store is the data of a platform. The mutex guards every field; callers hold it for the duration of an atomic
// operation.
type Store struct {
	sync.Mutex

	Behavior   Behavior
	Groups     map[string]*Group
	Roles      map[string]*Role
	Identities map[string]*Identity
	Bindings   []*Binding // in the order of creation
	Refresh    map[string]*RefreshToken
	Admin      string // UIDP of the identity that administrators' tokens are for
	// MaxInviteTTL is the longest ttl of an invite.
	MaxInviteTTL time.Duration
	Epoch        int // tokens of an earlier epoch are revoked

	clock   clock.Clock
	invites map[string]*Invite
	created int            // how many invites there ever were
	issued  map[string]int // how many UIDPs there ever were of things that are alike
}

// New returns an empty store.
func New(c clock.Clock, b Behavior) *Store {
	return &Store{
		Behavior:   b,
		Groups:     map[string]*Group{},
		Roles:      map[string]*Role{},
		Identities: map[string]*Identity{},
		Refresh:    map[string]*RefreshToken{},
		clock:      c,
		invites:    map[string]*Invite{},
		issued:     map[string]int{},
	}
}

// Now returns the platform's time.
func (s *Store) Now() time.Time { return s.clock.Now().UTC() }

// Stamp returns the platform's time in the precision of its timestamps.
func (s *Store) Stamp() time.Time { return s.truncate(s.Now()) }

func (s *Store) truncate(t time.Time) time.Time {
	precision := s.Behavior.TimePrecision
	if precision == 0 {
		precision = time.Millisecond
	}
	return t.Truncate(precision)
}

// NewUID returns a UIDP derived from what it identifies, so that the same seed and calls give the same UIDPs, whatever
// the order of calls. Equal things are numbered, so that no UIDP is used twice.
func (s *Store) NewUID(parent, kind, what string) string {
	text := parent + "\x00" + kind + "\x00" + what
	s.issued[text]++
	if n := s.issued[text]; n > 1 {
		text += "\x00" + strconv.Itoa(n)
	}
	sum := sha256.Sum256([]byte(text))
	if parent != "" {
		return parent + "/" + hex.EncodeToString(sum[:8])
	}
	return hex.EncodeToString(sum[:20])
}

// RandomHex returns n random bytes in hex.
func RandomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// AddRole stores a role, under a UIDP derived from its name unless it has one, and returns it.
func (s *Store) AddRole(group string, r Role) *Role {
	if r.UID == "" {
		r.UID = s.NewUID(group, "role", r.Name)
	}
	s.Roles[r.UID] = &r
	return &r
}

// Bind grants an identity a role on a group, and returns the role binding, which may already exist.
func (s *Store) Bind(identity, group, role string) *Binding {
	for _, b := range s.Bindings {
		if b.Identity == identity && b.Group == group && b.Role == role {
			return b
		}
	}
	b := &Binding{
		UID:      s.NewUID(group, "role binding", identity+"\x00"+role),
		Identity: identity,
		Group:    group,
		Role:     role,
		Created:  s.Stamp(),
	}
	s.Bindings = append(s.Bindings, b)
	return b
}

// Grants returns the role bindings of an identity.
func (s *Store) Grants(identity string) []*Binding {
	var grants []*Binding
	for _, b := range s.Bindings {
		if b.Identity == identity {
			grants = append(grants, b)
		}
	}
	return grants
}

// VerifiedOrganization reports whether there is a verified organization with this name.
func (s *Store) VerifiedOrganization(name string) bool {
	for _, g := range s.Groups {
		if g.Name == name && g.Verified && uidp.InRoot(g.UID) {
			return true
		}
	}
	return false
}

// Path returns the names of a group and of its ancestors, joined by slashes.
func (s *Store) Path(uid string) string {
	var names []string
	for _, ancestor := range uidp.Ancestry(uid) {
		if g := s.Groups[ancestor]; g != nil {
			names = append(names, g.Name)
		}
	}
	slices.Reverse(names)
	return strings.Join(names, "/")
}

// FindGroups returns the groups with this UIDP, path or, failing that, name.
func (s *Store) FindGroups(name string) []*Group {
	if g := s.Groups[name]; g != nil {
		return []*Group{g}
	}
	var byPath, byName []*Group
	for uid, g := range s.Groups {
		if s.Path(uid) == name {
			byPath = append(byPath, g)
		}
		if g.Name == name {
			byName = append(byName, g)
		}
	}
	if len(byPath) > 0 {
		return byPath
	}
	return byName
}

// FindRole returns the role with this UIDP or name that can be granted on a group: the nearest custom role, or else a
// managed one.
func (s *Store) FindRole(name, group string) *Role {
	if r := s.Roles[name]; r != nil {
		return r
	}
	var best *Role
	for _, r := range s.Roles {
		if r.Name == name && r.Within(group) && (best == nil || len(r.UID) > len(best.UID)) {
			best = r
		}
	}
	return best
}

// Below returns the kinds of resources in a group that prevent its deletion.
func (s *Store) Below(group string) []string {
	var kinds []string
	note := func(kind, uid string) {
		if uidp.IsAncestor(group, uid) && !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	for uid := range s.Groups {
		note("groups", uid)
	}
	for uid := range s.Roles {
		note("roles", uid)
	}
	for uid := range s.Identities {
		note("identities", uid)
	}
	for uid := range s.invites {
		note("group invites", uid)
	}
	for _, b := range s.Bindings {
		if !b.Founder {
			note("role bindings", b.UID)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// DeleteGroup deletes a group and everything in it.
func (s *Store) DeleteGroup(group string) {
	within := func(uid string) bool { return uidp.IsAncestorOrSelf(group, uid) }
	deleteKeys(s.Groups, within)
	deleteKeys(s.Roles, within)
	deleteKeys(s.Identities, within)
	deleteKeys(s.invites, within)
	s.Bindings = slices.DeleteFunc(s.Bindings, func(b *Binding) bool { return within(b.UID) })
}

func deleteKeys[T any](m map[string]T, is func(key string) bool) {
	for key := range m {
		if is(key) {
			delete(m, key)
		}
	}
}
