package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/duration"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
)

// inviteFacts are the attributes that the platform returns, in every schema that has an invite. A model must
// not be logged: types.String prints its value, sensitive or not.
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

// FromAPI sets the attributes from an answer of the platform.
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

// inviteModel is an invite that is created from a configuration: what the resource and the ephemeral resource share.
type inviteModel struct {
	inviteFacts

	Group   types.String   `tfsdk:"group"`
	Role    types.String   `tfsdk:"role"`
	Cluster types.Bool     `tfsdk:"cluster"`
	TTL     duration.Value `tfsdk:"ttl"`
	Code    types.String   `tfsdk:"code"`
}

// spec returns what the platform is asked to create, once the group and the role are resolved.
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

// FromAPI sets everything but the code and the ttl, which the platform returns once or never. A value that the
// configuration spells in its own way is kept as long as it means the same. Otherwise the model gets the platform's
// value, so that a plan shows the drift.
func (m *inviteModel) FromAPI(invite *platform.Invite) {
	if m.GroupID.ValueString() != invite.GroupID {
		m.Group = types.StringValue(invite.GroupID)
	}
	// A role that was deleted may be missing from the answer. The invite still has it.
	roleDeleted := invite.RoleID == "" && m.RoleID.ValueString() != ""
	if m.RoleID.ValueString() != invite.RoleID && !roleDeleted {
		m.Role = stringOrNull(invite.RoleID)
		m.Cluster = types.BoolNull()
	}
	// The ttl can only be derived from the two timestamps, which is done where there is none (after an import) or where
	// expires_at has moved.
	expiryMoved := !m.ExpiresAt.IsNull() && !m.ExpiresAt.IsUnknown() && m.ExpiresAt.ValueString() != formatTime(invite.ExpiresAt)
	if m.TTL.IsNull() || expiryMoved {
		lifetime := invite.ExpiresAt.Sub(invite.CreatedAt).Round(time.Second)
		if hours := lifetime.Round(time.Hour); m.TTL.IsNull() && hours > 0 && (lifetime-hours).Abs() < adoptedTolerance {
			lifetime = hours // For the official provider it begins before the call, so that thirty days are some seconds less.
		}
		// A ttl has to be positive, even if the timestamps say otherwise.
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

// inviteCodeModel is the resource's configuration, plan and state.
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

// Default timeouts of the operations. A create may have to wait for a new group to become usable, which takes up to two
// minutes, and to look for an invite whose create response was lost.
const (
	defaultCreateTimeout = 5 * time.Minute
	defaultReadTimeout   = 2 * time.Minute
	defaultDeleteTimeout = 5 * time.Minute
)

// newInviteCodeModel returns a model whose attributes are all null. The zero value is not usable: null collections need
// their element types.
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

// adoptedTolerance is how much the configured ttl may differ from that of an adopted invite. The official provider
// computes one from a date and the time of its call.
const adoptedTolerance = time.Minute

// setCreated sets what a create has returned.
func (m *inviteCodeModel) setCreated(invite *platform.Invite) {
	planned := m.RoleName
	m.FromAPI(invite)
	if !planned.IsNull() && !planned.IsUnknown() {
		// Terraform refuses another name than the planned one. If the role was renamed meanwhile, the next read shows it.
		m.RoleName = planned
	}
	m.Code, m.EncryptedCode = types.StringValue(invite.Code.Reveal()), types.StringNull()
	m.Status = types.StringValue(statusActive)
}

// setFound sets what a read has returned for an invite that exists, as of at.
func (m *inviteCodeModel) setFound(invite *platform.Invite, at time.Time) {
	m.FromAPI(invite)
	renewBefore, _ := m.RenewBefore.Duration() // Zero where it is null.
	m.Status = types.StringValue(statusOf(invite.CreatedAt, invite.ExpiresAt, renewBefore, at))
	if m.Recreate.IsNull() {
		m.Recreate = types.StringValue(recreateAuto)
	}
}

// isAlive reports whether the code could be accepted at the last refresh.
func (m *inviteCodeModel) isAlive() bool {
	return m.Status.ValueString() == statusActive || m.Status.ValueString() == statusExpiring
}

// setMissing sets the status of an invite that the platform did not find, as of at. It reports whether the status is a
// guess: the invite may have been accepted in time, or deleted after it had expired.
func (m *inviteCodeModel) setMissing(at time.Time) (ambiguous bool) {
	status := statusOfMissing(m.Status.ValueString(), m.SingleUse.ValueBool())
	expires, known := parseTime(m.ExpiresAt)
	ambiguous = status == statusConsumed && m.Status.ValueString() != statusConsumed && known && !at.Before(expires)
	m.Status = types.StringValue(status)
	return ambiguous
}

// setMovedAndMissing completes the state of an invite that was moved here and does not exist any more. Whether it was
// single-use is not known.
func (m *inviteCodeModel) setMovedAndMissing() {
	m.GroupID, m.RoleID = m.Group, m.Role
	m.TTL = duration.NewValue(duration.DefaultText)
	m.SingleUse = types.BoolValue(false)
	m.Recreate = types.StringValue(recreateAuto)
	m.Status = types.StringValue(statusRevoked)
}

// sameRefresh reports whether a read has left the model as it was: the attributes that a read may set are the same.
func (m *inviteCodeModel) sameRefresh(before *inviteCodeModel) bool {
	return m.inviteModel == before.inviteModel && m.Recreate == before.Recreate && m.Status == before.Status
}

// The values of recreate.
const (
	recreateAuto   = "auto"
	recreateAlways = "always"
	recreateNever  = "never"
)

// The values of status.
const (
	statusActive   = "active"   // The code can be accepted.
	statusExpiring = "expiring" // The code can be accepted, and expires within renew_before.
	statusExpired  = "expired"  // The platform still lists the invite, and it has expired.
	statusConsumed = "consumed" // The invite was single-use and no longer exists.
	statusRevoked  = "revoked"  // The invite was not single-use and no longer exists.
)

// statusOf returns the status of an invite that exists, as of at.
func statusOf(created, expires time.Time, renewBefore time.Duration, at time.Time) string {
	if renewBefore >= expires.Sub(created) {
		renewBefore = 0 // The platform allowed a shorter ttl than configured. Every apply would replace the invite.
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

// statusOfMissing returns the status of an invite that no longer exists, from what it was when last read. The platform
// deletes a single-use invite when it is accepted, which looks like a deletion by an operator. One that was
// seen expired cannot have been accepted since, and a consumed one stays consumed whatever its configuration becomes.
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

// formatTime formats a time as the attributes have it: RFC 3339, in UTC.
func formatTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// parseTime parses what formatTime formats. It reports false for null and unknown.
func parseTime(text types.String) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, text.ValueString())
	return t, err == nil
}

// timeOrNull formats a time, or returns null if the platform returned none.
func timeOrNull(t time.Time) types.String {
	if t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(formatTime(t))
}

func isKnown(value attr.Value) bool { return !value.IsNull() && !value.IsUnknown() }

// stringOrNull returns text, or null where it is empty: the platform has no null.
func stringOrNull(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(text)
}
