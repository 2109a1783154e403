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

const (
	replaces         = "A change replaces the invite code."
	replacesMarkdown = replaces
)

// replaceString is RequiresReplace, but for an invite that was moved here from the official provider's resource and
// not read since: its state lacks what that resource did not have, and lacking is not a change.
func replaceString() planmodifier.String {
	return stringplanmodifier.RequiresReplaceIf(func(ctx context.Context, req planmodifier.StringRequest, resp *stringplanmodifier.RequiresReplaceIfFuncResponse) {
		var groupID types.String
		resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("group_id"), &groupID)...)
		resp.RequiresReplace = !groupID.IsNull()
	}, replaces, replacesMarkdown)
}

// replaceBool is replaceString for a bool.
func replaceBool() planmodifier.Bool {
	return boolplanmodifier.RequiresReplaceIf(func(ctx context.Context, req planmodifier.BoolRequest, resp *boolplanmodifier.RequiresReplaceIfFuncResponse) {
		var groupID types.String
		resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("group_id"), &groupID)...)
		resp.RequiresReplace = !groupID.IsNull()
	}, replaces, replacesMarkdown)
}

// replaceOnTrigger replaces when a trigger changes. Triggers that an imported invite has none of yet are taken up
// without: the platform does not know them, so that they match cannot be told, and an import must not re-mint.
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
	var code, groupID types.String
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("code"), &code)...)
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("group_id"), &groupID)...)
	taken := req.StateValue.IsNull() && (code.IsNull() || groupID.IsNull())
	resp.RequiresReplace = !taken
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
