package provider

import (
	"context"
	"fmt"
	"net/mail"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/naming"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
)

// groupReference takes what a group can be named by.
type groupReference struct{}

// Description implements [validator.String].
func (groupReference) Description(context.Context) string { return naming.Group }

// MarkdownDescription implements [validator.String].
func (v groupReference) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateString implements [validator.String].
func (groupReference) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	text := req.ConfigValue.ValueString()
	if err := naming.CheckGroup(text); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Not a Group", fmt.Sprintf("%q %v.", platform.Clean(text), err))
	}
}

// roleReference takes what a role can be named by.
type roleReference struct{}

// Description implements [validator.String].
func (roleReference) Description(context.Context) string { return naming.Role }

// MarkdownDescription implements [validator.String].
func (v roleReference) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateString implements [validator.String].
func (roleReference) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	text := req.ConfigValue.ValueString()
	if err := naming.CheckRole(text); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Not a Role", fmt.Sprintf("%q %v.", platform.Clean(text), err))
	}
}

// uidpReference takes a UIDP and no name.
type uidpReference struct{}

// Description implements [validator.String].
func (uidpReference) Description(context.Context) string {
	return "a UIDP: 40 hexadecimal digits, then for each level below a slash and 16 more"
}

// MarkdownDescription implements [validator.String].
func (v uidpReference) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateString implements [validator.String].
func (v uidpReference) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if text := req.ConfigValue.ValueString(); !platform.IsUIDP(text) {
		resp.Diagnostics.AddAttributeError(req.Path, "Not a UIDP", fmt.Sprintf(
			"%q must be %s. A name goes into `name`.", platform.Clean(text), v.Description(ctx)))
	}
}

// bareEmail takes one address and nothing around it.
type bareEmail struct{}

// Description implements [validator.String].
func (bareEmail) Description(context.Context) string {
	return "one email address, without a display name"
}

// MarkdownDescription implements [validator.String].
func (v bareEmail) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateString implements [validator.String].
func (v bareEmail) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	text := req.ConfigValue.ValueString()
	if address, err := mail.ParseAddress(text); err != nil || address.Address != text || address.Name != "" {
		resp.Diagnostics.AddAttributeError(req.Path, "Not an Email Address", fmt.Sprintf(
			"%q must be %s, such as kim@example.com.", platform.Clean(text), v.Description(ctx)))
	}
}

// validateRoleOrCluster holds that exactly one of role and cluster says what the invitee gets.
func validateRoleOrCluster(role types.String, cluster types.Bool, diags *diag.Diagnostics) {
	switch {
	case role.IsUnknown(), cluster.IsUnknown():
	case !role.IsNull() && cluster.ValueBool():
		diags.AddAttributeError(path.Root("cluster"), "Both Role and Cluster",
			"`cluster = true` stands for a role of its own, so `role` must not be set beside it. Remove one of them.")
	case role.IsNull() && !cluster.ValueBool():
		diags.AddAttributeError(path.Root("role"), "No Role",
			"The invite code needs a role that its invitee gets. Set `role`, such as \"viewer\", or `cluster = true`.")
	}
}
