package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/refs"
)

// ImportState implements [resource.ResourceWithImportState]. An invite is imported by its UIDP, as the ID or as the
// identity. Terraform reads it next.
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

// shownID returns as much of an import ID as may be shown: it may be a code.
func shownID(text string) string {
	const shown, organization = 12, 40 // characters; a UIDP without a slash is an organization's
	if len(text) > shown && len(text) != organization {
		return redact.Text(text[:shown]) + "…"
	}
	return redact.Text(text)
}

// warnImported says after an import that the code is not known.
func warnImported(diags *diag.Diagnostics) {
	diags.AddWarning(summaryImportedNoCode,
		"The platform returns an invite code only when it is created, so `code` of the imported resource is null. All other attributes are "+
			"read. To get a code, create a new one, which revokes the imported one: run `terraform apply -replace=ADDRESS`, or change "+
			"`rotation_triggers` later.")
}

// addImportNotFound says that the invite to import does not exist, or is a group.
func addImportNotFound(ctx context.Context, client *platform.Client, id string, cause error, diags *diag.Diagnostics) {
	if isGroup, err := client.IsGroup(ctx, id); err == nil && isGroup {
		diags.AddError(summaryInvalidImportID, fmt.Sprintf(
			"%s is a group. Import the invite by its own UIDP. List the invites of this group with `chainctl iam invites list --parent %s`.", id, id))
		return
	}
	diags.AddError(summaryInviteNotFound, fmt.Sprintf(
		"Invite %s does not exist or is not visible to the identity that Terraform uses. It may have been accepted (if it was single-use) or "+
			"deleted. List invites with `chainctl iam invites list`.\n\n%v", id, redact.Text(cause.Error())))
}

const (
	officialType     = "chainguard_group_invite"
	officialProvider = "chainguard-dev/chainguard" // In any registry: OpenTofu has its own.
)

// officialState is the state of the official provider's chainguard_group_invite. Its `expiration` is left out: the
// platform returns it with more precision.
type officialState struct {
	ID    string `json:"id"`
	Group string `json:"group"`
	Role  string `json:"role"`
	Email string `json:"email"`
	Code  string `json:"code"`
}

// MoveState implements [resource.ResourceWithMoveState]: a `moved` block takes over an invite from the official provider,
// with its code. The other attributes are read next; Terraform does not configure the provider for a move.
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
	// Neither the state nor the parser's error, which quotes it, is shown: they hold the code.
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

// adoption says how an invite came into the state, which its private state holds. It is not known with which ttl an
// adopted invite was created, nor on which triggers it depends, and that must not replace it.
type adoption string

const (
	notAdopted adoption = ""         // It was created by this resource.
	imported   adoption = "imported" // It was imported, and has not been read yet.
	moved      adoption = "moved"    // It was moved from the official provider, and has not been read yet.
	adopted    adoption = "adopted"  // It was imported or moved, and has been read.
)

// isUnread reports whether the state holds only what the import or the move has set.
func (a adoption) isUnread() bool { return a == imported || a == moved }

const adoptionKey = "adopted"

// privateState is what requests and responses have as Private.
type privateState interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

func adoptionOf(ctx context.Context, private privateState, diags *diag.Diagnostics) adoption {
	value, d := private.GetKey(ctx, adoptionKey)
	diags.Append(d...)
	if string(value) == "true" {
		return adopted // Written before adoption had several values.
	}
	var a adoption
	if json.Unmarshal(value, &a) != nil {
		return notAdopted
	}
	return a
}

func setAdoption(ctx context.Context, private privateState, a adoption) diag.Diagnostics {
	return private.SetKey(ctx, adoptionKey, []byte(`"`+a+`"`))
}
