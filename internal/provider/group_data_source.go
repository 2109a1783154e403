package provider

import (
	"cmp"
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/datasourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/refs"
)

var (
	_ datasource.DataSource                     = (*groupDataSource)(nil)
	_ datasource.DataSourceWithConfigure        = (*groupDataSource)(nil)
	_ datasource.DataSourceWithConfigValidators = (*groupDataSource)(nil)
)

func newGroupDataSource() datasource.DataSource { return &groupDataSource{} }

// groupDataSource is chainguard_group: an organization or a folder.
type groupDataSource struct{ session *session }

// Metadata implements [datasource.DataSource].
func (d *groupDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_group"
}

// Configure implements [datasource.DataSourceWithConfigure].
func (d *groupDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema implements [datasource.DataSource].
func (d *groupDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Looks up a group: an organization, or a folder in one. Exactly one of `name` and `id` must be set.\n\n" +
			"Requires Terraform 1.0 or OpenTofu 1.6, or later.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the group, or a path of names from the organization down (`acme.example/platform`). If several " +
					"groups have the name, the verified organization is returned; if there is none, the error lists the groups. If the group " +
					"is looked up by `id`, this is its name without a path.",
				Optional:   true,
				Computed:   true,
				Validators: []validator.String{groupReference},
			},
			"id": schema.StringAttribute{
				MarkdownDescription: groupIDDescription,
				Optional:            true,
				Computed:            true,
				Validators:          []validator.String{uidpReference},
			},
			"description": schema.StringAttribute{
				MarkdownDescription: "Description of the group. Null if unset.",
				Computed:            true,
			},
			"parent_id": schema.StringAttribute{
				MarkdownDescription: "UIDP of the parent group. Null for an organization.",
				Computed:            true,
			},
			"verified": schema.BoolAttribute{
				MarkdownDescription: "Whether Chainguard has verified the organization. Only names of verified organizations are globally unique.",
				Computed:            true,
			},
			"created_at": schema.StringAttribute{
				MarkdownDescription: "Creation time of the group, in RFC 3339 format (UTC). Null if the platform does not return it.",
				Computed:            true,
			},
			"updated_at": schema.StringAttribute{
				MarkdownDescription: "Time of the last update of the group, in RFC 3339 format (UTC). Null if the platform does not return it.",
				Computed:            true,
			},
		},
	}
}

// ConfigValidators implements [datasource.DataSourceWithConfigValidators].
func (d *groupDataSource) ConfigValidators(context.Context) []datasource.ConfigValidator {
	return []datasource.ConfigValidator{datasourcevalidator.ExactlyOneOf(path.MatchRoot("name"), path.MatchRoot("id"))}
}

type groupModel struct {
	Name        types.String `tfsdk:"name"`
	ID          types.String `tfsdk:"id"`
	Description types.String `tfsdk:"description"`
	ParentID    types.String `tfsdk:"parent_id"`
	Verified    types.Bool   `tfsdk:"verified"`
	CreatedAt   types.String `tfsdk:"created_at"`
	UpdatedAt   types.String `tfsdk:"updated_at"`
}

// FromAPI sets the attributes from a response of the platform. It keeps a configured name, which may be a path, because
// Terraform rejects a different value.
func (m *groupModel) FromAPI(group platform.Group) {
	if m.Name.IsNull() {
		m.Name = types.StringValue(group.Name)
	}
	m.ID = types.StringValue(group.ID)
	m.Description = stringOrNull(group.Description)
	m.ParentID = stringOrNull(group.ParentID())
	m.Verified = types.BoolValue(group.Verified)
	m.CreatedAt = timeOrNull(group.CreatedAt)
	m.UpdatedAt = timeOrNull(group.UpdatedAt)
}

// Read implements [datasource.DataSource].
func (d *groupDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model groupModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	client := d.session.client(&resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	reference := cmp.Or(model.ID.ValueString(), model.Name.ValueString())
	group, err := lookUpGroup(ctx, client, reference)
	switch {
	case platform.IsNotFound(err):
		addGroupNotFound(&resp.Diagnostics, attributeSet(model.ID), reference)
	case err != nil:
		addNameError(&resp.Diagnostics, path.Root("name"), summaryReadGroup, err)
	default:
		model.FromAPI(group)
		resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
	}
}

// attributeSet returns the path of the attribute that selects the group or role.
func attributeSet(id types.String) path.Path {
	if id.IsNull() {
		return path.Root("name")
	}
	return path.Root("id")
}

func lookUpGroup(ctx context.Context, client *platform.Client, reference string) (platform.Group, error) {
	if refs.IsUIDP(reference) {
		return client.ReadGroup(ctx, reference)
	}
	return client.FindGroup(ctx, reference)
}
