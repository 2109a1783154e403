package provider

import (
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/duration"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
)

// inviteFacts are what every feature that shows an invite shows of it, and all of it comes from the platform. No model
// is ever logged: a types.String prints its value in clear, sensitive or not.
type inviteFacts struct {
	ID        types.String `tfsdk:"id"`
	GroupID   types.String `tfsdk:"group_id"`
	RoleID    types.String `tfsdk:"role_id"`
	RoleName  types.String `tfsdk:"role_name"`
	Email     types.String `tfsdk:"email"`
	SingleUse types.Bool   `tfsdk:"single_use"`
	CreatedAt types.String `tfsdk:"created_at"`
	ExpiresAt types.String `tfsdk:"expires_at"`
}

// FromAPI takes over what the platform tells of an invite.
func (m *inviteFacts) FromAPI(invite *platform.Invite) {
	m.ID = types.StringValue(invite.ID)
	m.GroupID = types.StringValue(invite.GroupID)
	m.RoleID = stringOrNull(invite.RoleID)
	m.RoleName = stringOrNull(invite.RoleName)
	m.Email = stringOrNull(invite.Email)
	m.SingleUse = types.BoolValue(invite.SingleUse)
	m.CreatedAt = types.StringValue(formatTime(invite.CreatedAt))
	m.ExpiresAt = types.StringValue(formatTime(invite.ExpiresAt))
}

// inviteModel is an invite that is made from a configuration: what the resource and the ephemeral resource share.
type inviteModel struct {
	inviteFacts

	Group   types.String   `tfsdk:"group"`
	Role    types.String   `tfsdk:"role"`
	Cluster types.Bool     `tfsdk:"cluster"`
	TTL     duration.Value `tfsdk:"ttl"`
	Code    types.String   `tfsdk:"code"`
}

// spec is what the platform is asked to make, once the group and the role are resolved.
func (m *inviteModel) spec() (platform.InviteSpec, error) {
	lifetime, err := m.TTL.Duration()
	return platform.InviteSpec{
		GroupID:   m.GroupID.ValueString(),
		RoleID:    m.RoleID.ValueString(),
		Email:     m.Email.ValueString(),
		TTL:       lifetime,
		SingleUse: m.SingleUse.ValueBool(),
	}, err
}

// FromAPI takes over what the platform tells of an invite at any time, which is everything but its code and the
// lifetime it was asked for. What the configuration says in its own words stays in these words as long as it still
// means the same; where the platform has something else, the model gets what the platform has, so that a plan shows
// it.
func (m *inviteModel) FromAPI(invite *platform.Invite) {
	if m.GroupID.ValueString() != invite.GroupID {
		m.Group = types.StringValue(invite.GroupID)
	}
	// A role that was deleted may be missing altogether; that is not another role.
	roleGone := invite.RoleID == "" && m.RoleID.ValueString() != ""
	if m.RoleID.ValueString() != invite.RoleID && !roleGone {
		m.Role = stringOrNull(invite.RoleID)
		m.Cluster = types.BoolNull()
	}
	// An expiry that moved is a lifetime that is no longer the one that was asked for. Without an expiry to compare
	// with, the lifetime is unknown: the platform does not tell it.
	expiryMoved := !m.ExpiresAt.IsNull() && !m.ExpiresAt.IsUnknown() && m.ExpiresAt.ValueString() != formatTime(invite.ExpiresAt)
	if m.TTL.IsNull() || expiryMoved {
		// One that was made to end before its beginning has no lifetime that could be written.
		life := max(invite.ExpiresAt.Sub(invite.CreatedAt).Round(time.Second), duration.Min)
		m.TTL = duration.NewValue(duration.Format(life))
	}

	email, roleID := m.Email, m.RoleID
	m.inviteFacts.FromAPI(invite)
	if roleGone {
		m.RoleID = roleID
	}
	if !email.IsUnknown() && strings.EqualFold(email.ValueString(), invite.Email) {
		m.Email = email
	}
}

// inviteCodeModel is the resource as it stands in configuration, plan and state.
type inviteCodeModel struct {
	inviteModel

	Recreate         types.String   `tfsdk:"recreate"`
	RenewBefore      duration.Value `tfsdk:"renew_before"`
	RotationTriggers types.Map      `tfsdk:"rotation_triggers"`
	Timeouts         timeouts.Value `tfsdk:"timeouts"`
	Status           types.String   `tfsdk:"status"`
}

// emptyInviteCode is the resource with nothing known of it. (The zero value will not do: Terraform's types want to know
// even of a null what it would hold.)
func emptyInviteCode() inviteCodeModel {
	return inviteCodeModel{
		inviteModel:      inviteModel{TTL: duration.NewNull()},
		RenewBefore:      duration.NewNull(),
		RotationTriggers: types.MapNull(types.StringType),
		Timeouts: timeouts.Value{Object: types.ObjectNull(map[string]attr.Type{
			"create": types.StringType, "read": types.StringType, "delete": types.StringType,
		})},
	}
}

// takeCreated takes over the answer to a create.
func (m *inviteCodeModel) takeCreated(invite *platform.Invite) {
	planned := m.RoleName
	m.FromAPI(invite)
	if !planned.IsNull() && !planned.IsUnknown() {
		// The plan has promised it. Should the role have another name by now, or none, the next read tells.
		m.RoleName = planned
	}
	m.Code = types.StringValue(invite.Code)
	m.Status = types.StringValue(statusActive)
}

// takeRead takes over an invite that the platform still has, as of now.
func (m *inviteCodeModel) takeRead(invite *platform.Invite, now time.Time) {
	m.FromAPI(invite)
	renewBefore, _ := m.RenewBefore.Duration() // Zero where there is none.
	m.Status = types.StringValue(statusOf(invite, renewBefore, now))
	if m.Recreate.IsNull() {
		m.Recreate = types.StringValue(recreateAuto)
	}
}

// keepComputed copies from state what only the platform decides.
func (m *inviteCodeModel) keepComputed(state *inviteCodeModel) {
	m.ID = state.ID
	m.Code = state.Code
	m.CreatedAt = state.CreatedAt
	m.ExpiresAt = state.ExpiresAt
	m.Status = state.Status
}

// isImported reports whether the state holds nothing yet but an id, and perhaps what another provider's resource knew:
// it was imported or moved, and is about to be read for the first time.
func (m *inviteCodeModel) isImported() bool { return m.GroupID.IsNull() }

// isMoved reports whether the state is what the official provider's resource knew, and was not read since.
func (m *inviteCodeModel) isMoved() bool { return m.isImported() && !m.Group.IsNull() }

// takeLost fills in the state of an invite that was moved here when it was gone already, as far as it is still to be known:
// whether it was for a single use is not.
func (m *inviteCodeModel) takeLost() {
	m.GroupID, m.RoleID = m.Group, m.Role
	m.TTL = duration.NewValue(duration.DefaultText)
	m.SingleUse = types.BoolValue(false)
	m.Recreate = types.StringValue(recreateAuto)
	m.Status = types.StringValue(statusRevoked)
}

// formatTime writes a time as the attributes have it: RFC 3339, in UTC, to the second or finer.
func formatTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// timeOrNull is a time as the attributes have it, or null where the platform does not tell it.
func timeOrNull(t time.Time) types.String {
	if t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(formatTime(t))
}

// stringOrNull is text, or null where there is none: the platform says "" where Terraform says null.
func stringOrNull(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(text)
}

// What has become of an invite, as of the last time that Terraform read it.
const (
	statusActive   = "active"   // it can be accepted
	statusExpiring = "expiring" // it can be accepted, and is within renew_before of its end
	statusExpired  = "expired"  // its time is over
	statusConsumed = "consumed" // it was for a single use, and was used
	statusRevoked  = "revoked"  // somebody deleted it
)

// When an invite that can no longer be accepted, or soon cannot, is replaced.
const (
	recreateAuto   = "auto"   // unless it was used
	recreateAlways = "always" // whatever the reason
	recreateNever  = "never"
)

// statusOf is the status of an invite that the platform still has.
func statusOf(invite *platform.Invite, renewBefore time.Duration, now time.Time) string {
	if renewBefore >= invite.ExpiresAt.Sub(invite.CreatedAt) {
		renewBefore = 0 // The platform gave it less time than was asked for: each apply would replace it.
	}
	switch left := invite.ExpiresAt.Sub(now); {
	case left <= 0:
		return statusExpired
	case left <= renewBefore:
		return statusExpiring
	default:
		return statusActive
	}
}

// statusOfMissing is the status of an invite that the platform no longer has. It deletes one for a single use when it
// is accepted, and nothing else tells that from one that somebody revoked. One that had expired before can no longer
// have been accepted: somebody tidied up.
func statusOfMissing(state *inviteCodeModel) string {
	switch {
	case state.Status.ValueString() == statusExpired:
		return statusExpired
	case state.SingleUse.ValueBool():
		return statusConsumed
	default:
		return statusRevoked
	}
}

// toBeRecreated reports whether the policy has an invite of that status replaced.
func toBeRecreated(policy, status types.String) bool {
	switch policy.ValueString() {
	case recreateNever:
		return false
	case recreateAlways:
		return !status.IsNull() && status.ValueString() != statusActive
	default:
		switch status.ValueString() {
		case statusExpiring, statusExpired, statusRevoked:
			return true
		default:
			return false
		}
	}
}
