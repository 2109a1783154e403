package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/duration"
)

// An invite that was imported, or moved here from the official provider, is adopted: nobody knows any more with which
// lifetime it was asked for, or on which triggers it depends. Its private state says so, and what cannot be known does
// not count as changed: adopting an invite must not mint another.

// adoptedKey is the key of the mark in the private state.
const adoptedKey = "adopted"

// The values of the mark, which must be JSON.
const (
	markSet     = "true"
	markCleared = "false"
)

// adoptedTolerance is how much the lifetime in the configuration may differ from that of an adopted invite. The
// official provider computes one from a date and the time at which it happens to make the call.
const adoptedTolerance = time.Minute

// privateState is what the framework's requests have as Private.
type privateState interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

// adopted reports whether the invite is marked as adopted.
func adopted(ctx context.Context, private privateState, diags *diag.Diagnostics) bool {
	mark, d := private.GetKey(ctx, adoptedKey)
	diags.Append(d...)
	return string(mark) == markSet
}

// keepAdoptedLifetime keeps the lifetime of an adopted invite where the configuration says none, or one so near that it
// must be meant.
type keepAdoptedLifetime struct{}

// Description implements [planmodifier.String].
func (keepAdoptedLifetime) Description(context.Context) string {
	return "The lifetime of an imported or moved invite is taken as it is."
}

// MarkdownDescription implements [planmodifier.String].
func (m keepAdoptedLifetime) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

// PlanModifyString implements [planmodifier.String].
func (keepAdoptedLifetime) PlanModifyString(ctx context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if req.State.Raw.IsNull() || req.StateValue.IsNull() || !adopted(ctx, req.Private, &resp.Diagnostics) {
		return
	}
	if req.ConfigValue.IsNull() {
		resp.PlanValue = req.StateValue
		return
	}
	configured, err := duration.Value{StringValue: req.ConfigValue}.Duration()
	if err != nil {
		return
	}
	actual, err := duration.Value{StringValue: req.StateValue}.Duration()
	if err == nil && (configured-actual).Abs() < adoptedTolerance {
		resp.PlanValue = req.StateValue
	}
}
