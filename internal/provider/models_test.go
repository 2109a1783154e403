package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// readModel and writeModel must do the same as the framework's Get and Set.
func TestModels_sameAsTheFramework(t *testing.T) {
	t.Parallel()
	var resp resource.SchemaResponse
	newInviteCodeResource().Schema(t.Context(), resource.SchemaRequest{}, &resp)
	state := tfsdk.State{Schema: resp.Schema, Raw: tftypes.NewValue(resp.Schema.Type().TerraformType(t.Context()), nil)}
	model := inState()

	if diags := writeModel(t.Context(), &state.Raw, &model); diags.HasError() {
		t.Fatal(diags)
	}
	want := tfsdk.State{Schema: resp.Schema, Raw: tftypes.NewValue(resp.Schema.Type().TerraformType(t.Context()), nil)}
	if diags := want.Set(t.Context(), &model); diags.HasError() {
		t.Fatal(diags)
	}
	if !state.Raw.Equal(want.Raw) {
		t.Error("writeModel sets another state than the framework")
	}

	var read, wanted inviteCodeModel
	if diags := readModel(t.Context(), state, &read); diags.HasError() {
		t.Fatal(diags)
	}
	if diags := state.Get(t.Context(), &wanted); diags.HasError() {
		t.Fatal(diags)
	}
	again := state
	if diags := writeModel(t.Context(), &again.Raw, &read); diags.HasError() || !again.Raw.Equal(want.Raw) {
		t.Errorf("the model that readModel reads is another one (%v)", diags)
	}
	if read.inviteModel != wanted.inviteModel || read.Status != wanted.Status {
		t.Error("readModel reads another model than the framework")
	}
}
