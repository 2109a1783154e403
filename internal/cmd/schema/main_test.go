package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// fakeServer answers what a test wants the provider to be. Any other call would be a nil call, and panic.
type fakeServer struct {
	tfprotov6.ProviderServer
	schemas    tfprotov6.GetProviderSchemaResponse
	identities tfprotov6.GetResourceIdentitySchemasResponse
}

func (s fakeServer) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	return &s.schemas, nil
}

func (s fakeServer) GetResourceIdentitySchemas(context.Context, *tfprotov6.GetResourceIdentitySchemasRequest) (*tfprotov6.GetResourceIdentitySchemasResponse, error) {
	return &s.identities, nil
}

func describedBlock(description string) *tfprotov6.Schema {
	return &tfprotov6.Schema{Block: &tfprotov6.SchemaBlock{Description: description, DescriptionKind: tfprotov6.StringKindMarkdown}}
}

func TestSchema_isWrittenAsTerraformWritesIt(t *testing.T) {
	t.Parallel()
	resource := describedBlock("A thing.")
	resource.Version = 2
	resource.Block.Attributes = []*tfprotov6.SchemaAttribute{
		{Name: "name", Type: tftypes.String, Required: true, Description: "Its name."},
		{Name: "secret", Type: tftypes.String, Optional: true, Sensitive: true, WriteOnly: true},
		{Name: "tags", Type: tftypes.Map{ElementType: tftypes.String}, Computed: true, Deprecated: true},
		{Name: "parts", Optional: true, NestedType: &tfprotov6.SchemaObject{
			Nesting:    tfprotov6.SchemaObjectNestingModeList,
			Attributes: []*tfprotov6.SchemaAttribute{{Name: "size", Type: tftypes.Number, Required: true}},
		}},
	}
	resource.Block.BlockTypes = []*tfprotov6.SchemaNestedBlock{{
		TypeName: "timeouts", Nesting: tfprotov6.SchemaNestedBlockNestingModeSingle, MaxItems: 1,
		Block: &tfprotov6.SchemaBlock{Attributes: []*tfprotov6.SchemaAttribute{{Name: "create", Type: tftypes.String, Optional: true}}},
	}}
	server := fakeServer{
		schemas: tfprotov6.GetProviderSchemaResponse{
			Provider:                 describedBlock("The provider."),
			ResourceSchemas:          map[string]*tfprotov6.Schema{"x_thing": resource},
			DataSourceSchemas:        map[string]*tfprotov6.Schema{"x_data": describedBlock("Data.")},
			EphemeralResourceSchemas: map[string]*tfprotov6.Schema{"x_ephemeral": describedBlock("Ephemeral.")},
			ListResourceSchemas:      map[string]*tfprotov6.Schema{"x_list": describedBlock("List.")},
			ActionSchemas:            map[string]*tfprotov6.ActionSchema{"x_action": {Schema: describedBlock("Action.")}},
		},
		identities: tfprotov6.GetResourceIdentitySchemasResponse{IdentitySchemas: map[string]*tfprotov6.ResourceIdentitySchema{
			"x_thing": {Version: 1, IdentityAttributes: []*tfprotov6.ResourceIdentitySchemaAttribute{
				{Name: "id", Type: tftypes.String, RequiredForImport: true, Description: "Its id."},
			}},
		}},
	}

	var out bytes.Buffer
	if err := run(t.Context(), server, &out); err != nil {
		t.Fatal(err)
	}
	const want = `{
		"format_version": "1.0",
		"provider_schemas": {"chainguard": {
			"provider": {"version": 0, "block": {"description": "The provider.", "description_kind": "markdown"}},
			"resource_schemas": {"x_thing": {"version": 2, "block": {
				"attributes": {
					"name": {"type": "string", "description": "Its name.", "description_kind": "plain", "required": true},
					"secret": {"type": "string", "description_kind": "plain", "optional": true, "sensitive": true, "write_only": true},
					"tags": {"type": ["map", "string"], "description_kind": "plain", "computed": true, "deprecated": true},
					"parts": {"description_kind": "plain", "optional": true, "nested_type": {
						"nesting_mode": "list",
						"attributes": {"size": {"type": "number", "description_kind": "plain", "required": true}}
					}}
				},
				"block_types": {"timeouts": {"nesting_mode": "single", "max_items": 1, "block": {
					"attributes": {"create": {"type": "string", "description_kind": "plain", "optional": true}},
					"description_kind": "plain"
				}}},
				"description": "A thing.", "description_kind": "markdown"
			}}},
			"data_source_schemas": {"x_data": {"version": 0, "block": {"description": "Data.", "description_kind": "markdown"}}},
			"ephemeral_resource_schemas": {"x_ephemeral": {"version": 0, "block": {"description": "Ephemeral.", "description_kind": "markdown"}}},
			"list_resource_schemas": {"x_list": {"version": 0, "block": {"description": "List.", "description_kind": "markdown"}}},
			"action_schemas": {"x_action": {"block": {"description": "Action.", "description_kind": "markdown"}}},
			"resource_identity_schemas": {"x_thing": {"version": 1, "attributes": {
				"id": {"type": "string", "description": "Its id.", "required_for_import": true}
			}}}
		}}
	}`
	if diff := cmp.Diff(decode(t, want), decode(t, out.String())); diff != "" {
		t.Errorf("schema (-want +got):\n%s", diff)
	}
}

func decode(t *testing.T, text string) (value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestSchema_unknownParts_areAnError(t *testing.T) {
	t.Parallel()
	broken := []*tfprotov6.Diagnostic{{Severity: tfprotov6.DiagnosticSeverityError, Summary: "Broken Schema", Detail: "two ids"}}
	for name, test := range map[string]struct {
		server fakeServer
		want   string
	}{
		"schema diagnostics": {
			fakeServer{schemas: tfprotov6.GetProviderSchemaResponse{Diagnostics: broken}}, "Broken Schema: two ids",
		},
		"identity diagnostics": {
			fakeServer{identities: tfprotov6.GetResourceIdentitySchemasResponse{Diagnostics: broken}}, "Broken Schema: two ids",
		},
		"functions, which would be missing from the docs": {
			fakeServer{schemas: tfprotov6.GetProviderSchemaResponse{Functions: map[string]*tfprotov6.Function{"parse": {}}}}, "functions",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := run(t.Context(), test.server, new(bytes.Buffer))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
}
