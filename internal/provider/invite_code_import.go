package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

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
