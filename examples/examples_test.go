// Package examples_test applies every example, as the documentation shows it.
package examples_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
)

// exampleID is the UIDP that examples use.
const exampleID = "1ad9c4f2b7e05836a41c9d7e2f80b3561c74e9da/5f0e2c9b7a41d386"

func TestMain(m *testing.M) {
	// Examples name the provider by its address, so it must be served as that.
	if err := os.Setenv("TF_ACC_PROVIDER_NAMESPACE", "chainguard-invites"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func TestExamples_resources_applyAndLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	providerBlock := read(t, "provider/provider.tf")
	examples, err := filepath.Glob("resources/*/resource*.tf")
	if err != nil || len(examples) == 0 {
		t.Fatalf("found %d examples, error %v", len(examples), err)
	}
	for _, example := range examples {
		t.Run(strings.TrimSuffix(example, ".tf"), func(t *testing.T) {
			t.Parallel()
			platform := acctest.New(t)
			config := providerBlock + "\n" + read(t, example)
			invited := func() {
				if len(platform.Live()) == 0 {
					t.Error("it creates no invite")
				}
			}
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: platform.Factories(),
				Steps: []resource.TestStep{
					{Config: config, PostApplyFunc: invited},
					{Config: config, ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}},
					// The destroy that ends every test cannot read a state with for_each in it, so this one goes first.
					{Config: providerBlock},
				},
			})
			if left := platform.Invites(); len(left) > 0 {
				t.Errorf("%d invites are left after destroy", len(left))
			}
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
