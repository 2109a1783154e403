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

// inviteCodesDataSource is chainguard_invite_codes, which lists existing invites.
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
		MarkdownDescription: "Lists existing invites, including those created outside Terraform. Codes are not included, because the " +
			"platform returns them only at creation.\n\n" +
			"Requires Terraform 1.0 or OpenTofu 1.6, or later.",
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
				MarkdownDescription: searchIncludeExpiredDescription,
				Optional:            true,
			},
			"invite_codes": schema.ListNestedAttribute{
				MarkdownDescription: "The invites that match, oldest first.",
				Computed:            true,
				NestedObject: schema.NestedAttributeObject{
					Attributes: map[string]schema.Attribute{
						"id":        schema.StringAttribute{MarkdownDescription: inviteIDDescription + " An invite is imported by it.", Computed: true},
						"group_id":  schema.StringAttribute{MarkdownDescription: groupIDDescription, Computed: true},
						"role_id":   schema.StringAttribute{MarkdownDescription: roleIDDescription, Computed: true},
						"role_name": schema.StringAttribute{MarkdownDescription: roleNameDescription, Computed: true},
						"email": schema.StringAttribute{
							MarkdownDescription: "Email address that is allowed to accept the invite. Null if anyone with the code can.",
							Computed:            true,
						},
						"single_use": schema.BoolAttribute{
							MarkdownDescription: "Whether the code can be accepted only once.",
							Computed:            true,
						},
						"key_id": schema.StringAttribute{
							MarkdownDescription: "ID of the key that verifies the code. Treated as sensitive, because it is not documented as public.",
							Computed:            true,
							Sensitive:           true,
						},
						"created_at": schema.StringAttribute{MarkdownDescription: createdAtDescription, Computed: true},
						"expires_at": schema.StringAttribute{MarkdownDescription: expiresAtDescription, Computed: true},
						"status": schema.StringAttribute{
							MarkdownDescription: "`active`, or `expired` if the invite had expired when it was read.",
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

// listedInviteModel is an invite in the list.
type listedInviteModel struct {
	inviteFacts

	KeyID  types.String `tfsdk:"key_id"`
	Status types.String `tfsdk:"status"`
}

// FromAPI sets the attributes from a listing of the platform.
func (m *listedInviteModel) FromAPI(invite *platform.Invite) {
	m.inviteFacts.FromAPI(invite)
	m.KeyID = stringOrNull(invite.KeyID.Reveal())
	m.Status = types.StringValue(statusOf(invite.CreatedAt, invite.ExpiresAt, 0, invite.AsOf))
}

// Read implements [datasource.DataSource].
func (d *inviteCodesDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model inviteCodesModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	var found []*platform.Invite
	for invite := range d.session.find(ctx, model.inviteSearch, &resp.Diagnostics) {
		found = append(found, invite)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	slices.SortFunc(found, func(a, b *platform.Invite) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	model.InviteCodes = make([]listedInviteModel, len(found)) // Not nil, because without invites the list is empty and not null.
	for i, invite := range found {
		model.InviteCodes[i].FromAPI(invite)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
}
