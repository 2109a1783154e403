package provider

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// official is a state written by the official provider.
const official = `{
	"code": "eyJncnAiOiJjYW5hcnkifQ==",
	"email": "kim@example.com",
	"expiration": "2026-11-23T22:44:54Z",
	"group": "1cac9a8dfac52c5411d6461aefd921725ecaa503/c466b8e801175957",
	"id": "1cac9a8dfac52c5411d6461aefd921725ecaa503/c466b8e801175957/dffd66e985165f95",
	"role": "18bbfdc8f152560fa970a1b40ea99f5948842a30"
}`

// moveTo calls MoveResourceState, and returns the state, the private state and the diagnostics.
func moveTo(t *testing.T, sourceType, sourceProvider, state string) (map[string]tftypes.Value, []byte, []*tfprotov6.Diagnostic) {
	t.Helper()
	server := providerserver.NewProtocol6(New("test")())()
	resp, err := server.MoveResourceState(t.Context(), &tfprotov6.MoveResourceStateRequest{
		SourceTypeName:        sourceType,
		SourceProviderAddress: sourceProvider,
		SourceState:           &tfprotov6.RawState{JSON: []byte(state)},
		TargetTypeName:        "chainguard_invite_code",
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(resp.Diagnostics) > 0 {
		return nil, nil, resp.Diagnostics
	}
	var schema resource.SchemaResponse
	newInviteCodeResource().Schema(t.Context(), resource.SchemaRequest{}, &schema)
	value, err := resp.TargetState.Unmarshal(schema.Schema.Type().TerraformType(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	var attributes map[string]tftypes.Value
	if err := value.As(&attributes); err != nil {
		t.Fatal(err)
	}
	return attributes, resp.TargetPrivate, nil
}

func TestInviteCodeResource_move_keepsTheOfficialState(t *testing.T) {
	t.Parallel()
	for _, registry := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		attributes, private, diags := moveTo(t, "chainguard_group_invite", registry+"/chainguard-dev/chainguard", official)
		if len(diags) > 0 {
			t.Fatal(diags[0].Summary)
		}
		for name, want := range map[string]string{
			"id":    "1cac9a8dfac52c5411d6461aefd921725ecaa503/c466b8e801175957/dffd66e985165f95",
			"group": "1cac9a8dfac52c5411d6461aefd921725ecaa503/c466b8e801175957",
			"role":  "18bbfdc8f152560fa970a1b40ea99f5948842a30",
			"email": "kim@example.com",
			"code":  "eyJncnAiOiJjYW5hcnkifQ==",
		} {
			var got string
			if err := attributes[name].As(&got); err != nil || got != want {
				t.Errorf("%s = %q, want %q (%v)", name, got, want, err)
			}
		}
		// Values of the private state are JSON in base64.
		if want := base64.StdEncoding.EncodeToString([]byte(`"moved"`)); !strings.Contains(string(private), want) {
			t.Errorf("the private state does not say that the invite was moved: %s", private)
		}
	}
}

func TestInviteCodeResource_move_refusesOtherResources(t *testing.T) {
	t.Parallel()
	const theirs = "registry.terraform.io/chainguard-dev/chainguard"
	for name, test := range map[string]struct{ sourceType, provider, state string }{
		"another type":                {"chainguard_group", theirs, official},
		"the type of another":         {"chainguard_group_invite", "registry.terraform.io/evil-chainguard-dev/chainguard-dev", official},
		"a namespace that ends alike": {"chainguard_group_invite", "registry.terraform.io/not-chainguard-dev/chainguard", official},
		"a state that is not JSON":    {"chainguard_group_invite", theirs, `{"code": "eyJncnAiOiJjYW5hcnkifQ==`},
		"a state of other types":      {"chainguard_group_invite", theirs, `{"code": ["eyJncnAiOiJjYW5hcnkifQ=="], "id": 1}`},
		"a state without an id":       {"chainguard_group_invite", theirs, `{"code": "eyJncnAiOiJjYW5hcnkifQ=="}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, diags := moveTo(t, test.sourceType, test.provider, test.state)
			if len(diags) == 0 {
				t.Fatal("it was moved")
			}
			for _, d := range diags {
				if strings.Contains(d.Detail, "eyJncnAi") {
					t.Errorf("the error shows the code: %s", d.Detail)
				}
			}
		})
	}
}
