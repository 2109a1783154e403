package acctest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	providerschema "github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// Stubs stand in for the other providers in examples, which tests cannot download. They have only the resources and
// attributes that examples use.
type Stubs struct {
	platform *Platform

	mu      sync.Mutex
	secrets []string
}

// Stubs returns stand-ins for other providers. The official provider's creates groups and invites on this platform.
func (p *Platform) Stubs() *Stubs { return &Stubs{platform: p} }

// Secrets returns what was written to the stand-in for AWS Secrets Manager, in order.
func (s *Stubs) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.secrets)
}

// Serve returns the provider under test and the stand-ins, by source address.
func (s *Stubs) Serve() map[string]ServerFactory {
	serve := s.platform.ServerOf()
	for source, stub := range map[string]*stub{
		"hashicorp/aws":  {name: "aws", resources: s.aws()},
		"hashicorp/http": {name: "http", dataSources: []func() datasource.DataSource{func() datasource.DataSource { return stubHTTP{} }}},
		"chainguard-dev/chainguard": {
			name:       "chainguard",
			attributes: map[string]providerschema.Attribute{"console_api": providerschema.StringAttribute{Optional: true}},
			resources:  s.official(),
		},
	} {
		serve[source] = providerserver.NewProtocol6WithError(stub)
	}
	return serve
}

// values are the string attributes of a resource; unset ones are "".
type values map[string]string

var (
	required = schema.StringAttribute{Required: true}
	optional = schema.StringAttribute{Optional: true}
	computed = schema.StringAttribute{Computed: true, PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()}}
)

func (s *Stubs) aws() []stubResource {
	return []stubResource{{
		name:       "aws_secretsmanager_secret",
		attributes: map[string]schema.Attribute{"name": required, "id": computed},
		create: func(v values) values {
			return values{"id": "arn:aws:secretsmanager:eu-west-1:000000000000:secret:" + v["name"]}
		},
	}, {
		name: "aws_secretsmanager_secret_version",
		attributes: map[string]schema.Attribute{
			"secret_id":                required,
			"secret_string":            schema.StringAttribute{Optional: true, Sensitive: true},
			"secret_string_wo":         schema.StringAttribute{Optional: true, Sensitive: true, WriteOnly: true},
			"secret_string_wo_version": schema.Int64Attribute{Optional: true},
			"id":                       computed,
		},
		create: func(v values) values {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.secrets = append(s.secrets, v["secret_string"]+v["secret_string_wo"])
			return values{"id": v["secret_id"] + "|AWSCURRENT"}
		},
	}}
}

func (s *Stubs) official() []stubResource {
	return []stubResource{{
		name: "chainguard_group",
		attributes: map[string]schema.Attribute{
			"name": required, "description": optional, "parent_id": optional, "id": computed,
		},
		create: func(v values) values {
			return values{"id": s.platform.AddGroup(v["parent_id"], v["name"], s.platform.Clock.Now())}
		},
	}, {
		name: "chainguard_group_invite",
		attributes: map[string]schema.Attribute{
			"group": required, "role": required, "expiration": required, "email": optional, "id": computed,
			"code": schema.StringAttribute{Computed: true, Sensitive: true, PlanModifiers: computed.PlanModifiers},
		},
		create: func(v values) values {
			end, err := time.Parse(time.RFC3339, v["expiration"])
			if err != nil {
				panic(err) // The test is wrong.
			}
			invite := s.platform.AddInvite(emulator.Invite{
				Group: v["group"], RoleUID: v["role"], Email: v["email"], TTL: end.Sub(s.platform.Clock.Now()),
			})
			return values{"id": invite.UID, "code": invite.Code}
		},
	}, {
		name: "chainguard_role",
		attributes: map[string]schema.Attribute{
			"parent_id": required, "name": required, "description": optional, "id": computed,
			"capabilities": schema.ListAttribute{ElementType: types.StringType, Required: true},
		},
		create: func(v values) values { return values{"id": s.platform.AddRole(v["parent_id"], v["name"])} },
	}, {
		name: "chainguard_identity",
		attributes: map[string]schema.Attribute{
			"parent_id": required, "name": required, "description": optional, "id": computed,
		},
		blocks: map[string]schema.Block{"claim_match": schema.SingleNestedBlock{Attributes: map[string]schema.Attribute{
			"issuer": optional, "subject": optional, "subject_pattern": optional, "audience": optional, "audience_pattern": optional,
		}}},
		create: func(v values) values { return values{"id": v["parent_id"] + "/5f0e2c9b7a41d386"} },
	}, {
		name:       "chainguard_rolebinding",
		attributes: map[string]schema.Attribute{"identity": required, "group": required, "role": required, "id": computed},
		create:     func(v values) values { return values{"id": v["group"] + "/00000000000000b1"} },
	}}
}

// stub is a provider of stubResources.
type stub struct {
	name        string
	attributes  map[string]providerschema.Attribute
	resources   []stubResource
	dataSources []func() datasource.DataSource
}

// Metadata implements [provider.Provider].
func (s *stub) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = s.name
}

// Schema implements [provider.Provider].
func (s *stub) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = providerschema.Schema{Attributes: s.attributes}
}

// Configure implements [provider.Provider].
func (s *stub) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {}

// DataSources implements [provider.Provider].
func (s *stub) DataSources(context.Context) []func() datasource.DataSource { return s.dataSources }

// Resources implements [provider.Provider].
func (s *stub) Resources(context.Context) []func() resource.Resource {
	var all []func() resource.Resource
	for _, r := range s.resources {
		all = append(all, func() resource.Resource { return &r })
	}
	return all
}

// stubResource stores its configuration in the state, and what create returns on every create and update.
type stubResource struct {
	name       string
	attributes map[string]schema.Attribute
	blocks     map[string]schema.Block
	create     func(values) values
}

// Metadata implements [resource.Resource].
func (r *stubResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = r.name
}

// Schema implements [resource.Resource].
func (r *stubResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{Attributes: r.attributes, Blocks: r.blocks}
}

// Create implements [resource.Resource].
func (r *stubResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	resp.State.Raw = req.Plan.Raw
	resp.Diagnostics.Append(r.write(ctx, req.Config, &resp.State)...)
}

// Read implements [resource.Resource].
func (r *stubResource) Read(context.Context, resource.ReadRequest, *resource.ReadResponse) {}

// Update implements [resource.Resource].
func (r *stubResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	resp.State.Raw = req.Plan.Raw
	resp.Diagnostics.Append(r.write(ctx, req.Config, &resp.State)...)
}

// Delete implements [resource.Resource].
func (r *stubResource) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}

func (r *stubResource) write(ctx context.Context, config tfsdk.Config, state *tfsdk.State) (diags diag.Diagnostics) {
	given := values{}
	for name, attribute := range r.attributes {
		if attribute.GetType() == types.StringType {
			var value types.String
			diags.Append(config.GetAttribute(ctx, path.Root(name), &value)...)
			given[name] = value.ValueString()
		}
		if attribute.IsWriteOnly() { // Terraform refuses a state with a write-only value.
			diags.Append(state.SetAttribute(ctx, path.Root(name), types.StringNull())...)
		}
	}
	for name, value := range r.create(given) {
		diags.Append(state.SetAttribute(ctx, path.Root(name), value)...)
	}
	return diags
}
