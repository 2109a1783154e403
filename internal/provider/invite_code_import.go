package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/duration"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/refs"
)

// ImportState implements [resource.ResourceWithImportState]. An invite is imported by its UIDP, given as the ID or as
// the identity. Terraform reads it next, which fills in all that the platform still tells.
func (r *inviteCodeResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id := types.StringValue(req.ID)
	if req.ID == "" && req.Identity != nil {
		resp.Diagnostics.Append(req.Identity.GetAttribute(ctx, path.Root("id"), &id)...)
		if resp.Diagnostics.HasError() {
			return
		}
	}
	if !refs.IsInviteUIDP(id.ValueString()) {
		resp.Diagnostics.AddError("Not the UIDP of an Invite", fmt.Sprintf(
			"%q cannot be imported. An invite code is imported by the UIDP of its invite: that of its group, a slash, and 16 hexadecimal "+
				"digits. `chainctl iam invites list` shows it; the code itself is not needed and must not be used here.",
			shownID(id.ValueString())))
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), id)...)
	resp.Diagnostics.Append(setIdentity(ctx, resp.Identity, id)...)
	resp.Diagnostics.AddWarning("Invite Code Cannot Be Read Back",
		"The platform shows an invite code once, when it is made, so `code` of the imported resource is null. Everything else is read. "+
			"Whoever needs the code needs a new one: `terraform apply -replace=ADDRESS`, or later a change of `rotation_triggers`, mints it "+
			"and revokes the imported one.")
}

// shownID is a text that should be a UIDP, as much of it as may be shown: it may be a code that was mistaken for one.
func shownID(text string) string {
	const shown, organization = 12, 40 // characters; a UIDP without a slash is that of an organization
	if len(text) > shown && len(text) != organization {
		return redact.Text(text[:shown]) + "…"
	}
	return redact.Text(text)
}

// addNoSuchInvite says that what is to be imported is not there, or is a group.
func addNoSuchInvite(ctx context.Context, client *platform.Client, id string, cause error, diags *diag.Diagnostics) {
	if isGroup, err := client.IsGroup(ctx, id); err == nil && isGroup {
		diags.AddError("Not the UIDP of an Invite", fmt.Sprintf(
			"%s is a group. Import the invite by its own UIDP; `chainctl iam invites list --parent %s` shows those of this group.", id, id))
		return
	}
	diags.AddError("No Such Invite", fmt.Sprintf(
		"There is no invite %s that this identity can see, so it cannot be imported: it was accepted and for a single use, or revoked, or never "+
			"was. `chainctl iam invites list` shows those there are.\n\n%v", id, redact.Text(cause.Error())))
}

const (
	officialType     = "chainguard_group_invite"
	officialProvider = "chainguard-dev/chainguard" // on any registry: OpenTofu has one of its own
)

// officialState is what the official provider keeps of a chainguard_group_invite. Its `expiration` is left out: the
// platform tells it, and more exactly.
type officialState struct {
	ID    string `json:"id"`
	Group string `json:"group"`
	Role  string `json:"role"`
	Email string `json:"email"`
	Code  string `json:"code"`
}

// MoveState implements [resource.ResourceWithMoveState]: a `moved` block takes an invite over from the official
// provider. It keeps the code, which nobody can read again. What that provider does not know is read from the platform
// next; Terraform does not let a provider call it here.
func (r *inviteCodeResource) MoveState(context.Context) []resource.StateMover {
	return []resource.StateMover{{StateMover: moveState}}
}

func moveState(ctx context.Context, req resource.MoveStateRequest, resp *resource.MoveStateResponse) {
	if req.SourceTypeName != officialType || !strings.HasSuffix(req.SourceProviderAddress, "/"+officialProvider) {
		resp.Diagnostics.AddError("Cannot Be Moved to an Invite Code", fmt.Sprintf(
			"A %s of the provider %s cannot become a chainguard_invite_code; only a %s of %s can. Remove the `moved` block, and take "+
				"over an invite that exists with an `import` block.",
			req.SourceTypeName, req.SourceProviderAddress, officialType, officialProvider))
		return
	}
	var source officialState
	// Neither the state nor the parser's error, which quotes it, is shown: the code is in there.
	if req.SourceRawState == nil || json.Unmarshal(req.SourceRawState.JSON, &source) != nil || !refs.IsInviteUIDP(source.ID) {
		resp.Diagnostics.AddError("Cannot Be Moved to an Invite Code", fmt.Sprintf(
			"The state of the %s, of schema version %d, is not one that this provider knows. Import the invite by its UIDP instead.",
			officialType, req.SourceSchemaVersion))
		return
	}

	// A null group_id says that the rest is still to be read.
	moved := emptyInviteCode()
	moved.ID = types.StringValue(source.ID)
	moved.Group = stringOrNull(source.Group)
	moved.Role = stringOrNull(source.Role)
	moved.Email = stringOrNull(source.Email)
	moved.Code = stringOrNull(source.Code)
	resp.Diagnostics.Append(resp.TargetState.Set(ctx, &moved)...)
	resp.Diagnostics.Append(setIdentity(ctx, resp.TargetIdentity, moved.ID)...)
}

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
