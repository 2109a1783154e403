package acctest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/provider"
)

// Unknown is a value that is not known yet, in a [Config] or an [Object].
const Unknown = unknown("(unknown)")

type unknown string

// Config is what a block of the configuration says. Its values are strings, bools, nil and [Unknown]; what it leaves
// out is null.
type Config map[string]any

// Object is what the provider answers. Its values are strings, bools, []any, Object, nil and [Unknown].
type Object map[string]any

// Diagnostics are what a provider says about a call.
type Diagnostics []*tfprotov6.Diagnostic

// Errors are the errors among them, each as "summary: detail".
func (d Diagnostics) Errors() []string { return d.of(tfprotov6.DiagnosticSeverityError) }

// Warnings are the warnings among them, each as "summary: detail".
func (d Diagnostics) Warnings() []string { return d.of(tfprotov6.DiagnosticSeverityWarning) }

func (d Diagnostics) of(severity tfprotov6.DiagnosticSeverity) []string {
	var texts []string
	for _, diagnostic := range d {
		if diagnostic.Severity == severity {
			texts = append(texts, diagnostic.Summary+": "+diagnostic.Detail)
		}
	}
	return texts
}

// String is all of them, one a line.
func (d Diagnostics) String() string {
	return strings.Join(append(d.Errors(), d.Warnings()...), "\n")
}

// Protocol speaks the plugin protocol to a provider of the platform, as a CLI does. What needs a newer CLI than is at
// hand is tested with it, so that it is tested everywhere.
type Protocol struct {
	t       testing.TB
	server  tfprotov6.ProviderServer
	schemas *tfprotov6.GetProviderSchemaResponse
}

// Protocol starts a provider with that provider block. As a CLI does, it fails the test where the provider's own
// schemas or settings are wrong.
func (p *Platform) Protocol(t testing.TB, block Config) *Protocol {
	t.Helper()
	c := &Protocol{t: t, server: providerserver.NewProtocol6(provider.New(Version, p.Options()...)())()}
	var err error
	if c.schemas, err = c.server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{}); err != nil {
		t.Fatalf("GetProviderSchema: %v", err)
	}
	c.mustBeFine("GetProviderSchema", c.schemas.Diagnostics)
	configured, err := c.server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{
		TerraformVersion: "1.14.0",
		Config:           c.encode(c.schemas.Provider, block),
	})
	if err != nil {
		t.Fatalf("ConfigureProvider: %v", err)
	}
	c.mustBeFine("ConfigureProvider", configured.Diagnostics)
	return c
}

// Stop tells the provider that the run is interrupted.
func (c *Protocol) Stop() {
	c.t.Helper()
	if _, err := c.server.StopProvider(c.t.Context(), &tfprotov6.StopProviderRequest{}); err != nil {
		c.t.Fatalf("StopProvider: %v", err)
	}
}

// ValidateEphemeral has the configuration of an ephemeral resource checked.
func (c *Protocol) ValidateEphemeral(typeName string, config Config) Diagnostics {
	c.t.Helper()
	resp, err := c.server.ValidateEphemeralResourceConfig(c.t.Context(), &tfprotov6.ValidateEphemeralResourceConfigRequest{
		TypeName: typeName,
		Config:   c.encode(c.schemas.EphemeralResourceSchemas[typeName], config),
	})
	if err != nil {
		c.t.Fatalf("ValidateEphemeralResourceConfig: %v", err)
	}
	return resp.Diagnostics
}

// Open opens an ephemeral resource. Private is what Terraform is to hand back to Close.
func (c *Protocol) Open(typeName string, config Config) (result Object, private []byte, diags Diagnostics) {
	c.t.Helper()
	schema := c.schemas.EphemeralResourceSchemas[typeName]
	resp, err := c.server.OpenEphemeralResource(c.t.Context(), &tfprotov6.OpenEphemeralResourceRequest{
		TypeName:           typeName,
		Config:             c.encode(schema, config),
		ClientCapabilities: &tfprotov6.OpenEphemeralResourceClientCapabilities{},
	})
	if err != nil {
		c.t.Fatalf("OpenEphemeralResource: %v", err)
	}
	return c.decode(schema.ValueType(), resp.Result), resp.Private, resp.Diagnostics
}

// Close closes an ephemeral resource.
func (c *Protocol) Close(typeName string, private []byte) Diagnostics {
	c.t.Helper()
	resp, err := c.server.CloseEphemeralResource(c.t.Context(), &tfprotov6.CloseEphemeralResourceRequest{
		TypeName: typeName, Private: private,
	})
	if err != nil {
		c.t.Fatalf("CloseEphemeralResource: %v", err)
	}
	return resp.Diagnostics
}

// ReadData reads a data source.
func (c *Protocol) ReadData(typeName string, config Config) (Object, Diagnostics) {
	c.t.Helper()
	schema := c.schemas.DataSourceSchemas[typeName]
	resp, err := c.server.ReadDataSource(c.t.Context(), &tfprotov6.ReadDataSourceRequest{
		TypeName: typeName,
		Config:   c.encode(schema, config),
	})
	if err != nil {
		c.t.Fatalf("ReadDataSource: %v", err)
	}
	return c.decode(schema.ValueType(), resp.State), resp.Diagnostics
}

// Found is one result of a list resource.
type Found struct {
	DisplayName        string
	Identity, Resource Object
	Diagnostics        Diagnostics
}

// ValidateList has the configuration of a list resource checked.
func (c *Protocol) ValidateList(typeName string, config Config) Diagnostics {
	c.t.Helper()
	server, ok := c.server.(tfprotov6.ListResourceServer)
	if !ok {
		c.t.Fatal("the provider lists nothing")
	}
	resp, err := server.ValidateListResourceConfig(c.t.Context(), &tfprotov6.ValidateListResourceConfigRequest{
		TypeName: typeName,
		Config:   c.encode(c.schemas.ListResourceSchemas[typeName], config),
	})
	if err != nil {
		c.t.Fatalf("ValidateListResourceConfig: %v", err)
	}
	return resp.Diagnostics
}

// List takes the results of a list resource, all that it gives. What is wrong with the list as a whole is a result.
func (c *Protocol) List(typeName string, config Config, limit int64, includeResource bool) []Found {
	c.t.Helper()
	server, ok := c.server.(tfprotov6.ListResourceServer)
	if !ok {
		c.t.Fatal("the provider lists nothing")
	}
	stream, err := server.ListResource(c.t.Context(), &tfprotov6.ListResourceRequest{
		TypeName:        typeName,
		Config:          c.encode(c.schemas.ListResourceSchemas[typeName], config),
		IncludeResource: includeResource,
		Limit:           limit,
	})
	if err != nil {
		c.t.Fatalf("ListResource: %v", err)
	}
	var found []Found
	for result := range stream.Results {
		one := Found{DisplayName: result.DisplayName, Diagnostics: result.Diagnostics}
		if result.Identity != nil {
			one.Identity = c.decode(c.identityType(typeName), result.Identity.IdentityData)
		}
		one.Resource = c.decode(c.schemas.ResourceSchemas[typeName].ValueType(), result.Resource)
		found = append(found, one)
	}
	return found
}

// Import imports a resource by its identity and reads it, which gives the state that a plan begins with.
func (c *Protocol) Import(typeName string, identity Object) (Object, Diagnostics) {
	c.t.Helper()
	identityData := c.encodeAs(c.identityType(typeName), Config(identity))
	imported, err := c.server.ImportResourceState(c.t.Context(), &tfprotov6.ImportResourceStateRequest{
		TypeName: typeName,
		Identity: &tfprotov6.ResourceIdentityData{IdentityData: identityData},
	})
	if err != nil {
		c.t.Fatalf("ImportResourceState: %v", err)
	}
	c.mustBeFine("ImportResourceState", imported.Diagnostics)
	resource := imported.ImportedResources[0]
	read, err := c.server.ReadResource(c.t.Context(), &tfprotov6.ReadResourceRequest{
		TypeName: typeName, CurrentState: resource.State, CurrentIdentity: resource.Identity, Private: resource.Private,
	})
	if err != nil {
		c.t.Fatalf("ReadResource: %v", err)
	}
	return c.decode(c.schemas.ResourceSchemas[typeName].ValueType(), read.NewState), read.Diagnostics
}

// PlanAction plans an action.
func (c *Protocol) PlanAction(typeName string, config Config) Diagnostics {
	c.t.Helper()
	resp, err := c.actions().PlanAction(c.t.Context(), &tfprotov6.PlanActionRequest{
		ActionType: typeName,
		Config:     c.encode(c.schemas.ActionSchemas[typeName].Schema, config),
	})
	if err != nil {
		c.t.Fatalf("PlanAction: %v", err)
	}
	return resp.Diagnostics
}

// Invoke runs an action. Progress is what it said meanwhile.
func (c *Protocol) Invoke(typeName string, config Config) (progress []string, diags Diagnostics) {
	c.t.Helper()
	stream, err := c.actions().InvokeAction(c.t.Context(), &tfprotov6.InvokeActionRequest{
		ActionType: typeName,
		Config:     c.encode(c.schemas.ActionSchemas[typeName].Schema, config),
	})
	if err != nil {
		c.t.Fatalf("InvokeAction: %v", err)
	}
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

func (c *Protocol) actions() tfprotov6.ActionServer {
	c.t.Helper()
	server, ok := c.server.(tfprotov6.ActionServer)
	if !ok {
		c.t.Fatal("the provider has no actions")
	}
	return server
}

func (c *Protocol) mustBeFine(call string, diags Diagnostics) {
	c.t.Helper()
	if len(diags.Errors()) > 0 {
		c.t.Fatalf("%s: %v", call, diags)
	}
}

// identityType is the type of the identity of a resource.
func (c *Protocol) identityType(typeName string) tftypes.Type {
	c.t.Helper()
	resp, err := c.server.GetResourceIdentitySchemas(c.t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		c.t.Fatalf("GetResourceIdentitySchemas: %v", err)
	}
	schema := resp.IdentitySchemas[typeName]
	if schema == nil {
		c.t.Fatalf("%s has no identity", typeName)
	}
	return schema.ValueType()
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
	object, ok := typ.(tftypes.Object)
	if !ok {
		c.t.Fatalf("%v is not the type of a block", typ)
	}
	for name := range config {
		if _, ok := object.AttributeTypes[name]; !ok {
			c.t.Fatalf("there is no attribute %q", name)
		}
	}
	values := map[string]tftypes.Value{}
	for name, attribute := range object.AttributeTypes {
		switch value := config[name].(type) {
		case unknown:
			values[name] = tftypes.NewValue(attribute, tftypes.UnknownValue)
		default:
			values[name] = tftypes.NewValue(attribute, value)
		}
	}
	encoded, err := tfprotov6.NewDynamicValue(object, tftypes.NewValue(object, values))
	if err != nil {
		c.t.Fatalf("encoding a configuration: %v", err)
	}
	return &encoded
}

// decode reads an answer. There is none where the provider only had errors to tell.
func (c *Protocol) decode(typ tftypes.Type, answer *tfprotov6.DynamicValue) Object {
	c.t.Helper()
	if answer == nil {
		return nil
	}
	value, err := answer.Unmarshal(typ)
	if err != nil {
		c.t.Fatalf("decoding an answer: %v", err)
	}
	plain, err := plainly(value)
	if err != nil {
		c.t.Fatalf("decoding an answer: %v", err)
	}
	object, _ := plain.(Object) // Not one where it is null.
	return object
}

// plainly is a value in Go's own types.
func plainly(value tftypes.Value) (any, error) {
	if !value.IsKnown() {
		return Unknown, nil
	}
	if value.IsNull() {
		return nil, nil
	}
	switch {
	case value.Type().Is(tftypes.String):
		var text string
		err := value.As(&text)
		return text, err
	case value.Type().Is(tftypes.Bool):
		var truth bool
		err := value.As(&truth)
		return truth, err
	case value.Type().Is(tftypes.Object{}), value.Type().Is(tftypes.Map{}):
		var attributes map[string]tftypes.Value
		if err := value.As(&attributes); err != nil {
			return nil, err
		}
		object := Object{}
		for name, attribute := range attributes {
			plain, err := plainly(attribute)
			if err != nil {
				return nil, err
			}
			object[name] = plain
		}
		return object, nil
	case value.Type().Is(tftypes.List{}), value.Type().Is(tftypes.Set{}):
		var elements []tftypes.Value
		if err := value.As(&elements); err != nil {
			return nil, err
		}
		list := make([]any, len(elements))
		for i, element := range elements {
			plain, err := plainly(element)
			if err != nil {
				return nil, err
			}
			list[i] = plain
		}
		return list, nil
	default:
		return nil, fmt.Errorf("a value of type %v, which no attribute of the provider has", value.Type())
	}
}
