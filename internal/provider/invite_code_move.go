package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/refs"
)

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
