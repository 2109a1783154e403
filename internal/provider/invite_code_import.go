package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/refs"
)

// ImportState implements [resource.ResourceWithImportState]. The UIDP of the invite is the import ID or the identity.
// Terraform then reads the invite.
func (r *inviteCodeResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id := types.StringValue(req.ID)
	if req.ID == "" && req.Identity != nil {
		resp.Diagnostics.Append(req.Identity.GetAttribute(ctx, path.Root("id"), &id)...)
		if resp.Diagnostics.HasError() {
			return
		}
	}
	if !refs.IsInviteUIDP(id.ValueString()) {
		resp.Diagnostics.AddError(summaryInvalidImportID, fmt.Sprintf(
			"%q is not the UIDP of an invite: the UIDP of its group, a slash, and 16 hexadecimal digits. List invites and their UIDPs with "+
				"`chainctl iam invites list`. Do not import by the code itself.", shownID(id.ValueString())))
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), id)...)
	resp.Diagnostics.Append(setIdentity(ctx, resp.Identity, id)...)
	resp.Diagnostics.Append(setAdoption(ctx, resp.Private, imported)...)
}

// shownID shortens an import ID that may be a code, so that it is safe to show.
func shownID(text string) string {
	const shown, organization = 12, 40 // characters; a UIDP without a slash is an organization's
	if len(text) > shown && len(text) != organization {
		return redact.Text(text[:shown]) + "…"
	}
	return redact.Text(text)
}

const (
	officialType     = "chainguard_group_invite"
	officialProvider = "chainguard-dev/chainguard" // in any registry: OpenTofu has its own
)

// officialState is the state of the official provider's chainguard_group_invite. It omits `expiration`, which the
// platform returns more precisely.
type officialState struct {
	ID    string `json:"id"`
	Group string `json:"group"`
	Role  string `json:"role"`
	Email string `json:"email"`
	Code  string `json:"code"`
}

// MoveState implements [resource.ResourceWithMoveState]: a `moved` block moves an invite with its code from the
// official provider. Read sets the other attributes, because Terraform does not configure the provider for a move.
func (r *inviteCodeResource) MoveState(context.Context) []resource.StateMover {
	return []resource.StateMover{{StateMover: moveState}}
}

func moveState(ctx context.Context, req resource.MoveStateRequest, resp *resource.MoveStateResponse) {
	if req.SourceTypeName != officialType || !strings.HasSuffix(req.SourceProviderAddress, "/"+officialProvider) {
		resp.Diagnostics.AddError(summaryMoveState, fmt.Sprintf(
			"A %s of the provider %s cannot be moved to a chainguard_invite_code; only a %s of %s can. Remove the `moved` block, and use an "+
				"`import` block instead.", req.SourceTypeName, req.SourceProviderAddress, officialType, officialProvider))
		return
	}
	var source officialState
	// Show neither the state nor the parser's error, which quotes it: the state contains the code.
	if req.SourceRawState == nil || json.Unmarshal(req.SourceRawState.JSON, &source) != nil || !refs.IsInviteUIDP(source.ID) {
		resp.Diagnostics.AddError(summaryMoveState, fmt.Sprintf(
			"The state of the %s has schema version %d, which this provider does not support. Import the invite by its UIDP instead.",
			officialType, req.SourceSchemaVersion))
		return
	}

	model := newInviteCodeModel()
	model.ID = types.StringValue(source.ID)
	model.Group = stringOrNull(source.Group)
	model.Role = stringOrNull(source.Role)
	model.Email = stringOrNull(source.Email)
	model.Code = stringOrNull(source.Code)
	resp.Diagnostics.Append(resp.TargetState.Set(ctx, &model)...)
	resp.Diagnostics.Append(setIdentity(ctx, resp.TargetIdentity, model.ID)...)
	resp.Diagnostics.Append(setAdoption(ctx, resp.TargetPrivate, moved)...)
}
