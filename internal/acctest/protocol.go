package acctest

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/provider"
)

// Protocol is a client of the plugin protocol. It tests what only newer CLIs support, with any CLI installed.
type Protocol struct {
	t          testing.TB
	server     fullServer
	schemas    *tfprotov6.GetProviderSchemaResponse
	identities map[string]*tfprotov6.ResourceIdentitySchema
}

// fullServer is a provider with list resources and actions.
type fullServer interface {
	tfprotov6.ProviderServer
	tfprotov6.ListResourceServer
	tfprotov6.ActionServer
}

// Config is a block of a configuration. Its values are strings, bools, nil and [Unknown]; attributes without a value
// are null.
type Config map[string]any

// Object is an object that the provider returns. Its values are strings, bools, []any, Object, nil and [Unknown].
type Object map[string]any

// Unknown is a value that is not known yet, in a [Config] or an [Object].
const Unknown = unknown("(unknown)")

type unknown string

// Protocol starts a provider with this provider block. It fails the test if the provider reports errors in its schemas
// or in the block.
func (p *Platform) Protocol(t testing.TB, block Config) *Protocol {
	t.Helper()
	server, ok := providerserver.NewProtocol6(provider.New(Version, p.Options()...)())().(fullServer)
	if !ok {
		t.Fatal("the provider has no list resources or no actions")
	}
	c := &Protocol{t: t, server: server}
	c.schemas = call(c, server.GetProviderSchema, &tfprotov6.GetProviderSchemaRequest{})
	c.identities = call(c, server.GetResourceIdentitySchemas, &tfprotov6.GetResourceIdentitySchemasRequest{}).IdentitySchemas
	configured := call(c, server.ConfigureProvider, &tfprotov6.ConfigureProviderRequest{
		TerraformVersion: "1.14.0", Config: c.encode(c.schemas.Provider, block),
	})
	for _, diags := range []Diagnostics{c.schemas.Diagnostics, configured.Diagnostics} {
		if len(diags.Errors()) > 0 {
			t.Fatal(diags)
		}
	}
	return c
}

// Stop tells the provider that the run is interrupted.
func (c *Protocol) Stop() {
	c.t.Helper()
	call(c, c.server.StopProvider, &tfprotov6.StopProviderRequest{})
}

// ReadData reads a data source.
func (c *Protocol) ReadData(typeName string, config Config) (Object, Diagnostics) {
	c.t.Helper()
	schema := c.schemas.DataSourceSchemas[typeName]
	resp := call(c, c.server.ReadDataSource, &tfprotov6.ReadDataSourceRequest{TypeName: typeName, Config: c.encode(schema, config)})
	return c.decode(schema.ValueType(), resp.State), resp.Diagnostics
}

// ValidateEphemeral validates the configuration of an ephemeral resource.
func (c *Protocol) ValidateEphemeral(typeName string, config Config) Diagnostics {
	c.t.Helper()
	return call(c, c.server.ValidateEphemeralResourceConfig, &tfprotov6.ValidateEphemeralResourceConfigRequest{
		TypeName: typeName, Config: c.encode(c.schemas.EphemeralResourceSchemas[typeName], config),
	}).Diagnostics
}

// Open opens an ephemeral resource. Terraform passes private back to Close.
func (c *Protocol) Open(typeName string, config Config) (result Object, private []byte, diags Diagnostics) {
	c.t.Helper()
	schema := c.schemas.EphemeralResourceSchemas[typeName]
	resp := call(c, c.server.OpenEphemeralResource, &tfprotov6.OpenEphemeralResourceRequest{
		TypeName: typeName, Config: c.encode(schema, config), ClientCapabilities: &tfprotov6.OpenEphemeralResourceClientCapabilities{},
	})
	return c.decode(schema.ValueType(), resp.Result), resp.Private, resp.Diagnostics
}

// Close closes an ephemeral resource.
func (c *Protocol) Close(typeName string, private []byte) Diagnostics {
	c.t.Helper()
	return call(c, c.server.CloseEphemeralResource, &tfprotov6.CloseEphemeralResourceRequest{TypeName: typeName, Private: private}).Diagnostics
}

// ValidateList validates the configuration of a list resource.
func (c *Protocol) ValidateList(typeName string, config Config) Diagnostics {
	c.t.Helper()
	return call(c, c.server.ValidateListResourceConfig, &tfprotov6.ValidateListResourceConfigRequest{
		TypeName: typeName, Config: c.encode(c.schemas.ListResourceSchemas[typeName], config),
	}).Diagnostics
}

// Found is one result of a list resource.
type Found struct {
	DisplayName        string
	Identity, Resource Object
	Diagnostics        Diagnostics
}

// List returns all results of a list resource. Diagnostics of the list as a whole are a result of their own.
func (c *Protocol) List(typeName string, config Config, limit int64, includeResource bool) (found []Found) {
	c.t.Helper()
	stream := call(c, c.server.ListResource, &tfprotov6.ListResourceRequest{
		TypeName: typeName, Config: c.encode(c.schemas.ListResourceSchemas[typeName], config),
		IncludeResource: includeResource, Limit: limit,
	})
	for result := range stream.Results {
		one := Found{DisplayName: result.DisplayName, Diagnostics: result.Diagnostics}
		if result.Identity != nil {
			one.Identity = c.decode(c.identities[typeName].ValueType(), result.Identity.IdentityData)
		}
		one.Resource = c.decode(c.schemas.ResourceSchemas[typeName].ValueType(), result.Resource)
		found = append(found, one)
	}
	return found
}

// Import imports a resource by its identity and reads it, as Terraform does before it plans.
func (c *Protocol) Import(typeName string, identity Object) (Object, Diagnostics) {
	c.t.Helper()
	imported := call(c, c.server.ImportResourceState, &tfprotov6.ImportResourceStateRequest{
		TypeName: typeName,
		Identity: &tfprotov6.ResourceIdentityData{IdentityData: c.encodeAs(c.identities[typeName].ValueType(), Config(identity))},
	})
	if diags := Diagnostics(imported.Diagnostics); len(diags.Errors()) > 0 {
		c.t.Fatal(diags)
	}
	resource := imported.ImportedResources[0]
	read := call(c, c.server.ReadResource, &tfprotov6.ReadResourceRequest{
		TypeName: typeName, CurrentState: resource.State, CurrentIdentity: resource.Identity, Private: resource.Private,
	})
	return c.decode(c.schemas.ResourceSchemas[typeName].ValueType(), read.NewState), read.Diagnostics
}

// PlanAction plans an action.
func (c *Protocol) PlanAction(typeName string, config Config) Diagnostics {
	c.t.Helper()
	return call(c, c.server.PlanAction, &tfprotov6.PlanActionRequest{
		ActionType: typeName, Config: c.encode(c.schemas.ActionSchemas[typeName].Schema, config),
	}).Diagnostics
}

// Invoke runs an action. Progress has the messages it sent while it ran.
func (c *Protocol) Invoke(typeName string, config Config) (progress []string, diags Diagnostics) {
	c.t.Helper()
	stream := call(c, c.server.InvokeAction, &tfprotov6.InvokeActionRequest{
		ActionType: typeName, Config: c.encode(c.schemas.ActionSchemas[typeName].Schema, config),
	})
	for event := range stream.Events {
		switch event := event.Type.(type) {
		case tfprotov6.ProgressInvokeActionEventType:
			progress = append(progress, event.Message)
		case tfprotov6.CompletedInvokeActionEventType:
			diags = event.Diagnostics
		}
	}
	return progress, diags
}

// Diagnostics are the diagnostics of a call.
type Diagnostics []*tfprotov6.Diagnostic

// Errors returns the errors, each as "summary: detail".
func (d Diagnostics) Errors() []string { return d.of(tfprotov6.DiagnosticSeverityError) }

// Warnings returns the warnings, each as "summary: detail".
func (d Diagnostics) Warnings() []string { return d.of(tfprotov6.DiagnosticSeverityWarning) }

// String returns all diagnostics, one per line.
func (d Diagnostics) String() string { return strings.Join(append(d.Errors(), d.Warnings()...), "\n") }

func (d Diagnostics) of(severity tfprotov6.DiagnosticSeverity) (texts []string) {
	for _, diagnostic := range d {
		if diagnostic.Severity == severity {
			texts = append(texts, diagnostic.Summary+": "+diagnostic.Detail)
		}
	}
	return texts
}

// call makes a call. The provider reports its own errors as diagnostics, so any other error fails the test.
func call[Req, Resp any](c *Protocol, method func(context.Context, *Req) (*Resp, error), req *Req) *Resp {
	c.t.Helper()
	resp, err := method(c.t.Context(), req)
	if err != nil {
		c.t.Fatalf("%T: %v", req, err)
	}
	return resp
}

func (c *Protocol) encode(schema *tfprotov6.Schema, config Config) *tfprotov6.DynamicValue {
	c.t.Helper()
	if schema == nil {
		c.t.Fatal("the provider has no schema for it")
	}
	return c.encodeAs(schema.ValueType(), config)
}

func (c *Protocol) encodeAs(typ tftypes.Type, config Config) *tfprotov6.DynamicValue {
	c.t.Helper()
	attributes := typ.(tftypes.Object).AttributeTypes //nolint:forcetypeassert // Every block and every identity is one.
	for name := range config {
		if _, ok := attributes[name]; !ok {
			c.t.Fatalf("there is no attribute %q", name)
		}
	}
	values := map[string]tftypes.Value{}
	for name, attribute := range attributes {
		value := config[name]
		if value == Unknown {
			value = tftypes.UnknownValue
		}
		values[name] = tftypes.NewValue(attribute, value)
	}
	encoded, err := tfprotov6.NewDynamicValue(typ, tftypes.NewValue(typ, values))
	if err != nil {
		c.t.Fatalf("encoding a configuration: %v", err)
	}
	return &encoded
}

// decode decodes a value, nil if the provider returned only errors.
func (c *Protocol) decode(typ tftypes.Type, answer *tfprotov6.DynamicValue) Object {
	c.t.Helper()
	if answer == nil {
		return nil
	}
	value, err := answer.Unmarshal(typ)
	if err != nil {
		c.t.Fatalf("decoding an answer: %v", err)
	}
	object, _ := c.plain(value).(Object) // A null value is not an Object.
	return object
}

// plain converts a value to plain Go types.
func (c *Protocol) plain(value tftypes.Value) any {
	c.t.Helper()
	var (
		text       string
		truth      bool
		elements   []tftypes.Value
		attributes map[string]tftypes.Value
	)
	switch {
	case !value.IsKnown():
		return Unknown
	case value.IsNull():
		return nil
	case value.As(&text) == nil:
		return text
	case value.As(&truth) == nil:
		return truth
	case value.As(&elements) == nil:
		list := make([]any, len(elements))
		for i, element := range elements {
			list[i] = c.plain(element)
		}
		return list
	case value.As(&attributes) == nil:
		object := Object{}
		for name, attribute := range attributes {
			object[name] = c.plain(attribute)
		}
		return object
	}
	c.t.Fatalf("no attribute of the provider has a value of type %v", value.Type())
	return nil
}
