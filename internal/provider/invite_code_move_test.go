package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// official is a state that the official provider, built from its sources, wrote.
const official = `{
	"code": "eyJncnAiOiJjYW5hcnkifQ==",
	"email": "kim@example.com",
	"expiration": "2026-11-23T22:44:54Z",
	"group": "1cac9a8dfac52c5411d6461aefd921725ecaa503/c466b8e801175957",
	"id": "1cac9a8dfac52c5411d6461aefd921725ecaa503/c466b8e801175957/dffd66e985165f95",
	"role": "18bbfdc8f152560fa970a1b40ea99f5948842a30"
}`

func move(t *testing.T, sourceType, sourceProvider, state string) *resource.MoveStateResponse {
	t.Helper()
	r := &inviteCodeResource{}
	var schema resource.SchemaResponse
	r.Schema(t.Context(), resource.SchemaRequest{}, &schema)
	resp := &resource.MoveStateResponse{TargetState: tfsdk.State{
		Schema: schema.Schema,
		Raw:    tftypes.NewValue(schema.Schema.Type().TerraformType(t.Context()), nil),
	}}
	r.MoveState(t.Context())[0].StateMover(t.Context(), resource.MoveStateRequest{
		SourceTypeName:        sourceType,
		SourceProviderAddress: sourceProvider,
		SourceRawState:        &tfprotov6.RawState{JSON: []byte(state)},
	}, resp)
	return resp
}

func TestMoveKeepsWhatTheOfficialProviderKnew(t *testing.T) {
	t.Parallel()
	for _, registry := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		resp := move(t, "chainguard_group_invite", registry+"/chainguard-dev/chainguard", official)
		if resp.Diagnostics.HasError() {
			t.Fatal(resp.Diagnostics)
		}
		for name, want := range map[string]string{
			"id":    "1cac9a8dfac52c5411d6461aefd921725ecaa503/c466b8e801175957/dffd66e985165f95",
			"group": "1cac9a8dfac52c5411d6461aefd921725ecaa503/c466b8e801175957",
			"role":  "18bbfdc8f152560fa970a1b40ea99f5948842a30",
			"email": "kim@example.com",
			"code":  "eyJncnAiOiJjYW5hcnkifQ==",
		} {
			var got types.String
			if diags := resp.TargetState.GetAttribute(t.Context(), path.Root(name), &got); diags.HasError() || got.ValueString() != want {
				t.Errorf("%s = %q, want %q (%v)", name, got.ValueString(), want, diags)
			}
		}
		var groupID types.String
		if resp.TargetState.GetAttribute(t.Context(), path.Root("group_id"), &groupID); !groupID.IsNull() {
			t.Error("group_id is set, so the invite would not be read as one that was just adopted")
		}
	}
}

func TestMoveRefusesEverythingElse(t *testing.T) {
	t.Parallel()
	const theirs = "registry.terraform.io/chainguard-dev/chainguard"
	for name, test := range map[string]struct{ sourceType, provider, state string }{
		"another type":                {"chainguard_group", theirs, official},
		"the type of another":         {"chainguard_group_invite", "registry.terraform.io/evil-chainguard-dev/chainguard-dev", official},
		"a namespace that ends alike": {"chainguard_group_invite", "registry.terraform.io/not-chainguard-dev/chainguard", official},
		"a state that is no JSON":     {"chainguard_group_invite", theirs, `{"code": "eyJncnAiOiJjYW5hcnkifQ==`},
		"a state of other types":      {"chainguard_group_invite", theirs, `{"code": ["eyJncnAiOiJjYW5hcnkifQ=="], "id": 1}`},
		"a state without an id":       {"chainguard_group_invite", theirs, `{"code": "eyJncnAiOiJjYW5hcnkifQ=="}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resp := move(t, test.sourceType, test.provider, test.state)
			if !resp.Diagnostics.HasError() {
				t.Fatal("it was moved")
			}
			for _, d := range resp.Diagnostics {
				if strings.Contains(d.Detail(), "eyJncnAi") {
					t.Errorf("the error shows the code: %s", d.Detail())
				}
			}
		})
	}
}
