package emulator

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"chainguard.dev/sdk/proto/capabilities"
	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/uidp"
)

// store is all that the platform remembers. Whoever touches it holds the emulator's mutex.
type store struct {
	groups     map[string]*group
	roles      map[string]*role
	identities map[string]*identity
	refresh    map[string]*refreshToken

	invites map[string]*Invite // by uid
	ordered []*Invite          // the same, in the order of creation
	created int                // how many invites there ever were

	minted map[string]int // how many UIDPs there ever were of things that are alike

	admin        string // uid of the identity that AdminToken is for
	maxInviteTTL time.Duration
}

type group struct {
	uid, name, description string
	verified               bool
	kind                   iam.OrgKind
	created, updated       time.Time
}

type role struct {
	uid, name, description string
	capabilities           []capabilities.Capability
	created, updated       time.Time
}

// managed says that the role is one of the platform's own, which all see.
func (r *role) managed() bool { return uidp.InRoot(r.uid) }

// within says that the role can be granted on a group: it is managed, or the group's own or an ancestor's.
func (r *role) within(group string) bool {
	return r.managed() || uidp.IsAncestorOrSelf(uidp.Parent(r.uid), group)
}

type identity struct {
	uid, name, email string
	issuer, subject  string // of the upstream tokens it is exchanged for; "" for any
	bindings         []binding
}

// binding grants a role on a group and on everything below it.
type binding struct{ group, role string }

func newStore() *store {
	return &store{
		groups:     map[string]*group{},
		roles:      map[string]*role{},
		identities: map[string]*identity{},
		refresh:    map[string]*refreshToken{},
		invites:    map[string]*Invite{},
		minted:     map[string]int{},
	}
}

// taken says that something has this UIDP.
func (s *store) taken(uid string) bool {
	return s.groups[uid] != nil || s.roles[uid] != nil || s.identities[uid] != nil || s.invites[uid] != nil
}

// newUID derives a UIDP from what it is for, so that the same seed and the same calls give the same UIDPs, in whatever
// order the calls come. Things that are alike are told apart by a number, and no UIDP is ever given out again.
func (s *store) newUID(parent, kind, what string) string {
	text := parent + "\x00" + kind + "\x00" + what
	for {
		s.minted[text]++
		numbered := text
		if n := s.minted[text]; n > 1 {
			numbered += "\x00" + strconv.Itoa(n)
		}
		sum := sha256.Sum256([]byte(numbered))
		uid := hex.EncodeToString(sum[:20])
		if parent != "" {
			uid = parent + "/" + hex.EncodeToString(sum[:8])
		}
		if !s.taken(uid) {
			return uid
		}
	}
}

// randomHex returns n random bytes in hex.
func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// addInvite completes an invite with what the platform decides, and stores it. The order of creation is the order of
// these calls.
func (s *store) addInvite(i Invite) *Invite {
	i.UID = s.newUID(i.Group, "invite", fmt.Sprintf("%s\x00%s\x00%s\x00%t", i.RoleUID, i.Email, i.TTL, i.SingleUse))
	i.KeyID = randomHex(20)
	i.Code = newCode(i.Group)
	i.Expires = i.Created.Add(i.TTL)
	s.created++
	i.number = s.created
	s.invites[i.UID] = &i
	s.ordered = append(s.ordered, &i)
	return &i
}

// replaceInvite puts a changed copy in the place of a stored invite: stored ones are never changed, so that they can be
// read without the mutex.
func (s *store) replaceInvite(i Invite) {
	s.invites[i.UID] = &i
	s.ordered[s.position(i.number)] = &i
}

func (s *store) removeInvite(i *Invite) {
	delete(s.invites, i.UID)
	at := s.position(i.number)
	s.ordered = slices.Delete(s.ordered, at, at+1)
}

// position finds a stored invite in the order of creation.
func (s *store) position(number int) int {
	at, _ := slices.BinarySearchFunc(s.ordered, number, func(i *Invite, number int) int { return i.number - number })
	return at
}

// path is a group's name after the names of the groups it is in.
func (s *store) path(uid string) string {
	var names []string
	for _, ancestor := range uidp.Ancestry(uid) {
		if g := s.groups[ancestor]; g != nil {
			names = append(names, g.name)
		}
	}
	slices.Reverse(names)
	return strings.Join(names, "/")
}

// findGroups returns the groups that a UIDP, a path from the root, or a bare name means.
func (s *store) findGroups(name string) []*group {
	if g := s.groups[name]; g != nil {
		return []*group{g}
	}
	var byPath, byName []*group
	for uid, g := range s.groups {
		if s.path(uid) == name {
			byPath = append(byPath, g)
		}
		if g.name == name {
			byName = append(byName, g)
		}
	}
	if len(byPath) > 0 {
		return byPath
	}
	return byName
}

// findRole returns the role that a UIDP or a name means at a group: its own role before an ancestor's, and a custom one
// before the platform's.
func (s *store) findRole(name, group string) *role {
	if r := s.roles[name]; r != nil {
		return r
	}
	var best *role
	for _, r := range s.roles {
		if r.name == name && r.within(group) && (best == nil || len(r.uid) > len(best.uid)) {
			best = r
		}
	}
	return best
}
