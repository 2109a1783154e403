package provider

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/boolplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

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
