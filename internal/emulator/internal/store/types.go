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

// Managed reports whether the role is managed by the platform, and thus visible to everyone.
func (r *Role) Managed() bool { return uidp.InRoot(r.UID) }

// Within reports whether the role can be granted on a group: a managed role, or one of the group or of an ancestor.
func (r *Role) Within(group string) bool {
	return r.Managed() || uidp.IsAncestorOrSelf(uidp.Parent(r.UID), group)
}

// Identity is a person or a machine.
type Identity struct {
	UID, Name, Email string
	Match            Match
	Created          time.Time
}

// Match describes the OIDC tokens that may assume an identity. Each claim has a value or a pattern; without either, any
// issuer and subject match, and the audience must be the platform's issuer.
type Match struct {
	Issuer, IssuerPattern     string
	Subject, SubjectPattern   string
	Audience, AudiencePattern string
}

// Binding grants an identity a role on a group and on everything below it.
type Binding struct {
	UID, Identity, Group, Role string
	Created                    time.Time
	// Founder marks the role binding of the creator of an organization, which does not prevent its deletion.
	Founder bool
}

// RefreshToken is the state of a refresh token.
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

// Number returns the position of the invite in the order of creation.
func (i *Invite) Number() int { return i.number }
