package provider

import (
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/ttl"
)

// inviteCodeModel is the resource as it stands in configuration, plan and state. It is never logged: a types.String
// prints its value in clear, sensitive or not.
type inviteCodeModel struct {
	Group            types.String   `tfsdk:"group"`
	Role             types.String   `tfsdk:"role"`
	Cluster          types.Bool     `tfsdk:"cluster"`
	TTL              ttl.Value      `tfsdk:"ttl"`
	Email            types.String   `tfsdk:"email"`
	SingleUse        types.Bool     `tfsdk:"single_use"`
	Recreate         types.String   `tfsdk:"recreate"`
	RenewBefore      ttl.Value      `tfsdk:"renew_before"`
	RotationTriggers types.Map      `tfsdk:"rotation_triggers"`
	Timeouts         timeouts.Value `tfsdk:"timeouts"`

	ID        types.String `tfsdk:"id"`
	GroupID   types.String `tfsdk:"group_id"`
	RoleID    types.String `tfsdk:"role_id"`
	RoleName  types.String `tfsdk:"role_name"`
	Code      types.String `tfsdk:"code"`
	KeyID     types.String `tfsdk:"key_id"`
	CreatedAt types.String `tfsdk:"created_at"`
	ExpiresAt types.String `tfsdk:"expires_at"`
	Status    types.String `tfsdk:"status"`
}

// spec is what the platform is asked to make. The plan holds the resolved group and role.
func (m *inviteCodeModel) spec() (platform.InviteSpec, error) {
	lifetime, err := m.TTL.Duration()
	return platform.InviteSpec{
		GroupID:   m.GroupID.ValueString(),
		RoleID:    m.RoleID.ValueString(),
		Email:     m.Email.ValueString(),
		TTL:       lifetime,
		SingleUse: m.SingleUse.ValueBool(),
	}, err
}

// created takes over the answer to a create.
func (m *inviteCodeModel) created(invite *platform.Invite) {
	m.FromAPI(invite)
	m.Code = types.StringValue(invite.Code)
	m.Status = types.StringValue(statusActive)
}

// FromAPI takes over what the platform tells of an invite at any time, which is everything but its code and the
// lifetime it was asked for. What the configuration says in its own words stays in these words as long as it still
// means the same; where the platform has something else, the state gets what the platform has, so that a plan shows
// it.
func (m *inviteCodeModel) FromAPI(invite *platform.Invite) {
	if m.GroupID.ValueString() != invite.GroupID {
		m.Group = types.StringValue(invite.GroupID)
	}
	if m.RoleID.ValueString() != invite.RoleID {
		m.Role = types.StringValue(invite.RoleID)
		m.Cluster = types.BoolNull()
	}
	if !strings.EqualFold(m.Email.ValueString(), invite.Email) || m.Email.IsUnknown() {
		m.Email = stringOrNull(invite.Email)
	}
	// An expiry that moved is a lifetime that is no longer the one that was asked for. Without an expiry to compare
	// with, the lifetime is unknown: the platform does not tell it.
	expires := formatTime(invite.ExpiresAt)
	moved := !m.ExpiresAt.IsNull() && !m.ExpiresAt.IsUnknown() && m.ExpiresAt.ValueString() != expires
	if m.TTL.IsNull() || moved {
		m.TTL = ttl.NewValue(ttl.Format(invite.ExpiresAt.Sub(invite.CreatedAt).Round(time.Second)))
	}

	m.ID = types.StringValue(invite.ID)
	m.GroupID = types.StringValue(invite.GroupID)
	m.RoleID = types.StringValue(invite.RoleID)
	m.RoleName = stringOrNull(invite.RoleName)
	m.SingleUse = types.BoolValue(invite.SingleUse)
	m.KeyID = stringOrNull(invite.KeyID)
	m.CreatedAt = types.StringValue(formatTime(invite.CreatedAt))
	m.ExpiresAt = types.StringValue(expires)
}

// keepComputed copies from state what only the platform decides.
func (m *inviteCodeModel) keepComputed(state *inviteCodeModel) {
	m.ID = state.ID
	m.Code = state.Code
	m.KeyID = state.KeyID
	m.CreatedAt = state.CreatedAt
	m.ExpiresAt = state.ExpiresAt
	m.Status = state.Status
}

// imported reports whether the state holds nothing yet but an id, and perhaps what another provider's resource knew:
// it was imported or moved, and is about to be read for the first time.
func (m *inviteCodeModel) imported() bool { return m.GroupID.IsNull() }

// formatTime writes a time as the attributes have it: RFC 3339, in UTC, to the second or finer.
func formatTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// stringOrNull is text, or null where there is none: the platform says "" where Terraform says null.
func stringOrNull(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(text)
}
