package provider

import (
	"cmp"
	"context"
	"fmt"

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
		MarkdownDescription: "A group: an organization, or a folder in one. Exactly one of `name` and `id` must be set.\n\n" +
			"Works with Terraform 1.0 and OpenTofu 1.6, or later.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the group, or names from the organization down joined by `/` (`acme.example/platform`). Where " +
					"several groups have the name, it means the verified organization; if there is none, the error lists the groups. Of a " +
					"group that is found by its `id`, this is the name alone.",
				Optional:   true,
				Computed:   true,
				Validators: []validator.String{groupReference},
			},
			"id": schema.StringAttribute{
				MarkdownDescription: "UIDP of the group.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.String{uidpReference},
			},
			"description": schema.StringAttribute{
				MarkdownDescription: "What people wrote of the group. Null if nothing.",
				Computed:            true,
			},
			"parent_id": schema.StringAttribute{
				MarkdownDescription: "UIDP of the group that this one is a folder of. Null for an organization.",
				Computed:            true,
			},
			"verified": schema.BoolAttribute{
				MarkdownDescription: "Whether Chainguard verified the organization. Only verified organizations have a globally unique name.",
				Computed:            true,
			},
			"created_at": schema.StringAttribute{
				MarkdownDescription: "When the group was made (RFC 3339, UTC). Null if the platform does not tell.",
				Computed:            true,
			},
			"updated_at": schema.StringAttribute{
				MarkdownDescription: "When the group was last changed (RFC 3339, UTC). Null if the platform does not tell.",
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

// FromAPI takes over what the platform tells of a group. A name from the configuration stays: it may be a path, and
// what a configuration says must come out as it went in.
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
	group, err := lookUpGroup(ctx, client, cmp.Or(model.ID.ValueString(), model.Name.ValueString()))
	switch {
	case platform.IsNotFound(err):
		resp.Diagnostics.AddError("Group Not Found", fmt.Sprintf(
			"There is no group %s that this identity can see. `chainctl iam organizations list` and `chainctl iam folders list` show those it "+
				"can.", cmp.Or(model.ID.ValueString(), model.Name.ValueString())))
	case err != nil:
		addNameError(&resp.Diagnostics, path.Root("name"), "Group Not Read", err)
	default:
		model.FromAPI(group)
		resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
	}
}

func lookUpGroup(ctx context.Context, client *platform.Client, reference string) (platform.Group, error) {
	if refs.IsUIDP(reference) {
		return client.ReadGroup(ctx, reference)
	}
	return client.FindGroup(ctx, reference)
}
