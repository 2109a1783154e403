// Package provider implements the Terraform provider: schemas, plans, and the lifecycle of its resources. It uses
// package platform for all calls.
package provider

import (
	"context"
	"runtime"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/auth"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/seal"
)

// Address is the provider's source address.
const Address = "registry.terraform.io/chainguard-invites/chainguard"

// typeName is the prefix of all type names.
const typeName = "chainguard"

var (
	_ provider.Provider                       = (*chainguardProvider)(nil)
	_ provider.ProviderWithValidateConfig     = (*chainguardProvider)(nil)
	_ provider.ProviderWithEphemeralResources = (*chainguardProvider)(nil)
	_ provider.ProviderWithListResources      = (*chainguardProvider)(nil)
	_ provider.ProviderWithActions            = (*chainguardProvider)(nil)
)

// Option replaces an external dependency of the provider. The exported ones are for tests.
type Option func(*chainguardProvider)

// WithClock makes the provider use the clock c.
func WithClock(c clock.Clock) Option { return func(p *chainguardProvider) { p.clock = c } }

// WithEnvironment makes the provider read environment variables and files through e.
func WithEnvironment(e config.Environment) Option {
	return func(p *chainguardProvider) { p.environment = e }
}

// WithSignIn changes the options that the provider signs in with.
func WithSignIn(change func(*auth.Options)) Option {
	return func(p *chainguardProvider) { p.signIn = change }
}

// withCleanup makes the provider record in c what to clean up when it exits.
func withCleanup(c *cleanup) Option { return func(p *chainguardProvider) { p.cleanup = c } }

// WithSeal replaces the function that encrypts codes.
func WithSeal(encrypt func(seal.Recipients, redact.Secret) (string, error)) Option {
	return func(p *chainguardProvider) { p.seal = encrypt }
}

// New returns the provider. It reports version to the platform and to Terraform.
func New(version string, options ...Option) func() provider.Provider {
	return func() provider.Provider {
		p := &chainguardProvider{
			version:     version,
			clock:       clock.Real{},
			environment: config.OSEnvironment(),
			cleanup:     new(cleanup),
			seal:        seal.Recipients.Seal,
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
	signIn      func(*auth.Options)
	cleanup     *cleanup
	seal        func(seal.Recipients, redact.Secret) (string, error)
}

// Metadata implements [provider.Provider].
func (p *chainguardProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = typeName
	resp.Version = p.version
}

// Schema implements [provider.Provider]. The attributes are those of [config.Table].
func (p *chainguardProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	attributes := make(map[string]schema.Attribute, len(config.Table))
	for _, setting := range config.Table {
		attributes[setting.Name] = schema.StringAttribute{
			MarkdownDescription: setting.MarkdownDescription(),
			Optional:            true,
			Sensitive:           setting.Sensitive,
		}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Use the Chainguard provider to manage invite codes of the " +
			"[Chainguard](https://www.chainguard.dev) platform, as `chainctl iam invites` does.",
		Attributes: attributes,
	}
}

// ValidateConfig implements [provider.ProviderWithValidateConfig]. It validates only the block itself.
func (p *chainguardProvider) ValidateConfig(ctx context.Context, req provider.ValidateConfigRequest, resp *provider.ValidateConfigResponse) {
	block := readBlock(ctx, req.Config, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	for _, problem := range config.Validate(block) {
		addProblem(&resp.Diagnostics, problem)
	}
}

// readBlock reads the attributes of the provider block that are not null.
func readBlock(ctx context.Context, block tfsdk.Config, diags *diag.Diagnostics) map[string]config.Value {
	values := map[string]config.Value{}
	for _, setting := range config.Table {
		var value types.String
		diags.Append(block.GetAttribute(ctx, path.Root(setting.Name), &value)...)
		if !value.IsNull() {
			values[setting.Name] = config.Value{Text: redact.Secret(value.ValueString()), Unknown: value.IsUnknown()}
		}
	}
	return values
}

// Configure implements [provider.Provider]. It reads the environment and chainctl's configuration file, and does no
// other I/O: the first call gets the token.
func (p *chainguardProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	block := readBlock(ctx, req.Config, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	settings, problems := config.Resolve(block, p.environment)
	var deferred []config.Problem
	for _, problem := range problems {
		if problem.Deferrable() {
			deferred = append(deferred, problem)
			continue
		}
		addProblem(&resp.Diagnostics, problem)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	data := p.newSession(settings, deferred, p.userAgent(req.TerraformVersion))
	resp.ResourceData = data
	resp.DataSourceData = data
	resp.EphemeralResourceData = data
	resp.ListResourceData = data
	resp.ActionData = data
}

func (p *chainguardProvider) newSession(s config.Settings, deferred []config.Problem, userAgent string) *session {
	secrets := new(redact.Secrets)
	return &session{
		settings: s,
		deferred: deferred,
		clock:    p.clock,
		secrets:  secrets,
		cleanup:  p.cleanup,
		seal:     p.seal,
		connect: sync.OnceValues(func() (*platform.Client, error) {
			options := auth.Options{UserAgent: userAgent, Clock: p.clock, Environment: p.environment, Secrets: secrets}
			if p.signIn != nil {
				p.signIn(&options)
			}
			tokens := auth.New(s, options)
			p.cleanup.waitFor(tokens.Wait)
			return platform.New(platform.Config{
				API:            s.API,
				UserAgent:      userAgent,
				Tokens:         tokens,
				RequestTimeout: s.RequestTimeout,
				Observe:        logCall,
				Secrets:        secrets,
				Clock:          p.clock,
			})
		}),
	}
}

// userAgent returns the user agent. It has versions and the operating system, but nothing about the machine or its
// user.
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
