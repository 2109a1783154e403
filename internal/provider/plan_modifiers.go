package provider

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/boolplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const replaces = "A change replaces the invite code."

// replaceString is RequiresReplace, but for an invite that was moved here from the official provider's resource and
// not read since: its state lacks what that resource did not have, and lacking is not a change.
func replaceString() planmodifier.String {
	return stringplanmodifier.RequiresReplaceIf(func(ctx context.Context, req planmodifier.StringRequest, resp *stringplanmodifier.RequiresReplaceIfFuncResponse) {
		var groupID types.String
		resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("group_id"), &groupID)...)
		resp.RequiresReplace = !groupID.IsNull()
	}, replaces, replaces)
}

// replaceBool is replaceString for a bool.
func replaceBool() planmodifier.Bool {
	return boolplanmodifier.RequiresReplaceIf(func(ctx context.Context, req planmodifier.BoolRequest, resp *boolplanmodifier.RequiresReplaceIfFuncResponse) {
		var groupID types.String
		resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("group_id"), &groupID)...)
		resp.RequiresReplace = !groupID.IsNull()
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
	var groupID types.String
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("group_id"), &groupID)...)
	isFirst := req.StateValue.IsNull() && (groupID.IsNull() || adopted(ctx, req.Private, &resp.Diagnostics))
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
