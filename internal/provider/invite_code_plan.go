package provider

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/boolplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
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
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("group"), &plan.Group)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if plan.Group.IsNull() {
		plan.Group = r.session.defaultGroup(inviteGroupUse, &resp.Diagnostics)
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

// planCreate plans an invite that is new, or that replaces another.
func (r *inviteCodeResource) planCreate(ctx context.Context, plan *inviteCodeModel, diags *diag.Diagnostics) {
	plan.GroupID, plan.RoleID, plan.RoleName = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	plan.Status = types.StringValue(statusActive)
	r.session.resolve(ctx, &plan.inviteModel, diags)
}

// planUpdate plans what becomes of the invite in state.
func (r *inviteCodeResource) planUpdate(ctx context.Context, plan, state *inviteCodeModel, resp *resource.ModifyPlanResponse) {
	plan.keepComputed(state)
	plan.GroupID, plan.RoleID, plan.RoleName = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()

	// A name that stands there unchanged is not looked up again: a thousand invites that nobody touched cost no call.
	// Nor is any name of an invite that was moved here and not read since: nothing tells that it is not the same.
	if plan.Group.Equal(state.Group) || state.isImported() {
		plan.GroupID = state.GroupID
	}
	r.session.resolveGroup(ctx, &plan.inviteModel, &resp.Diagnostics)
	sameRole := plan.GroupID.Equal(state.GroupID) && plan.Role.Equal(state.Role) && plan.Cluster.Equal(state.Cluster)
	if sameRole || state.isImported() {
		plan.RoleID, plan.RoleName = state.RoleID, state.RoleName
	}
	r.session.resolveRole(ctx, &plan.inviteModel, &resp.Diagnostics)
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

	policy := plan.Recreate
	if policy.IsUnknown() {
		policy = state.Recreate // The one that was applied, until the next is known.
	}
	if toBeRecreated(policy, state.Status) {
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

const replaces = "A change replaces the invite code."

// wasRead reports whether the state is of an invite that was read or made. One that was moved here from the official
// provider's resource and not read since lacks what that resource did not have, and lacking is not a change.
func wasRead(ctx context.Context, state tfsdk.State, diags *diag.Diagnostics) bool {
	var groupID types.String
	diags.Append(state.GetAttribute(ctx, path.Root("group_id"), &groupID)...)
	return !groupID.IsNull()
}

// replaceString is RequiresReplace, but for an invite that was moved here and not read since.
func replaceString() planmodifier.String {
	return stringplanmodifier.RequiresReplaceIf(func(ctx context.Context, req planmodifier.StringRequest, resp *stringplanmodifier.RequiresReplaceIfFuncResponse) {
		resp.RequiresReplace = wasRead(ctx, req.State, &resp.Diagnostics)
	}, replaces, replaces)
}

// replaceBool is replaceString for a bool.
func replaceBool() planmodifier.Bool {
	return boolplanmodifier.RequiresReplaceIf(func(ctx context.Context, req planmodifier.BoolRequest, resp *boolplanmodifier.RequiresReplaceIfFuncResponse) {
		resp.RequiresReplace = wasRead(ctx, req.State, &resp.Diagnostics)
	}, replaces, replaces)
}

// replaceOnTrigger replaces when a trigger changes. An adopted invite takes up its first triggers without.
type replaceOnTrigger struct{}

// Description implements [planmodifier.Map].
func (replaceOnTrigger) Description(context.Context) string { return replaces }

// MarkdownDescription implements [planmodifier.Map].
func (replaceOnTrigger) MarkdownDescription(context.Context) string { return replaces }

// PlanModifyMap implements [planmodifier.Map].
func (replaceOnTrigger) PlanModifyMap(ctx context.Context, req planmodifier.MapRequest, resp *planmodifier.MapResponse) {
	if req.State.Raw.IsNull() || req.Plan.Raw.IsNull() || req.PlanValue.Equal(req.StateValue) {
		return
	}
	isFirst := req.StateValue.IsNull() &&
		(!wasRead(ctx, req.State, &resp.Diagnostics) || adopted(ctx, req.Private, &resp.Diagnostics))
	resp.RequiresReplace = !isFirst
}

// sameAddress keeps the state's spelling of an address that differs from the configuration's in upper and lower case
// only: the platform may write it its own way.
type sameAddress struct{}

// Description implements [planmodifier.String].
func (sameAddress) Description(context.Context) string {
	return "Upper and lower case do not matter in an address."
}

// MarkdownDescription implements [planmodifier.String].
func (m sameAddress) MarkdownDescription(ctx context.Context) string { return m.Description(ctx) }

// PlanModifyString implements [planmodifier.String].
func (sameAddress) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if !req.StateValue.IsNull() && !req.PlanValue.IsNull() && !req.PlanValue.IsUnknown() &&
		strings.EqualFold(req.StateValue.ValueString(), req.PlanValue.ValueString()) {
		resp.PlanValue = req.StateValue
	}
}
