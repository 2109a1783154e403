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

// What follows looks at the platform's state, and changes it, behind the API's back. It panics where the platform would
// refuse: a test that misspells a name is wrong.

// Named is something that the platform holds, by its name.
type Named struct{ Name, UID string }

// Groups lists the groups by their paths.
func (e *Emulator) Groups() []Named {
	e.store.Lock()
	defer e.store.Unlock()
	return named(e.store.Groups, func(g *store.Group) string { return e.store.Path(g.UID) })
}

// Roles lists the roles, custom ones after the path of their group.
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

// Identities lists the identities.
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

// Identity returns the UIDP of the identity of a name.
func (e *Emulator) Identity(name string) string {
	for _, i := range e.Identities() {
		if i.Name == name {
			return i.UID
		}
	}
	panic(fmt.Sprintf("emulator: no identity is called %q", name))
}

// Group returns the UIDP of the group that a path such as "acme.example/platform", a name, or a UIDP means.
func (e *Emulator) Group(name string) string {
	e.store.Lock()
	defer e.store.Unlock()
	found := e.store.FindGroups(name)
	if len(found) != 1 {
		panic(fmt.Sprintf("emulator: %d groups are called %q", len(found), name))
	}
	return found[0].UID
}

// AddGroup creates a group and returns its UIDP, which follows from its name. Without a parent it is an unverified
// organization.
func (e *Emulator) AddGroup(parent, name string, created time.Time) string {
	e.store.Lock()
	defer e.store.Unlock()
	if parent != "" {
		e.group("AddGroup", parent)
	}
	g := &store.Group{UID: e.store.NewUID(parent, "group", name), Name: name, Created: created, Updated: created}
	e.store.Groups[g.UID] = g
	return g.UID
}

// DeleteGroup deletes a group, with all that is in it.
func (e *Emulator) DeleteGroup(uid string) {
	e.store.Lock()
	defer e.store.Unlock()
	e.store.DeleteGroup(uid)
}

func (e *Emulator) group(caller, uid string) *store.Group {
	g := e.store.Groups[uid]
	if g == nil {
		panic(fmt.Sprintf("emulator: %s: there is no group %q", caller, uid))
	}
	return g
}

// Role returns the UIDP of the role that a name or a UIDP means; of two with one name, the managed one before a custom
// one.
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

// AddRole creates a role and returns its UIDP, which follows from its name. Without a group it is a managed one.
func (e *Emulator) AddRole(group, name string, granted ...capabilities.Capability) string {
	e.store.Lock()
	defer e.store.Unlock()
	if group != "" {
		e.group("AddRole", group)
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

// DeleteRole deletes a role, even if it is in use.
func (e *Emulator) DeleteRole(uid string) {
	e.store.Lock()
	defer e.store.Unlock()
	delete(e.store.Roles, uid)
}

// Invite is a stored invite.
type Invite = store.Invite

// Invites returns every stored invite, expired ones too, in the order of creation.
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

// Live returns the stored invites that have not expired, in the order of creation.
func (e *Emulator) Live() []Invite {
	now := e.store.Now()
	return slices.DeleteFunc(e.Invites(), func(i Invite) bool { return !now.Before(i.Expires) })
}

// AddInvite creates an invite and returns it complete. Group and RoleUID are required; TTL is a week and Created is now
// unless they are set.
func (e *Emulator) AddInvite(i Invite) Invite {
	e.store.Lock()
	defer e.store.Unlock()
	e.group("AddInvite", i.Group)
	i.TTL = cmp.Or(i.TTL, defaultTTL)
	return *e.store.AddInvite(i)
}

// SetInvite changes a stored invite. Its UID stays.
func (e *Emulator) SetInvite(uid string, change func(*Invite)) {
	e.store.Lock()
	defer e.store.Unlock()
	stored := e.store.Invite(uid)
	if stored == nil {
		panic(fmt.Sprintf("emulator: SetInvite: there is no invite %q", uid))
	}
	e.store.ChangeInvite(stored, change)
}

// DeleteInvite deletes a stored invite, if it is there.
func (e *Emulator) DeleteInvite(uid string) {
	e.store.Lock()
	defer e.store.Unlock()
	if i := e.store.Invite(uid); i != nil {
		e.store.RemoveInvite(i)
	}
}

// Accept accepts a code, as the person whom the invite is for.
func (e *Emulator) Accept(code string) error {
	email := "someone@example.com"
	for _, i := range e.Invites() {
		if i.Code == code && i.Email != "" {
			email = i.Email
		}
	}
	return e.AcceptAs(code, email)
}

// AcceptAs accepts a code, as the person with this email address.
func (e *Emulator) AcceptAs(code, email string) error {
	e.store.Lock()
	defer e.store.Unlock()
	_, err := e.issuer.Accept(code, "", &token.Claims{Issuer: "https://upstream.example.com", Subject: email, Email: email})
	return err
}
