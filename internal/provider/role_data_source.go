package provider

import (
	"cmp"
	"context"
	"fmt"

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
		MarkdownDescription: "A role: what whoever has it in a group may do there. Exactly one of `name` and `id` must be set.\n\n" +
			"Works with Terraform 1.0 and OpenTofu 1.6, or later.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the role, such as `viewer`. Where several roles have it, the error lists them.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.String{roleReference},
			},
			"group": schema.StringAttribute{
				MarkdownDescription: "Group in which the role is to be given: a name, names from the organization down joined by `/`, or a UIDP. " +
					"Then `name` means a role that can be given there: one of Chainguard's own, or a custom role of the group or of a group " +
					"above it. Without it, `name` means any role that you can see.",
				Optional: true,
				Validators: []validator.String{
					groupReference,
					stringvalidator.ConflictsWith(path.MatchRoot("id")),
				},
			},
			"id": schema.StringAttribute{
				MarkdownDescription: "UIDP of the role.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.String{uidpReference},
			},
			"description": schema.StringAttribute{
				MarkdownDescription: "What people wrote of the role. Null if nothing.",
				Computed:            true,
			},
			"capabilities": schema.ListAttribute{
				MarkdownDescription: "What the role allows, such as `groups.list`, sorted. A capability that is newer than this provider is a " +
					"number.",
				ElementType: types.StringType,
				Computed:    true,
			},
			"managed": schema.BoolAttribute{
				MarkdownDescription: "Whether the role is one of Chainguard's own, which every organization has, and not a custom one.",
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

// FromAPI takes over what the platform tells of a role.
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
	scope := d.session.scope(ctx, model.Group, types.BoolNull(), &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	role, err := lookUpRole(ctx, client, cmp.Or(model.ID.ValueString(), model.Name.ValueString()), scope.GroupID)
	switch {
	case platform.IsNotFound(err):
		resp.Diagnostics.AddError("Role Not Found", fmt.Sprintf(
			"There is no role %s that this identity can see. `chainctl iam roles list` shows those it can.",
			cmp.Or(model.ID.ValueString(), model.Name.ValueString())))
	case err != nil:
		addNameError(&resp.Diagnostics, path.Root("name"), "Role Not Read", err)
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
