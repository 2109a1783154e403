package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/duration"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
)

// inviteFacts are the attributes that the platform returns, shared by all schemas with invites. A model must not be
// logged, because types.String prints sensitive values.
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

// FromAPI sets the attributes from a response of the platform.
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

// inviteModel is an invite with its configuration, shared by the resource and the ephemeral resource.
type inviteModel struct {
	inviteFacts

	Group   types.String   `tfsdk:"group"`
	Role    types.String   `tfsdk:"role"`
	Cluster types.Bool     `tfsdk:"cluster"`
	TTL     duration.Value `tfsdk:"ttl"`
	Code    types.String   `tfsdk:"code"`
}

// spec returns the inputs of the create. The group and the role must be resolved.
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

// FromAPI sets everything except code and ttl, which the platform returns once or never. It keeps the configuration's
// spelling of equivalent values. Other values are replaced by the platform's, so that a plan shows the drift.
func (m *inviteModel) FromAPI(invite *platform.Invite) {
	if m.GroupID.ValueString() != invite.GroupID {
		m.Group = types.StringValue(invite.GroupID)
	}
	// The response may omit a deleted role, which the invite still has.
	roleDeleted := invite.RoleID == "" && m.RoleID.ValueString() != ""
	if m.RoleID.ValueString() != invite.RoleID && !roleDeleted {
		m.Role = stringOrNull(invite.RoleID)
		m.Cluster = types.BoolNull()
	}
	// The ttl can only be derived from the two timestamps. That is needed if there is none, after an import, or if
	// expires_at has changed.
	expiryMoved := !m.ExpiresAt.IsNull() && !m.ExpiresAt.IsUnknown() && m.ExpiresAt.ValueString() != formatTime(invite.ExpiresAt)
	if m.TTL.IsNull() || expiryMoved {
		lifetime := invite.ExpiresAt.Sub(invite.CreatedAt).Round(time.Second)
		if hours := lifetime.Round(time.Hour); m.TTL.IsNull() && hours > 0 && (lifetime-hours).Abs() < adoptedTolerance {
			lifetime = hours // The official provider computes expires_at before the call, so thirty days become a few seconds less.
		}
		// A ttl must be positive, regardless of the timestamps.
		m.TTL = duration.NewValue(duration.Format(max(lifetime, duration.Min)))
	}

	email, roleID := m.Email, m.RoleID
	m.inviteFacts.FromAPI(invite)
	if roleDeleted {
		m.RoleID = roleID
	}
	if !email.IsUnknown() && platform.SameAddress(email.ValueString(), invite.Email) {
		m.Email = email
	}
}

// inviteCodeModel is the resource in the configuration, the plan and the state.
type inviteCodeModel struct {
	inviteModel

	Recreate         types.String   `tfsdk:"recreate"`
	RenewBefore      duration.Value `tfsdk:"renew_before"`
	RotationTriggers types.Map      `tfsdk:"rotation_triggers"`
	Recipients       types.Set      `tfsdk:"recipients"`
	EncryptedCode    types.String   `tfsdk:"encrypted_code"`
	Timeouts         timeouts.Value `tfsdk:"timeouts"`
	Status           types.String   `tfsdk:"status"`
}

// These are the default timeouts. A create may have to wait up to two minutes for a new group, and to search for an
// invite whose response was lost.
const (
	defaultCreateTimeout = 5 * time.Minute
	defaultReadTimeout   = 2 * time.Minute
	defaultDeleteTimeout = 5 * time.Minute
)

// newInviteCodeModel returns a model with only null attributes. The zero value is not usable, because null collections
// need their element types.
func newInviteCodeModel() inviteCodeModel {
	return inviteCodeModel{
		inviteModel:      inviteModel{TTL: duration.NewNull()},
		RenewBefore:      duration.NewNull(),
		RotationTriggers: types.MapNull(types.StringType),
		Recipients:       types.SetNull(types.StringType),
		Timeouts: timeouts.Value{Object: types.ObjectNull(map[string]attr.Type{
			"create": types.StringType, "read": types.StringType, "delete": types.StringType,
		})},
	}
}

// adoptedTolerance is the maximum difference between the configured ttl and that of an adopted invite. The official
// provider computes the lifetime from a date and the time of its call.
const adoptedTolerance = time.Minute

// setCreated sets the attributes from the response to a create.
func (m *inviteCodeModel) setCreated(invite *platform.Invite) {
	planned := m.RoleName
	m.FromAPI(invite)
	if !planned.IsNull() && !planned.IsUnknown() {
		// Terraform rejects a name other than the planned one. If the role has been renamed, the next read shows it.
		m.RoleName = planned
	}
	m.Code, m.EncryptedCode = types.StringValue(invite.Code.Reveal()), types.StringNull()
	m.Status = types.StringValue(statusActive)
}

// setFound sets the attributes of an invite that exists at the time at.
func (m *inviteCodeModel) setFound(invite *platform.Invite, at time.Time) {
	m.FromAPI(invite)
	renewBefore, _ := m.RenewBefore.Duration() // zero if null
	m.Status = types.StringValue(statusOf(invite.CreatedAt, invite.ExpiresAt, renewBefore, at))
	if m.Recreate.IsNull() {
		m.Recreate = types.StringValue(recreateAuto)
	}
}

// isAlive reports whether the code was valid at the last refresh.
func (m *inviteCodeModel) isAlive() bool {
	return m.Status.ValueString() == statusActive || m.Status.ValueString() == statusExpiring
}

// setMissing sets the status of an invite that does not exist at the time at. It reports whether the status is
// ambiguous: the invite may have been accepted in time, or deleted after it expired.
func (m *inviteCodeModel) setMissing(at time.Time) (ambiguous bool) {
	status := statusOfMissing(m.Status.ValueString(), m.SingleUse.ValueBool())
	expires, known := parseTime(m.ExpiresAt)
	ambiguous = status == statusConsumed && m.Status.ValueString() != statusConsumed && known && !at.Before(expires)
	m.Status = types.StringValue(status)
	return ambiguous
}

// setMovedAndMissing completes the state of a moved invite that no longer exists. It is unknown whether it was
// single-use.
func (m *inviteCodeModel) setMovedAndMissing() {
	m.GroupID, m.RoleID = m.Group, m.Role
	m.TTL = duration.NewValue(duration.DefaultText)
	m.SingleUse = types.BoolValue(false)
	m.Recreate = types.StringValue(recreateAuto)
	m.Status = types.StringValue(statusRevoked)
}

// sameRefresh reports whether a read changed none of the attributes that it can set.
func (m *inviteCodeModel) sameRefresh(before *inviteCodeModel) bool {
	return m.inviteModel == before.inviteModel && m.Recreate == before.Recreate && m.Status == before.Status
}

// These are the values of recreate.
const (
	recreateAuto   = "auto"
	recreateAlways = "always"
	recreateNever  = "never"
)

// These are the values of status.
const (
	statusActive   = "active"   // The code can be accepted.
	statusExpiring = "expiring" // The code can be accepted, and expires within renew_before.
	statusExpired  = "expired"  // The platform still lists the invite, and it has expired.
	statusConsumed = "consumed" // The invite was single-use and no longer exists.
	statusRevoked  = "revoked"  // The invite was not single-use and no longer exists.
)

// statusOf returns the status of an invite that exists at the time at.
func statusOf(created, expires time.Time, renewBefore time.Duration, at time.Time) string {
	if renewBefore >= expires.Sub(created) {
		renewBefore = 0 // The platform granted less than the ttl. With the window, every apply would replace the invite.
	}
	switch left := expires.Sub(at); {
	case left <= 0:
		return statusExpired
	case left <= renewBefore:
		return statusExpiring
	default:
		return statusActive
	}
}

// statusOfMissing returns the status of an invite that no longer exists, given its last status. The platform deletes a
// single-use invite when it is accepted, which looks the same as a deletion by an operator. An invite that was already
// expired cannot have been accepted since, and a consumed one stays consumed when its configuration changes.
func statusOfMissing(last string, singleUse bool) string {
	switch {
	case last == statusExpired, last == statusConsumed, last == statusRevoked:
		return last
	case singleUse:
		return statusConsumed
	default:
		return statusRevoked
	}
}

// formatTime formats a time as an attribute: RFC 3339 in UTC.
func formatTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// parseTime parses the result of formatTime. It returns false for null and unknown values.
func parseTime(text types.String) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, text.ValueString())
	return t, err == nil
}

// timeOrNull formats a time, or returns null for the zero time.
func timeOrNull(t time.Time) types.String {
	if t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(formatTime(t))
}

func isKnown(value attr.Value) bool { return !value.IsNull() && !value.IsUnknown() }

// stringOrNull returns text, or null if it is empty: the platform has no null.
func stringOrNull(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(text)
}
