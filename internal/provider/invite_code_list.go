package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

var (
	_ list.ListResource              = (*inviteCodeList)(nil)
	_ list.ListResourceWithConfigure = (*inviteCodeList)(nil)
)

func newInviteCodeList() list.ListResource { return &inviteCodeList{} }

// inviteCodeList is the list resource chainguard_invite_code.
type inviteCodeList struct{ session *session }

// Metadata implements [list.ListResource]. The type is the same as the resource's.
func (l *inviteCodeList) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_invite_code"
}

// Configure implements [list.ListResourceWithConfigure].
func (l *inviteCodeList) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	l.session = configured(req.ProviderData, &resp.Diagnostics)
}

// ListResourceConfigSchema implements [list.ListResource].
func (l *inviteCodeList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists existing invites with `terraform query`, including those created outside Terraform, so that they can be " +
			"imported: `terraform query -generate-config-out=invites.tf` writes the configuration. Codes are not included, because the " +
			"platform returns them only at creation.\n\n" +
			"Terraform stops at the `limit` of the `list` block, which defaults to 100. The newest invites come first.\n\n" +
			"Requires Terraform 1.14 or later. OpenTofu does not support queries; use the data source `chainguard_invite_codes` instead.",
		Attributes: map[string]schema.Attribute{
			"group": schema.StringAttribute{
				MarkdownDescription: searchGroupDescription,
				Optional:            true,
				Validators:          []validator.String{groupReference},
			},
			"recursive": schema.BoolAttribute{
				MarkdownDescription: searchRecursiveDescription,
				Optional:            true,
			},
			"email": schema.StringAttribute{
				MarkdownDescription: searchEmailDescription,
				Optional:            true,
				Validators:          []validator.String{bareEmail},
			},
			"role": schema.StringAttribute{
				MarkdownDescription: searchRoleDescription,
				Optional:            true,
				Validators:          []validator.String{roleReference},
			},
			"single_use": schema.BoolAttribute{
				MarkdownDescription: searchSingleUseDescription,
				Optional:            true,
			},
			"include_expired": schema.BoolAttribute{
				MarkdownDescription: searchIncludeExpiredDescription + " An expired invite that is imported is replaced by the next apply, unless " +
					"`recreate` is `never`.",
				Optional: true,
			},
		},
	}
}

// List implements [list.ListResource]. It does all work while the results are consumed, and pushes errors as results,
// because the framework ignores other diagnostics.
func (l *inviteCodeList) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	stream.Results = func(push func(list.ListResult) bool) {
		var diags diag.Diagnostics
		var search inviteSearch
		diags.Append(req.Config.Get(ctx, &search)...)
		wanted := diags.HasError() || l.pushAll(ctx, req, search, push, &diags)
		if wanted && len(diags) > 0 {
			push(list.ListResult{Diagnostics: diags})
		}
	}
}

// pushAll pushes the matching invites, and adds errors to diags. It reports whether Terraform wants more.
func (l *inviteCodeList) pushAll(ctx context.Context, req list.ListRequest, search inviteSearch, push func(list.ListResult) bool, diags *diag.Diagnostics) (wanted bool) {
	groups := groupPaths{}
	pushed := int64(0)
	for invite := range l.session.find(ctx, search, diags) {
		result := req.NewListResult(ctx)
		result.DisplayName = displayName(invite, groups.path(ctx, l.session, invite.GroupID))
		result.Diagnostics.Append(setIdentity(ctx, result.Identity, types.StringValue(invite.ID))...)
		if req.IncludeResource {
			model := newInviteCodeModel()
			model.setFound(invite, invite.AsOf)
			result.Diagnostics.Append(result.Resource.Set(ctx, &model)...)
		}
		if !push(result) {
			return false
		}
		if pushed++; pushed == req.Limit {
			break
		}
	}
	return true
}

// displayName returns the description of an invite in a list.
func displayName(invite *platform.Invite, group string) string {
	role := invite.RoleName
	if role == "" {
		role = "role " + invite.RoleID
	}
	invitee := invite.Email
	if invitee == "" {
		invitee = "anyone"
	}
	return redact.Text(fmt.Sprintf("%s for %s in %s until %s", role, invitee, group, invite.ExpiresAt.UTC().Format("2006-01-02 15:04 UTC")))
}

// groupPaths caches the paths of groups by UIDP.
type groupPaths map[string]string

// path returns the path of a group, or its UIDP if groups cannot be listed.
func (p groupPaths) path(ctx context.Context, s *session, id string) string {
	if path, ok := p[id]; ok {
		return path
	}
	p[id] = id
	var ignored diag.Diagnostics
	if client := s.client(&ignored); client != nil {
		if path, err := client.GroupPath(ctx, id); err == nil {
			p[id] = path
		}
	}
	return p[id]
}
