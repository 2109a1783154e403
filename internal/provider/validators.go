package provider

import (
	"context"
	"errors"
	"fmt"
	"net/mail"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/duration"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/refs"
)

// These validators work offline.
var (
	groupReference = textValidator{takes: refs.Group, summary: summaryInvalidGroup, check: refs.CheckGroup}
	roleReference  = textValidator{takes: refs.Role, summary: summaryInvalidRole, check: refs.CheckRole}
	uidpReference  = textValidator{takes: refs.UIDP, summary: summaryInvalidUIDP, check: checkUIDP}
	recreatePolicy = textValidator{takes: policies, summary: summaryInvalidPolicy, check: checkPolicy}
	bareEmail      = textValidator{takes: oneAddress, summary: summaryInvalidEmail, check: checkBareEmail}
)

// textValidator validates a known string.
type textValidator struct {
	takes   string // what the string must be
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
	if text == "" {
		resp.Diagnostics.AddAttributeError(req.Path, v.summary,
			fmt.Sprintf("The value must not be empty: it must be %s. Omit the attribute, or set it to null, to leave it unset.", v.takes))
		return
	}
	if err := v.check(text); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, v.summary, fmt.Sprintf("%s %s", redact.Quote(text), sentence(err.Error())))
	}
}

func checkUIDP(text string) error {
	if !refs.IsUIDP(text) {
		return fmt.Errorf("must be %s. Use `name` for a name", refs.UIDP)
	}
	return nil
}

const policies = "`auto`, `always` or `never`"

func checkPolicy(text string) error {
	switch text {
	case recreateAuto, recreateAlways, recreateNever:
		return nil
	default:
		return errors.New("must be " + policies)
	}
}

const oneAddress = "a single email address without a display name"

func checkBareEmail(text string) error {
	if err := refs.CheckVisible(text); err != nil {
		return err
	}
	if address, err := mail.ParseAddress(text); err != nil || address.Address != text || address.Name != "" {
		return fmt.Errorf("must be %s, such as kim@example.com", oneAddress)
	}
	return nil
}

// validateRoleOrCluster adds an error unless exactly one of role and cluster is set.
func validateRoleOrCluster(role types.String, cluster types.Bool, diags *diag.Diagnostics) {
	switch {
	case role.IsUnknown(), cluster.IsUnknown():
	case !role.IsNull() && cluster.ValueBool():
		diags.AddAttributeError(path.Root("cluster"), summaryInvalidCombination,
			"`cluster = true` conflicts with `role`. Remove one of them.")
	case role.IsNull() && !cluster.ValueBool():
		diags.AddAttributeError(path.Root("role"), summaryMissingRole,
			"Set `role`, for example to \"viewer\", or set `cluster = true`.")
	}
}

// validateRenewBefore adds an error unless renew_before is shorter than ttl. Invalid durations are reported elsewhere.
func validateRenewBefore(renewBefore, ttl duration.Value, diags *diag.Diagnostics) {
	window, err := renewBefore.Duration()
	if err != nil || ttl.IsUnknown() {
		return
	}
	lifetime := duration.Default
	if !ttl.IsNull() {
		if lifetime, err = ttl.Duration(); err != nil {
			return
		}
	}
	if window >= lifetime {
		diags.AddAttributeError(path.Root("renew_before"), summaryInvalidCombination, fmt.Sprintf(
			"`renew_before` (%s) must be shorter than `ttl` (%s).", duration.Format(window), duration.Format(lifetime)))
	}
}
