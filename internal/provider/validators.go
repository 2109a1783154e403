package provider

import (
	"context"
	"fmt"
	"net/mail"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/refs"
)

// The validators of attributes, each of which can judge its value offline.
var (
	groupReference = textValidator{takes: refs.Group, summary: "Not a Group", check: refs.CheckGroup}
	roleReference  = textValidator{takes: refs.Role, summary: "Not a Role", check: refs.CheckRole}
	uidpReference  = textValidator{takes: refs.UIDP, summary: "Not a UIDP", check: checkUIDP}
	bareEmail      = textValidator{takes: oneAddress, summary: "Not an Email Address", check: checkBareEmail}
)

// textValidator validates a text that is set and known.
type textValidator struct {
	takes   string // what the text must be
	summary string // of the error
	check   func(text string) error
}

// Description implements [validator.String].
func (v textValidator) Description(context.Context) string { return v.takes }

// MarkdownDescription implements [validator.String].
func (v textValidator) MarkdownDescription(context.Context) string { return v.takes }

// ValidateString implements [validator.String].
func (v textValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	text := req.ConfigValue.ValueString()
	err := v.check(text)
	switch {
	case err == nil:
	case text == "":
		resp.Diagnostics.AddAttributeError(req.Path, v.summary, fmt.Sprintf(
			"An empty text is not %s. To set nothing, leave the attribute out, or set it to null.", v.takes))
	default:
		resp.Diagnostics.AddAttributeError(req.Path, v.summary, fmt.Sprintf("%q %s", redact.Text(text), sentence(err.Error())))
	}
}

func checkUIDP(text string) error {
	if !refs.IsUIDP(text) {
		return fmt.Errorf("must be %s. A name goes into `name`", refs.UIDP)
	}
	return nil
}

// oneAddress is what an address is with nothing around it.
const oneAddress = "one email address, without a display name"

func checkBareEmail(text string) error {
	if address, err := mail.ParseAddress(text); err != nil || address.Address != text || address.Name != "" {
		return fmt.Errorf("must be %s, such as kim@example.com", oneAddress)
	}
	return nil
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
