package platform

import (
	"time"

	common "chainguard.dev/sdk/proto/platform/common/v1"
	"chainguard.dev/sdk/uidp"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// InviteSpec describes an invite to create.
type InviteSpec struct {
	// GroupID is the UIDP of the group that the invitee joins.
	GroupID string
	// RoleID is the UIDP of the role that the invitee gets there.
	RoleID string
	// Email is the only address that may accept the invite. If it is empty, anyone with the code can.
	Email string
	// TTL is how long the code is valid.
	TTL time.Duration
	// SingleUse makes the platform delete the invite when it is accepted.
	SingleUse bool
}

// LifetimeTolerance is how much the lifetime of an invite may differ from its TTL without the platform having changed
// it. A create requests up to half a second less, and the platform may round its times.
const LifetimeTolerance = 2 * time.Second

// Invite is an invite as the platform describes it.
type Invite struct {
	// ID is the invite's UIDP, a child of its group's.
	ID string
	// GroupID is the UIDP of the group that the invitee joins.
	GroupID string
	// RoleID is the UIDP of the role that the invitee gets there.
	RoleID string
	// RoleName is the role's name. It is empty if the role was deleted.
	RoleName string
	// Email is the only address that may accept the invite. If it is empty, anyone with the code can.
	Email string
	// SingleUse reports whether the platform deletes the invite when it is accepted.
	SingleUse bool
	// Code is the bearer credential to accept the invite with. The platform returns it only on creation.
	Code redact.Secret
	// KeyID identifies the key that verifies the code. Public sources disagree on whether it is secret.
	KeyID redact.Secret
	// CreatedAt and ExpiresAt are the platform's times, in UTC.
	CreatedAt, ExpiresAt time.Time
	// AsOf is when the platform returned the invite: by its own clock in whole seconds if known, and otherwise by the
	// local clock before the call.
	AsOf time.Time
	// InPlaceOf is the UIDP of the invite that a lost create had created and that was deleted before this one was
	// created. Only CreateInvite sets it, and only if a response was lost.
	InPlaceOf string
}

// Lifetime returns the time from creation to expiration.
func (i *Invite) Lifetime() time.Duration { return i.ExpiresAt.Sub(i.CreatedAt) }

// Expired reports whether the invite had expired when the platform returned it.
func (i *Invite) Expired() bool { return !i.AsOf.Before(i.ExpiresAt) }

// Group is an organization (a root group) or a folder.
type Group struct {
	// ID is the group's UIDP.
	ID string
	// Name is unique among the children of one group, and among verified organizations.
	Name string
	// Description may be empty.
	Description string
	// Verified reports whether Chainguard verified the organization.
	Verified bool
	// CreatedAt and UpdatedAt are the platform's times, in UTC, zero if unknown.
	CreatedAt, UpdatedAt time.Time
}

// ParentID returns the UIDP of the parent group, or "" for an organization.
func (g Group) ParentID() string {
	if uidp.InRoot(g.ID) {
		return ""
	}
	return uidp.Parent(g.ID)
}

// Role is a set of capabilities that is granted in a group.
type Role struct {
	// ID is the role's UIDP.
	ID string
	// Name is the role's name, such as "viewer".
	Name string
	// Description may be empty.
	Description string
	// Capabilities are the sorted names of capabilities, such as "groups.list".
	Capabilities []string
}

// Managed reports whether the role is one of Chainguard's own, which exist in every organization.
func (r Role) Managed() bool { return uidp.InRoot(r.ID) }

// usableIn reports whether the role can be granted in a group. The platform's name filter also matches custom roles of
// other groups.
func (r Role) usableIn(groupID string) bool {
	return r.Managed() || groupID == "" || uidp.IsAncestorOrSelf(uidp.Parent(r.ID), groupID)
}

// Scope selects the invites to list: those of one group, or everywhere. The zero value is an error, so that an empty
// GroupID does not list everything.
type Scope struct {
	// GroupID is the UIDP of the group.
	GroupID string
	// Recursive includes the groups below GroupID.
	Recursive bool
	// Everywhere selects the invites of all visible groups. It excludes the other fields.
	Everywhere bool
}

func (s Scope) valid() bool {
	return s.Everywhere == (s.GroupID == "") && (!s.Everywhere || !s.Recursive)
}

func (s Scope) filter() *common.UIDPFilter {
	switch {
	case s.Everywhere:
		return nil
	case s.Recursive:
		return &common.UIDPFilter{DescendantsOf: s.GroupID}
	default:
		return &common.UIDPFilter{ChildrenOf: s.GroupID}
	}
}

// includes reports whether an invite of groupID is in the scope, in case the platform's filter is wider.
func (s Scope) includes(groupID string) bool {
	return s.Everywhere || s.GroupID == groupID || s.Recursive && uidp.IsAncestor(s.GroupID, groupID)
}
