package platform

import (
	"time"

	common "chainguard.dev/sdk/proto/platform/common/v1"
	"chainguard.dev/sdk/uidp"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// InviteSpec is what an invite is created from.
type InviteSpec struct {
	// GroupID is the UIDP of the group that the invitee joins.
	GroupID string
	// RoleID is the UIDP of the role that the invitee gets there.
	RoleID string
	// Email is the only address that may accept the invite. If it is empty, anyone with the code can.
	Email string
	// TTL is how long the code is valid.
	TTL time.Duration
	// SingleUse has the platform delete the invite when it is accepted.
	SingleUse bool
}

// LifetimeTolerance is by how much the lifetime of an invite may differ from its TTL without the platform having decided
// on another: a create asks for up to half a second less, and the platform may round its times.
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
	// SingleUse says that the platform deletes the invite when it is accepted.
	SingleUse bool
	// Code is what the invitee accepts the invite with, a bearer credential. The platform returns it only on creation.
	Code redact.Secret
	// KeyID names the key that verifies the code. Public sources disagree on whether it is secret.
	KeyID redact.Secret
	// CreatedAt and ExpiresAt are the platform's times, in UTC.
	CreatedAt, ExpiresAt time.Time
	// AsOf is when the platform described the invite: by its own clock in whole seconds, or by the machine's if it did
	// not tell the time, and then never later than it really was.
	AsOf time.Time
	// InPlaceOf is the UIDP of the invite that a lost request had created and that was deleted before this one was
	// created. It is empty if no answer was lost, and set by CreateInvite alone.
	InPlaceOf string
}

// Lifetime is how long the invite is valid in all.
func (i *Invite) Lifetime() time.Duration { return i.ExpiresAt.Sub(i.CreatedAt) }

// Expired reports whether the invite had expired when the platform described it.
func (i *Invite) Expired() bool { return !i.AsOf.Before(i.ExpiresAt) }

// Group is an organization (a root group) or a folder.
type Group struct {
	// ID is the group's UIDP.
	ID string
	// Name is unique among the children of one group, and among verified organizations.
	Name string
	// Description may be empty.
	Description string
	// Verified says that Chainguard verified the organization.
	Verified bool
	// CreatedAt and UpdatedAt are the platform's times, in UTC, zero if it does not tell them.
	CreatedAt, UpdatedAt time.Time
}

// ParentID is the UIDP of the group that the group is a folder of, and empty for an organization.
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
	// Capabilities are the names of what the role allows, such as "groups.list", sorted.
	Capabilities []string
}

// Managed reports whether the role is one of Chainguard's own, which every organization has.
func (r Role) Managed() bool { return uidp.InRoot(r.ID) }

// usableIn reports whether the role can be granted in a group: custom roles of every group that the caller can see
// share the platform's name filter.
func (r Role) usableIn(groupID string) bool {
	return r.Managed() || groupID == "" || uidp.IsAncestorOrSelf(uidp.Parent(r.ID), groupID)
}

// Scope says where invites are listed: in one group, or everywhere. The zero value is neither, and an error: an empty
// GroupID must not turn into all that there is.
type Scope struct {
	// GroupID is the UIDP of the group.
	GroupID string
	// Recursive lists the invites of the groups below GroupID as well.
	Recursive bool
	// Everywhere lists the invites of every group that the caller can see. It excludes the other two.
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

// includes reports whether an invite of groupID is in the scope, should the platform's filter mean something wider.
func (s Scope) includes(groupID string) bool {
	return s.Everywhere || s.GroupID == groupID || s.Recursive && uidp.IsAncestor(s.GroupID, groupID)
}
