package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
)

// ModifyPlan implements [resource.ResourceWithModifyPlan]. It looks names up, so that a plan shows what they mean and
// fails on those that mean nothing, and decides what else than a changed attribute replaces an invite.
//
// It never asks the clock. What is expired is decided when the invite is read, and stands in the state: a plan that
// was saved before the expiry and is applied after it would otherwise turn out different, which Terraform refuses.
func (r *inviteCodeResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return // It is going to be destroyed.
	}
	var plan inviteCodeModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() || r.session == nil {
		return
	}
	var config inviteCodeModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.Group = config.Group
	if plan.Group.IsNull() {
		plan.Group = r.defaultGroup(&resp.Diagnostics)
	}

	if req.State.Raw.IsNull() {
		r.planCreate(ctx, &plan, &resp.Diagnostics)
	} else {
		var state inviteCodeModel
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
		if resp.Diagnostics.HasError() {
			return
		}
		r.planUpdate(ctx, &plan, &state, resp)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// defaultGroup is the group of an invite that names none.
func (r *inviteCodeResource) defaultGroup(diags *diag.Diagnostics) types.String {
	switch {
	case r.session.settings.IsUnknown("group"):
		return types.StringUnknown()
	case r.session.settings.Group == "":
		diags.AddAttributeError(path.Root("group"), "No Group",
			"The invite code needs a group that its invitee joins. Set `group` here or in the provider block, set CHAINGUARD_DEFAULT_GROUP, or "+
				"set a default with `chainctl config set default.group`.")
	}
	return types.StringValue(r.session.settings.Group)
}

// planCreate plans an invite that is new, or that replaces another.
func (r *inviteCodeResource) planCreate(ctx context.Context, plan *inviteCodeModel, diags *diag.Diagnostics) {
	plan.GroupID, plan.RoleID, plan.RoleName = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	plan.Status = types.StringValue(statusActive)
	r.resolve(ctx, plan, diags)
}

// planUpdate plans what becomes of the invite in state.
func (r *inviteCodeResource) planUpdate(ctx context.Context, plan, state *inviteCodeModel, resp *resource.ModifyPlanResponse) {
	plan.keepComputed(state)
	plan.GroupID, plan.RoleID, plan.RoleName = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()

	// A name that stands there unchanged is not looked up again: a thousand invites that nobody touched cost no call.
	// Nor is any name of an invite that was moved here and not read since: nothing tells that it is not the same.
	if plan.Group.Equal(state.Group) || state.imported() {
		plan.GroupID = state.GroupID
	}
	r.resolveGroup(ctx, plan, &resp.Diagnostics)
	sameRole := plan.GroupID.Equal(state.GroupID) && plan.Role.Equal(state.Role) && plan.Cluster.Equal(state.Cluster)
	if sameRole || state.imported() {
		plan.RoleID, plan.RoleName = state.RoleID, state.RoleName
	}
	r.resolveRole(ctx, plan, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	// What means the same is planned in the words of the state, and so is no change.
	if plan.GroupID.Equal(state.GroupID) {
		plan.Group = keepString(plan.Group, state.Group)
	} else {
		resp.RequiresReplace.Append(path.Root("group_id"))
	}
	if plan.RoleID.Equal(state.RoleID) {
		plan.Role = keepString(plan.Role, state.Role)
		plan.RoleName = state.RoleName
	} else {
		resp.RequiresReplace.Append(path.Root("role_id"))
	}

	if toBeRecreated(plan.Recreate, state.Status) {
		plan.Status = types.StringValue(statusActive)
		resp.RequiresReplace.Append(path.Root("status"))
	}
}

// keepString is the state's way to write what planned means as well. It is planned itself where one of them is null:
// Terraform takes the state's value only where the configuration has one.
func keepString(planned, state types.String) types.String {
	if planned.IsNull() || state.IsNull() {
		return planned
	}
	return state
}

// resolve fills in the UIDPs of the group and the role that the plan names and does not know yet. What cannot be
// known yet stays unknown.
func (r *inviteCodeResource) resolve(ctx context.Context, plan *inviteCodeModel, diags *diag.Diagnostics) {
	r.resolveGroup(ctx, plan, diags)
	r.resolveRole(ctx, plan, diags)
}

func (r *inviteCodeResource) resolveGroup(ctx context.Context, plan *inviteCodeModel, diags *diag.Diagnostics) {
	if plan.GroupID.IsUnknown() && !plan.Group.IsUnknown() && !diags.HasError() {
		plan.GroupID = r.session.groupID(ctx, plan.Group.ValueString(), diags)
	}
}

func (r *inviteCodeResource) resolveRole(ctx context.Context, plan *inviteCodeModel, diags *diag.Diagnostics) {
	if !plan.RoleID.IsUnknown() || plan.GroupID.IsUnknown() || plan.Cluster.IsUnknown() || diags.HasError() {
		return
	}
	reference := plan.Role
	if plan.Cluster.ValueBool() {
		reference = types.StringValue(platform.ClusterRoleName)
	}
	if !reference.IsUnknown() {
		plan.RoleID, plan.RoleName = r.session.role(ctx, reference.ValueString(), plan.GroupID.ValueString(), plan.Cluster.ValueBool(), diags)
	}
}

// groupID is the UIDP of the group that reference means. It is unknown where the provider's settings are.
func (s *session) groupID(ctx context.Context, reference string, diags *diag.Diagnostics) types.String {
	if platform.IsUIDP(reference) {
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
		addNameError(diags, path.Root("group"), "Group Not Looked Up", err)
		return types.StringUnknown()
	}
	return types.StringValue(group.ID)
}

// role is the UIDP and the name of the role that reference means in a group. They are unknown where the provider's
// settings are; the name of a role that is given by its UIDP is known only to the platform.
func (s *session) role(ctx context.Context, reference, groupID string, cluster bool, diags *diag.Diagnostics) (id, name types.String) {
	if platform.IsUIDP(reference) {
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
		diags.AddAttributeError(path.Root("cluster"), "No Role for Clusters", fmt.Sprintf(
			"The platform has no role %q, which invites for clusters gave by default. Set `role` instead of `cluster`; `chainctl iam "+
				"roles list` shows those there are.", platform.ClusterRoleName))
	case cluster:
		addNameError(diags, path.Root("cluster"), "Role Not Looked Up", err)
	default:
		addNameError(diags, path.Root("role"), "Role Not Looked Up", err)
	}
	return types.StringUnknown(), types.StringUnknown()
}

// addNameError adds that a name was not found out, on the attribute that has it if the name is to blame.
func addNameError(diags *diag.Diagnostics, attribute path.Path, summary string, err error) {
	var name *platform.NameError
	if errors.As(err, &name) {
		diags.AddAttributeError(attribute, nameSummary(name), name.Error())
		return
	}
	addError(diags, summary, err)
}

// validateRoleOrCluster holds that exactly one of role and cluster says what the invitee gets.
func validateRoleOrCluster(role types.String, cluster types.Bool, diags *diag.Diagnostics) {
	if known(role) && known(cluster) {
		switch {
		case !role.IsNull() && cluster.ValueBool():
			diags.AddAttributeError(path.Root("cluster"), "Both Role and Cluster",
				"`cluster = true` stands for a role of its own, so `role` must not be set beside it. Remove one of them.")
		case role.IsNull() && !cluster.ValueBool():
			diags.AddAttributeError(path.Root("role"), "No Role",
				"The invite code needs a role that its invitee gets. Set `role`, such as \"viewer\", or `cluster = true`.")
		}
	}
}

func known(value attr.Value) bool { return !value.IsUnknown() }
