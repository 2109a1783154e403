package provider

import (
	"cmp"
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/datasourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/refs"
)

var (
	_ datasource.DataSource                     = (*roleDataSource)(nil)
	_ datasource.DataSourceWithConfigure        = (*roleDataSource)(nil)
	_ datasource.DataSourceWithConfigValidators = (*roleDataSource)(nil)
)

func newRoleDataSource() datasource.DataSource { return &roleDataSource{} }

// roleDataSource is chainguard_role: a set of capabilities that is granted in a group.
type roleDataSource struct{ session *session }

// Metadata implements [datasource.DataSource].
func (d *roleDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_role"
}

// Configure implements [datasource.DataSourceWithConfigure].
func (d *roleDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema implements [datasource.DataSource].
func (d *roleDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Looks up a role, which defines what its holders may do in a group. Exactly one of `name` and `id` must be set.\n\n" +
			"Requires Terraform 1.0 or OpenTofu 1.6, or later.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the role, such as `viewer`. If several roles have the name, the error lists them.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.String{roleReference},
			},
			"group": schema.StringAttribute{
				MarkdownDescription: "Group to grant the role in: " + groupForms + ". `name` is then one of Chainguard's built-in " +
					"roles, or a custom role of the group or of a group above it. Defaults to the provider's `group`. With neither, `name` is " +
					"any visible role, and a built-in role takes precedence.",
				Optional: true,
				Validators: []validator.String{
					groupReference,
					stringvalidator.ConflictsWith(path.MatchRoot("id")),
				},
			},
			"id": schema.StringAttribute{
				MarkdownDescription: roleIDDescription,
				Optional:            true,
				Computed:            true,
				Validators:          []validator.String{uidpReference},
			},
			"description": schema.StringAttribute{
				MarkdownDescription: "Description of the role. Null if unset.",
				Computed:            true,
			},
			"capabilities": schema.ListAttribute{
				MarkdownDescription: "Capabilities of the role, such as `groups.list`, sorted. A capability that this version of the provider does " +
					"not know is a number.",
				ElementType: types.StringType,
				Computed:    true,
			},
			"managed": schema.BoolAttribute{
				MarkdownDescription: "Whether the role is one of Chainguard's built-in roles, and not a custom role.",
				Computed:            true,
			},
		},
	}
}

// ConfigValidators implements [datasource.DataSourceWithConfigValidators].
func (d *roleDataSource) ConfigValidators(context.Context) []datasource.ConfigValidator {
	return []datasource.ConfigValidator{datasourcevalidator.ExactlyOneOf(path.MatchRoot("name"), path.MatchRoot("id"))}
}

type roleModel struct {
	Name         types.String `tfsdk:"name"`
	Group        types.String `tfsdk:"group"`
	ID           types.String `tfsdk:"id"`
	Description  types.String `tfsdk:"description"`
	Capabilities types.List   `tfsdk:"capabilities"`
	Managed      types.Bool   `tfsdk:"managed"`
}

// FromAPI sets the attributes from a response of the platform.
func (m *roleModel) FromAPI(ctx context.Context, role platform.Role) diag.Diagnostics {
	if m.Name.IsNull() {
		m.Name = types.StringValue(role.Name)
	}
	m.ID = types.StringValue(role.ID)
	m.Description = stringOrNull(role.Description)
	m.Managed = types.BoolValue(role.Managed())
	var diags diag.Diagnostics
	m.Capabilities, diags = types.ListValueFrom(ctx, types.StringType, append([]string{}, role.Capabilities...))
	return diags
}

// Read implements [datasource.DataSource].
func (d *roleDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model roleModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	client := d.session.client(&resp.Diagnostics)
	var groupID string
	if group := d.session.groupOrDefault(model.Group); !model.Name.IsNull() && !group.IsNull() {
		groupID = d.session.scope(ctx, group, types.BoolNull(), &resp.Diagnostics).GroupID
	}
	if resp.Diagnostics.HasError() {
		return
	}
	reference := cmp.Or(model.ID.ValueString(), model.Name.ValueString())
	role, err := lookUpRole(ctx, client, reference, groupID)
	switch {
	case platform.IsNotFound(err):
		addRoleNotFound(&resp.Diagnostics, attributeSet(model.ID), reference)
	case err != nil:
		addNameError(&resp.Diagnostics, path.Root("name"), summaryReadRole, err)
	default:
		resp.Diagnostics.Append(model.FromAPI(ctx, role)...)
		resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
	}
}

func lookUpRole(ctx context.Context, client *platform.Client, reference, groupID string) (platform.Role, error) {
	if refs.IsUIDP(reference) {
		return client.ReadRole(ctx, reference)
	}
	return client.FindRole(ctx, reference, groupID)
}
