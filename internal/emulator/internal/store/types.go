package store

import (
	"time"

	"chainguard.dev/sdk/proto/capabilities"
	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/uidp"
)

// Group is an organization or a folder.
type Group struct {
	UID, Name, Description string
	Verified               bool
	Kind                   iam.OrgKind
	Created, Updated       time.Time
}

// Role is a managed role, or a custom one of a group.
type Role struct {
	UID, Name, Description string
	Capabilities           []capabilities.Capability
	Created, Updated       time.Time
}

// Managed reports whether the role is one of the platform's own, which everyone sees.
func (r *Role) Managed() bool { return uidp.InRoot(r.UID) }

// Within reports whether the role can be granted on a group: it is managed, or the group's own or an ancestor's.
func (r *Role) Within(group string) bool {
	return r.Managed() || uidp.IsAncestorOrSelf(uidp.Parent(r.UID), group)
}

// Identity is a person or a machine.
type Identity struct {
	UID, Name, Email string
	Match            Match
	Created          time.Time
}

// Match tells which OIDC tokens an identity can be assumed with. For each claim there is a value or a pattern; without
// either, any value matches. An audience that is not set is the issuer's.
type Match struct {
	Issuer, IssuerPattern     string
	Subject, SubjectPattern   string
	Audience, AudiencePattern string
}

// Binding grants an identity a role on a group and on everything below it.
type Binding struct {
	UID, Identity, Group, Role string
	Created                    time.Time
	// Founder marks the binding that the creator of an organization starts with. It does not keep the organization from
	// being deleted.
	Founder bool
}

// RefreshToken is what is known of a refresh token.
type RefreshToken struct {
	Identity string
	Expires  time.Time
	Spent    bool
}

// Invite is a stored invite.
type Invite struct {
	UID, Group, RoleUID string
	Email               string
	TTL                 time.Duration
	SingleUse           bool
	Code, KeyID         string
	Created, Expires    time.Time

	number    int       // of all invites ever created
	committed time.Time // does not exist before, if it is set
	listed    time.Time // is in no answer of Get and List before, if it is set
}

// Number tells stored invites apart and puts them in the order of creation.
func (i *Invite) Number() int { return i.number }
