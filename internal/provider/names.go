package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/refs"
)

// resolve sets the unknown UIDPs of the group and the role in the configuration. Those that cannot be known yet stay
// unknown.
func (s *session) resolve(ctx context.Context, m *inviteModel, diags *diag.Diagnostics) {
	if !refs.IsUIDP(m.Group.ValueString()) && m.GroupID.IsUnknown() && m.RoleID.IsUnknown() {
		s.expectRole(ctx, m.roleReference(), diags)
	}
	s.resolveGroup(ctx, m, diags)
	s.resolveRole(ctx, m, diags)
}

func (s *session) resolveGroup(ctx context.Context, m *inviteModel, diags *diag.Diagnostics) {
	if m.GroupID.IsUnknown() && !m.Group.IsUnknown() && !diags.HasError() {
		m.GroupID = s.groupID(ctx, m.Group.ValueString(), diags)
	}
}

func (s *session) resolveRole(ctx context.Context, m *inviteModel, diags *diag.Diagnostics) {
	if !m.RoleID.IsUnknown() || m.GroupID.IsUnknown() || m.Cluster.IsUnknown() || diags.HasError() {
		return
	}
	if reference := m.roleReference(); !reference.IsUnknown() {
		m.RoleID, m.RoleName = s.role(ctx, reference.ValueString(), m.GroupID.ValueString(), m.Cluster.ValueBool(), diags)
	}
}

// roleReference returns the role's name or UIDP.
func (m *inviteModel) roleReference() types.String {
	if m.Cluster.ValueBool() {
		return types.StringValue(platform.ClusterRoleName)
	}
	return m.Role
}

// expectRole starts looking up the role while the group is looked up, which halves the time of a small plan.
func (s *session) expectRole(ctx context.Context, reference types.String, diags *diag.Diagnostics) {
	if reference.IsUnknown() || refs.IsUIDP(reference.ValueString()) || !s.ready() || diags.HasError() {
		return
	}
	if client := s.client(diags); client != nil {
		client.ExpectRole(ctx, reference.ValueString())
	}
}

// inviteGroupUse is the use argument of [session.defaultGroup] for invite codes.
const inviteGroupUse = "The invite code needs a group that its invitee joins."

// defaultGroup returns the provider's default group, see [session.groupSetting], and adds an error if there is none.
// use explains why a group is needed.
func (s *session) defaultGroup(use string, diags *diag.Diagnostics) types.String {
	group, _ := s.groupSetting()
	switch {
	case !group.IsNull():
	case len(s.deferred) > 0:
		s.addDeferred(diags) // One of them may be about the group.
	default:
		diags.AddAttributeError(path.Root("group"), summaryMissingGroup, use+" Set `group` here or in the provider block, set "+
			"CHAINGUARD_DEFAULT_GROUP, or set a default with `chainctl config set default.group`.")
	}
	return group
}

// groupID returns the UIDP of a group. It is unknown if the provider's settings are unknown.
func (s *session) groupID(ctx context.Context, reference string, diags *diag.Diagnostics) types.String {
	if refs.IsUIDP(reference) {
		return types.StringValue(reference)
	}
	if !s.ready() {
		return types.StringUnknown()
	}
	client := s.client(diags)
	if client == nil {
		return types.StringUnknown()
	}
	group, err := client.FindGroup(ctx, reference)
	if err != nil {
		addNameError(diags, path.Root("group"), summaryFindGroup, err)
		return types.StringUnknown()
	}
	return types.StringValue(group.ID)
}

// role returns the UIDP and the name of a role in a group. They are unknown if the provider's settings are unknown. The
// name of a role that is given by its UIDP is unknown during the plan.
func (s *session) role(ctx context.Context, reference, groupID string, cluster bool, diags *diag.Diagnostics) (id, name types.String) {
	if refs.IsUIDP(reference) {
		return types.StringValue(reference), types.StringUnknown()
	}
	if !s.ready() {
		return types.StringUnknown(), types.StringUnknown()
	}
	client := s.client(diags)
	if client == nil {
		return types.StringUnknown(), types.StringUnknown()
	}
	role, err := client.FindRole(ctx, reference, groupID)
	if err == nil {
		return types.StringValue(role.ID), types.StringValue(role.Name)
	}
	var none *platform.NameError
	switch {
	case cluster && errors.As(err, &none) && !none.Ambiguous:
		diags.AddAttributeError(path.Root("cluster"), summaryMissingClusterRole, fmt.Sprintf(
			"The platform has no default role for invites of clusters (a role named %q was looked for). Set `role` instead of `cluster`; "+
				"`chainctl iam roles list` shows those there are.", platform.ClusterRoleName))
	case cluster:
		addNameError(diags, path.Root("cluster"), summaryFindRole, err)
	default:
		addNameError(diags, path.Root("role"), summaryFindRole, err)
	}
	return types.StringUnknown(), types.StringUnknown()
}

// addNameError adds an error for a name that could not be looked up, on the attribute if the name is at fault.
func addNameError(diags *diag.Diagnostics, attribute path.Path, summary string, err error) {
	var name *platform.NameError
	if errors.As(err, &name) {
		diags.AddAttributeError(attribute, nameSummary(name), name.Error())
		return
	}
	addError(diags, summary, err)
}
