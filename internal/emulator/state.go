package emulator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"chainguard.dev/sdk/proto/capabilities"
	"chainguard.dev/sdk/uidp"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/store"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/token"
)

// The methods in this file inspect and change the content of the platform without the API. They panic if something does
// not exist, because a test that misspells a name is wrong.

// Named is the name and UIDP of a group, role or identity.
type Named struct{ Name, UID string }

// Groups returns all groups, named by path and sorted.
func (e *Emulator) Groups() []Named {
	e.store.Lock()
	defer e.store.Unlock()
	return named(e.store.Groups, func(g *store.Group) string { return e.store.Path(g.UID) })
}

// Roles returns all roles, sorted. The names of custom roles start with the path of their group.
func (e *Emulator) Roles() []Named {
	e.store.Lock()
	defer e.store.Unlock()
	return named(e.store.Roles, func(r *store.Role) string {
		if r.Managed() {
			return r.Name
		}
		return e.store.Path(uidp.Parent(r.UID)) + ": " + r.Name
	})
}

// Identities returns all identities, sorted.
func (e *Emulator) Identities() []Named {
	e.store.Lock()
	defer e.store.Unlock()
	return named(e.store.Identities, func(i *store.Identity) string { return i.Name })
}

func named[T any](byUID map[string]T, name func(T) string) []Named {
	all := make([]Named, 0, len(byUID))
	for uid, thing := range byUID {
		all = append(all, Named{name(thing), uid})
	}
	slices.SortFunc(all, func(a, b Named) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.UID, b.UID))
	})
	return all
}

// Identity returns the UIDP of the identity with this name.
func (e *Emulator) Identity(name string) string {
	for _, i := range e.Identities() {
		if i.Name == name {
			return i.UID
		}
	}
	panic(fmt.Sprintf("emulator: no identity is called %q", name))
}

// Group returns the UIDP of the group with this path, such as "acme.example/platform", name or UIDP.
func (e *Emulator) Group(name string) string {
	e.store.Lock()
	defer e.store.Unlock()
	found := e.store.FindGroups(name)
	if len(found) != 1 {
		panic(fmt.Sprintf("emulator: %d groups are called %q", len(found), name))
	}
	return found[0].UID
}

// AddGroup creates a group, or an unverified organization if parent is "", and returns its UIDP.
func (e *Emulator) AddGroup(parent, name string, created time.Time) string {
	e.store.Lock()
	defer e.store.Unlock()
	if parent != "" {
		e.needGroup("AddGroup", parent)
	}
	g := &store.Group{UID: e.store.NewUID(parent, "group", name), Name: name, Created: created, Updated: created}
	e.store.Groups[g.UID] = g
	return g.UID
}

// DeleteGroup deletes a group and everything in it.
func (e *Emulator) DeleteGroup(uid string) {
	e.store.Lock()
	defer e.store.Unlock()
	e.store.DeleteGroup(uid)
}

func (e *Emulator) needGroup(caller, uid string) {
	if e.store.Groups[uid] == nil {
		panic(fmt.Sprintf("emulator: %s: there is no group %q", caller, uid))
	}
}

// Role returns the UIDP of the role with this name or UIDP. It prefers managed roles to custom ones.
func (e *Emulator) Role(name string) string {
	e.store.Lock()
	defer e.store.Unlock()
	if e.store.Roles[name] != nil {
		return name
	}
	var best *store.Role
	for _, r := range e.store.Roles {
		if r.Name == name && (best == nil || len(r.UID) < len(best.UID)) {
			best = r
		}
	}
	if best == nil {
		panic(fmt.Sprintf("emulator: no role is called %q", name))
	}
	return best.UID
}

// AddRole creates a role of a group, or a managed role if group is "", and returns its UIDP.
func (e *Emulator) AddRole(group, name string, granted ...capabilities.Capability) string {
	e.store.Lock()
	defer e.store.Unlock()
	if group != "" {
		e.needGroup("AddRole", group)
	}
	now := e.store.Stamp()
	return e.store.AddRole(group, store.Role{Name: name, Capabilities: capabilities.SortCaps(granted), Created: now, Updated: now}).UID
}

// RenameRole renames a role.
func (e *Emulator) RenameRole(uid, name string) {
	e.store.Lock()
	defer e.store.Unlock()
	r := e.store.Roles[uid]
	if r == nil {
		panic(fmt.Sprintf("emulator: RenameRole: there is no role %q", uid))
	}
	r.Name = name
}

// DeleteRole deletes a role, even one in use.
func (e *Emulator) DeleteRole(uid string) {
	e.store.Lock()
	defer e.store.Unlock()
	delete(e.store.Roles, uid)
}

// Invite is a stored invite.
type Invite = store.Invite

// Invites returns all invites, including expired ones, in order of creation.
func (e *Emulator) Invites() []Invite {
	e.store.Lock()
	defer e.store.Unlock()
	stored := e.store.Invites()
	all := make([]Invite, 0, len(stored))
	for _, i := range stored {
		all = append(all, *i)
	}
	return all
}

// Live returns the invites that have not expired, in order of creation.
func (e *Emulator) Live() []Invite {
	now := e.store.Now()
	return slices.DeleteFunc(e.Invites(), func(i Invite) bool { return !now.Before(i.Expires) })
}

// AddInvite creates an invite and returns it. Group and RoleUID are required; TTL defaults to a week and Created to
// now.
func (e *Emulator) AddInvite(i Invite) Invite {
	e.store.Lock()
	defer e.store.Unlock()
	e.needGroup("AddInvite", i.Group)
	i.TTL = cmp.Or(i.TTL, defaultTTL)
	return *e.store.AddInvite(i)
}

// SetInvite changes an invite, except for its UIDP.
func (e *Emulator) SetInvite(uid string, change func(*Invite)) {
	e.store.Lock()
	defer e.store.Unlock()
	stored := e.store.Invite(uid)
	if stored == nil {
		panic(fmt.Sprintf("emulator: SetInvite: there is no invite %q", uid))
	}
	e.store.ChangeInvite(stored, change)
}

// DeleteInvite deletes an invite if it exists.
func (e *Emulator) DeleteInvite(uid string) {
	e.store.Lock()
	defer e.store.Unlock()
	if i := e.store.Invite(uid); i != nil {
		e.store.RemoveInvite(i)
	}
}

// Accept accepts a code as the invitee.
func (e *Emulator) Accept(code string) error {
	email := "someone@example.com"
	for _, i := range e.Invites() {
		if i.Code == code && i.Email != "" {
			email = i.Email
		}
	}
	return e.AcceptAs(code, email)
}

// AcceptAs accepts a code as the person with this email address.
func (e *Emulator) AcceptAs(code, email string) error {
	e.store.Lock()
	defer e.store.Unlock()
	_, err := e.issuer.Accept(code, "", &token.Claims{Issuer: "https://upstream.example.com", Subject: email, Email: email})
	return err
}
