package provider

import (
	"cmp"
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
)

var (
	_ datasource.DataSource              = (*inviteCodesDataSource)(nil)
	_ datasource.DataSourceWithConfigure = (*inviteCodesDataSource)(nil)
)

func newInviteCodesDataSource() datasource.DataSource { return &inviteCodesDataSource{} }

// inviteCodesDataSource is chainguard_invite_codes: the invites there are, whoever made them.
type inviteCodesDataSource struct{ session *session }

// Metadata implements [datasource.DataSource].
func (d *inviteCodesDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_invite_codes"
}

// Configure implements [datasource.DataSourceWithConfigure].
func (d *inviteCodesDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema implements [datasource.DataSource].
func (d *inviteCodesDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The invites there are, whoever made them: everything but their codes, which the platform shows to nobody " +
			"again. It finds invites that no configuration manages, and those that are about to expire.\n\n" +
			"Works with Terraform 1.0 and OpenTofu 1.6, or later.",
		Attributes: map[string]schema.Attribute{
			"group": schema.StringAttribute{
				MarkdownDescription: searchGroupText,
				Optional:            true,
				Validators:          []validator.String{groupReference},
			},
			"recursive": schema.BoolAttribute{
				MarkdownDescription: searchRecursiveText,
				Optional:            true,
			},
			"email": schema.StringAttribute{
				MarkdownDescription: searchEmailText,
				Optional:            true,
				Validators:          []validator.String{bareEmail},
			},
			"role": schema.StringAttribute{
				MarkdownDescription: searchRoleText,
				Optional:            true,
				Validators:          []validator.String{roleReference},
			},
			"single_use": schema.BoolAttribute{
				MarkdownDescription: searchSingleUseText,
				Optional:            true,
			},
			"include_expired": schema.BoolAttribute{
				MarkdownDescription: searchIncludeExpiredText,
				Optional:            true,
			},
			"invite_codes": schema.ListNestedAttribute{
				MarkdownDescription: "The invites, the oldest first.",
				Computed:            true,
				NestedObject: schema.NestedAttributeObject{
					Attributes: map[string]schema.Attribute{
						"id": schema.StringAttribute{
							MarkdownDescription: "UIDP of the invite. It is what an invite is imported by.",
							Computed:            true,
						},
						"group_id": schema.StringAttribute{
							MarkdownDescription: "UIDP of the group that the invitee joins.",
							Computed:            true,
						},
						"role_id": schema.StringAttribute{
							MarkdownDescription: "UIDP of the role that the invitee gets there.",
							Computed:            true,
						},
						"role_name": schema.StringAttribute{
							MarkdownDescription: "Name of the role. Null if the role has been deleted since.",
							Computed:            true,
						},
						"email": schema.StringAttribute{
							MarkdownDescription: "Only address that may redeem the code. Null if anybody who has the code can.",
							Computed:            true,
						},
						"single_use": schema.BoolAttribute{
							MarkdownDescription: "Whether the code can be redeemed once only.",
							Computed:            true,
						},
						"key_id": schema.StringAttribute{
							MarkdownDescription: "ID of the key that verifies the code. Sources differ on whether it may be known, so it is treated " +
								"as a secret.",
							Computed:  true,
							Sensitive: true,
						},
						"created_at": schema.StringAttribute{
							MarkdownDescription: "When the invite was made, by the platform's clock (RFC 3339, UTC).",
							Computed:            true,
						},
						"expires_at": schema.StringAttribute{
							MarkdownDescription: "When the invite ends, by the platform's clock (RFC 3339, UTC).",
							Computed:            true,
						},
						"status": schema.StringAttribute{
							MarkdownDescription: "`active`, or `expired` if the invite's time was over when it was read.",
							Computed:            true,
						},
					},
				},
			},
		},
	}
}

type inviteCodesModel struct {
	inviteSearch

	InviteCodes []listedInviteModel `tfsdk:"invite_codes"`
}

// listedInviteModel is an invite as a listing shows it.
type listedInviteModel struct {
	inviteFacts

	KeyID  types.String `tfsdk:"key_id"`
	Status types.String `tfsdk:"status"`
}

// FromAPI takes over what the platform tells of an invite in a listing.
func (m *listedInviteModel) FromAPI(invite platform.Listed) {
	m.inviteFacts.FromAPI(invite.Invite)
	m.KeyID = stringOrNull(invite.KeyID)
	m.Status = types.StringValue(statusOf(invite.Invite, 0, invite.AsOf))
}

// Read implements [datasource.DataSource].
func (d *inviteCodesDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model inviteCodesModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	var found []platform.Listed
	for invite := range d.session.find(ctx, model.inviteSearch, &resp.Diagnostics) {
		found = append(found, invite)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	slices.SortFunc(found, func(a, b platform.Listed) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	model.InviteCodes = make([]listedInviteModel, len(found)) // Not nil, which would be null: none found is an empty list.
	for i, invite := range found {
		model.InviteCodes[i].FromAPI(invite)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
}
