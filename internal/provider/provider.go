// Package provider is what Terraform sees: schemas, plans, and the life of the things that a user can write. It asks
// the platform package for everything that goes over the wire.
package provider

import (
	"context"
	"runtime"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/auth"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
)

// Address is where the provider is found in a registry.
const Address = "registry.terraform.io/chainguard-invites/chainguard"

// typeName is what the names of the provider's resources begin with.
const typeName = "chainguard"

var (
	_ provider.Provider                       = (*chainguardProvider)(nil)
	_ provider.ProviderWithValidateConfig     = (*chainguardProvider)(nil)
	_ provider.ProviderWithEphemeralResources = (*chainguardProvider)(nil)
	_ provider.ProviderWithListResources      = (*chainguardProvider)(nil)
	_ provider.ProviderWithActions            = (*chainguardProvider)(nil)
)

// Option changes what a provider takes from the outside world. Those that are exported are for tests.
type Option func(*chainguardProvider)

// WithClock has the provider tell the time by c.
func WithClock(c clock.Clock) Option { return func(p *chainguardProvider) { p.clock = c } }

// WithEnvironment has the provider read environment variables and files through e.
func WithEnvironment(e config.Environment) Option {
	return func(p *chainguardProvider) { p.environment = e }
}

// WithSignIn has the provider sign in with options of login that change changes.
func WithSignIn(change func(*auth.Options)) Option {
	return func(p *chainguardProvider) { p.signIn = change }
}

// WithSleep has the provider wait by calling sleep, which returns early with the error of its context.
func WithSleep(sleep func(ctx context.Context, d time.Duration) error) Option {
	return func(p *chainguardProvider) { p.sleep = sleep }
}

// withOpened has the provider note in o which ephemeral invites are to be revoked.
func withOpened(o *openedInvites) Option { return func(p *chainguardProvider) { p.opened = o } }

// New is the provider, of the version that it tells the platform and Terraform.
func New(version string, options ...Option) func() provider.Provider {
	return func() provider.Provider {
		p := &chainguardProvider{
			version:     version,
			clock:       clock.Real{},
			environment: config.OSEnvironment(),
			opened:      new(openedInvites),
		}
		for _, option := range options {
			option(p)
		}
		return p
	}
}

type chainguardProvider struct {
	version     string
	clock       clock.Clock
	environment config.Environment
	sleep       func(context.Context, time.Duration) error
	signIn      func(*auth.Options)
	opened      *openedInvites
}

// Metadata implements [provider.Provider].
func (p *chainguardProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = typeName
	resp.Version = p.version
}

// Schema implements [provider.Provider].
func (p *chainguardProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Manages invite codes of the [Chainguard](https://www.chainguard.dev) platform: what " +
			"`chainctl iam invites` does, from Terraform.",
		Attributes: map[string]schema.Attribute{
			"api": schema.StringAttribute{
				MarkdownDescription: "URL of the Chainguard API. Default: `https://console-api.enforce.dev`. Environment: " +
					"`CHAINGUARD_PLATFORM_API`, `CHAINGUARD_CONSOLE_API`; chainctl's configuration: `platform.api`.",
				Optional: true,
			},
			"audience": schema.StringAttribute{
				MarkdownDescription: "Audience that the token must be for. Default: the value of `api`. Environment: " +
					"`CHAINGUARD_PLATFORM_AUDIENCE`, `CHAINGUARD_AUDIENCE`; chainctl's configuration: `platform.audience`.",
				Optional: true,
			},
			"issuer": schema.StringAttribute{
				MarkdownDescription: "URL of the issuer that exchanges and renews tokens. Default: the value of `api` with " +
					"`console-api` in its host replaced by `issuer`. Environment: `CHAINGUARD_PLATFORM_ISSUER`; chainctl's " +
					"configuration: `platform.issuer`.",
				Optional: true,
			},
			"config": schema.StringAttribute{
				MarkdownDescription: "Path of chainctl's configuration file. Default: where chainctl looks for it, " +
					"`./chainctl/config.yaml`, then `chainctl/config.yaml` in the user's configuration folder, then " +
					"`~/.chainguard/config.yaml`. Environment: `CHAINCTL_CONFIG`.",
				Optional: true,
			},
			"group": schema.StringAttribute{
				MarkdownDescription: "Group of the invite codes that name none: a name, names joined by `/`, or a UIDP. " +
					"Environment: `CHAINGUARD_DEFAULT_GROUP`; chainctl's configuration: `default.group`.",
				Optional: true,
			},
			"token": schema.StringAttribute{
				MarkdownDescription: "Chainguard token to call the API with. It cannot be renewed, so it has to outlive the " +
					"run. Environment: `CHAINGUARD_TOKEN`.",
				Optional:  true,
				Sensitive: true,
			},
			"identity": schema.StringAttribute{
				MarkdownDescription: "UIDP of the Chainguard identity to assume with an OIDC token. Environment: " +
					"`CHAINGUARD_IDENTITY`, `TF_CHAINGUARD_IDENTITY`.",
				Optional: true,
			},
			"identity_token": schema.StringAttribute{
				MarkdownDescription: "OIDC token to exchange for a Chainguard one, or the path of a file that holds it. A " +
					"file is read again whenever the Chainguard token is renewed. Environment: `CHAINGUARD_IDENTITY_TOKEN`, " +
					"`TF_CHAINGUARD_IDENTITY_TOKEN`.",
				Optional:  true,
				Sensitive: true,
			},
			"identity_provider": schema.StringAttribute{
				MarkdownDescription: "UIDP of the custom identity provider to sign in with in the browser. Environment: " +
					"`TF_CHAINGUARD_IDP`; chainctl's configuration: `default.identity-provider`.",
				Optional: true,
			},
			"org_name": schema.StringAttribute{
				MarkdownDescription: "Verified organization whose identity provider to sign in with in the browser. " +
					"Environment: `TF_CHAINGUARD_ORG_NAME`; chainctl's configuration: `default.org-name`.",
				Optional: true,
			},
			"social_login": schema.StringAttribute{
				MarkdownDescription: "Social login to sign in with in the browser: `email`, `google`, `github` or `gitlab`. " +
					"Environment: `TF_CHAINGUARD_AUTH0_CONNECTION`; chainctl's configuration: `default.social-login`.",
				Optional: true,
			},
			"login": schema.StringAttribute{
				MarkdownDescription: "What to do where no token is found: `never` sign in, which is the default, or open the " +
					"`browser`. Environment: `CHAINGUARD_LOGIN`.",
				Optional: true,
			},
			"request_timeout": schema.StringAttribute{
				MarkdownDescription: "How long one call of the API may take, such as `10s` or `1m`. Default: `30s`. " +
					"Environment: `CHAINGUARD_REQUEST_TIMEOUT`.",
				Optional: true,
			},
		},
	}
}

type providerModel struct {
	API              types.String `tfsdk:"api"`
	Audience         types.String `tfsdk:"audience"`
	Issuer           types.String `tfsdk:"issuer"`
	Config           types.String `tfsdk:"config"`
	Group            types.String `tfsdk:"group"`
	Token            types.String `tfsdk:"token"`
	Identity         types.String `tfsdk:"identity"`
	IdentityToken    types.String `tfsdk:"identity_token"`
	IdentityProvider types.String `tfsdk:"identity_provider"`
	OrgName          types.String `tfsdk:"org_name"`
	SocialLogin      types.String `tfsdk:"social_login"`
	Login            types.String `tfsdk:"login"`
	RequestTimeout   types.String `tfsdk:"request_timeout"`
}

// block is the provider block in the terms of the settings package, which does not know Terraform's types.
func (m providerModel) block() config.Block {
	value := func(s types.String) config.Value {
		return config.Value{Text: s.ValueString(), Set: !s.IsNull(), Unknown: s.IsUnknown()}
	}
	return config.Block{
		API:              value(m.API),
		Audience:         value(m.Audience),
		Issuer:           value(m.Issuer),
		Config:           value(m.Config),
		Group:            value(m.Group),
		Token:            value(m.Token),
		Identity:         value(m.Identity),
		IdentityToken:    value(m.IdentityToken),
		IdentityProvider: value(m.IdentityProvider),
		OrgName:          value(m.OrgName),
		SocialLogin:      value(m.SocialLogin),
		Login:            value(m.Login),
		RequestTimeout:   value(m.RequestTimeout),
	}
}

// ValidateConfig implements [provider.ProviderWithValidateConfig]. It looks at nothing but the block itself.
func (p *chainguardProvider) ValidateConfig(ctx context.Context, req provider.ValidateConfigRequest, resp *provider.ValidateConfigResponse) {
	var model providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	for _, problem := range config.Validate(model.block()) {
		addProblem(&resp.Diagnostics, problem)
	}
}

// Configure implements [provider.Provider]. It reads the environment and chainctl's configuration file, and does no
// other I/O: a token is looked for when the first call needs one.
func (p *chainguardProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var model providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resolved, problems := config.Resolve(model.block(), p.environment)
	for _, problem := range problems {
		addProblem(&resp.Diagnostics, problem)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	data := p.newSession(resolved, p.userAgent(req.TerraformVersion))
	resp.ResourceData = data
	resp.DataSourceData = data
	resp.EphemeralResourceData = data
	resp.ListResourceData = data
	resp.ActionData = data
}

// userAgent is what the provider calls itself towards the platform. It names versions and the operating system, and
// nothing of the machine or its user.
func (p *chainguardProvider) userAgent(terraformVersion string) string {
	agent := "terraform-provider-chainguard/" + p.version + " (" + runtime.GOOS + "/" + runtime.GOARCH + ")"
	if terraformVersion != "" {
		agent += " Terraform/" + terraformVersion
	}
	return agent
}

// Resources implements [provider.Provider].
func (p *chainguardProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{newInviteCodeResource}
}

// DataSources implements [provider.Provider].
func (p *chainguardProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{newInviteCodesDataSource, newGroupDataSource, newRoleDataSource}
}

// EphemeralResources implements [provider.ProviderWithEphemeralResources].
func (p *chainguardProvider) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{newInviteCodeEphemeral}
}

// ListResources implements [provider.ProviderWithListResources].
func (p *chainguardProvider) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{newInviteCodeList}
}

// Actions implements [provider.ProviderWithActions].
func (p *chainguardProvider) Actions(context.Context) []func() action.Action {
	return []func() action.Action{newDeleteExpiredAction}
}
