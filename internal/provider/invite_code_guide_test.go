package provider_test

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
)

// These tests check the notes of the guide on the life of an invite about Terraform's own arguments. For a note about a
// pitfall, they check both the pitfall and the way to avoid it.

func TestInviteCodeResource_guide_ignoreChangesDoesNotStopRenewal(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	expire := func() { p.Clock.Advance(2 * time.Hour) }
	for recreate, action := range map[string]plancheck.ResourceActionType{
		"auto": plancheck.ResourceActionReplace, "never": plancheck.ResourceActionNoop,
	} {
		config := kimWith(acmeViewer + "ttl = \"1h\"\nrecreate = \"" + recreate + "\"\nlifecycle {\nignore_changes = all\n}\n")
		resource.UnitTest(t, resource.TestCase{
			ProtoV6ProviderFactories: p.Factories(),
			CheckDestroy:             checkAllRevoked(p),
			Steps: []resource.TestStep{
				{Config: config, ConfigPlanChecks: emptyPlan},
				{PreConfig: expire, Config: config, ConfigPlanChecks: planned(action)},
			},
		})
	}
}

// planned checks that an apply takes this action on Kim's invite, and that the next plan is empty.
func planned(action plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{
		PreApply:             []plancheck.PlanCheck{plancheck.ExpectResourceAction(kim, action)},
		PostApplyPostRefresh: emptyPlan.PostApplyPostRefresh,
	}
}

func TestInviteCodeResource_guide_dataSourceWithDependsOn(t *testing.T) {
	t.Parallel()
	const looked = "group = data.chainguard_group.acme.id\nrole = \"viewer\"\n"
	for name, test := range map[string]struct {
		dependsOn, attributes string
		action                plancheck.ResourceActionType
	}{
		"replaces":           {"depends_on = [terraform_data.before]\n", looked, plancheck.ResourceActionReplace},
		"omitted, keeps":     {"", looked, plancheck.ResourceActionNoop},
		"with a name, keeps": {"depends_on = [terraform_data.before]\n", acmeViewer, plancheck.ResourceActionNoop},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := acctest.New(t)
			config := func(input string) string {
				return "resource \"terraform_data\" \"before\" {\ninput = \"" + input + "\"\n}\n" +
					"data \"chainguard_group\" \"acme\" {\nname = \"acme.example\"\n" + test.dependsOn + "}\n" + kimWith(test.attributes)
			}
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: p.Factories(),
				CheckDestroy:             checkAllRevoked(p),
				Steps: []resource.TestStep{
					{Config: config("one"), ConfigPlanChecks: emptyPlan},
					{Config: config("two"), ConfigPlanChecks: planned(test.action)},
				},
			})
		})
	}
}
