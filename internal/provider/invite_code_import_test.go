package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// invite puts an invite on the platform that Terraform knows nothing of.
func invite(p *acctest.Platform) emulator.Invite {
	return p.AddInvite(emulator.Invite{
		Group: p.Group("acme.example/platform"), RoleUID: p.Role("viewer"), Email: "kim@example.com", TTL: 5 * day, SingleUse: true,
	})
}

// waysToNameIt are configurations that match the invite.
func waysToNameIt(p *acctest.Platform) map[string]string {
	rest := "email = \"kim@example.com\"\nttl = \"120h\"\nsingle_use = true\n"
	return map[string]string{
		"by names": "group = \"acme.example/platform\"\nrole = \"viewer\"\n" + rest,
		"by UIDPs": fmt.Sprintf("group = %q\nrole = %q\n", p.Group("acme.example/platform"), p.Role("viewer")) + rest,
		"by names, with a lifetime that is almost the same": "group = \"acme.example/platform\"\nrole = \"viewer\"\nemail = \"kim@example.com\"\n" +
			"ttl = \"432010s\"\nsingle_use = true\n",
		"by names, with no lifetime": "group = \"acme.example/platform\"\nrole = \"viewer\"\nemail = \"kim@example.com\"\nsingle_use = true\n",
		"by the folder's name":       "group = \"platform\"\nrole = \"viewer\"\n" + rest,
	}
}

func TestImportedInviteMatchesItsConfiguration(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	for name, attributes := range waysToNameIt(p) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := invite(p).UID
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: p.Factories(),
				Steps: []resource.TestStep{
					{
						Config: kimWith(attributes) + fmt.Sprintf("import {\nto = %s\nid = %q\n}\n", kim, id),
						ConfigPlanChecks: resource.ConfigPlanChecks{
							PreApply: []plancheck.PlanCheck{
								plancheck.ExpectResourceAction(kim, plancheck.ResourceActionNoop),
								plancheck.ExpectKnownValue(kim, attribute("id"), knownvalue.StringExact(id)),
							},
							PostApplyPostRefresh: emptyPlan.PostApplyPostRefresh,
						},
						ConfigStateChecks: []statecheck.StateCheck{
							statecheck.ExpectKnownValue(kim, attribute("id"), knownvalue.StringExact(id)),
							statecheck.ExpectKnownValue(kim, attribute("code"), knownvalue.Null()),
							statecheck.ExpectKnownValue(kim, attribute("ttl"), knownvalue.StringExact("5d")),
							statecheck.ExpectKnownValue(kim, attribute("single_use"), knownvalue.Bool(true)),
							statecheck.ExpectKnownValue(kim, attribute("status"), knownvalue.StringExact("active")),
							statecheck.ExpectKnownValue(kim, attribute("role_name"), knownvalue.StringExact("viewer")),
						},
					},
				},
			})
		})
	}
}

func TestImportByCommandAndByIdentity(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		kind resource.ImportStateKind
	}{
		"command":                {kind: resource.ImportCommandWithID},
		"block":                  {kind: resource.ImportBlockWithID},
		"block with an identity": {kind: resource.ImportBlockWithResourceIdentity},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := acctest.New(t)
			var checks []tfversion.TerraformVersionCheck
			if test.kind == resource.ImportBlockWithResourceIdentity {
				checks = append(checks, tfversion.SkipBelow(tfversion.Version1_12_0))
			}
			config := kimWith(acmeViewer + "ttl = \"1w\"")
			resource.UnitTest(t, resource.TestCase{
				TerraformVersionChecks:   checks,
				ProtoV6ProviderFactories: p.Factories(),
				CheckDestroy:             checkAllRevoked(p),
				Steps: []resource.TestStep{
					{Config: config, ConfigPlanChecks: emptyPlan},
					{
						ResourceName:            kim,
						ImportState:             true,
						ImportStateKind:         test.kind,
						ImportStateVerify:       test.kind == resource.ImportCommandWithID,
						ImportStateVerifyIgnore: []string{"code", "group", "role", "ttl"}, // null, UIDPs, derived
					},
				},
			})
		})
	}
}

func TestImportRefusesWhatIsNoInvite(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	code := invite(p).Code
	for name, test := range map[string]struct{ id, want string }{
		"a name":          {"acme.example", "Not the UIDP of an Invite"},
		"a code":          {code, "Not the UIDP of an Invite"},
		"an organization": {p.Group("acme.example"), "Not the UIDP of an Invite"},
		"a folder":        {p.Group("acme.example/platform"), "is a group"},
		"nobody's":        {p.Group("acme.example") + "/0123456789abcdef", "No Such Invite"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := workspace(t, p, kimWith(acmeViewer)+"variable \"id\" {}\nimport {\nto = "+kim+"\nid = var.id\n}\n")
			w.Setenv("TF_VAR_id", test.id)
			output, _ := w.Try("plan")
			// Before it, Terraform itself tells what it is about to import.
			_, problem, _ := strings.Cut(output, "\nError: ")
			problem = strings.Join(strings.Fields(problem), " ")
			if !strings.Contains(problem, test.want) {
				t.Errorf("want an error with %q, got:\n%s", test.want, problem)
			}
			if strings.Contains(problem, code) {
				t.Error("the error shows the code")
			}
		})
	}
}

func TestImportAdoptsTriggersWithoutMinting(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	id := invite(p).UID
	attributes := "group = \"platform\"\nrole = \"viewer\"\nemail = \"kim@example.com\"\nttl = \"5d\"\nsingle_use = true\n"
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		CheckDestroy:             checkAllRevoked(p),
		Steps: []resource.TestStep{
			{
				Config: kimWith(attributes+`rotation_triggers = { quarter = "1" }`) + fmt.Sprintf("import {\nto = %s\nid = %q\n}\n", kim, id),
				ConfigPlanChecks: resource.ConfigPlanChecks{
					PreApply:             []plancheck.PlanCheck{plancheck.ExpectResourceAction(kim, plancheck.ResourceActionUpdate)},
					PostApplyPostRefresh: emptyPlan.PostApplyPostRefresh,
				},
			},
			{
				Config: kimWith(attributes + `rotation_triggers = { quarter = "2" }`),
				ConfigPlanChecks: resource.ConfigPlanChecks{
					PreApply:             []plancheck.PlanCheck{plancheck.ExpectResourceAction(kim, plancheck.ResourceActionReplace)},
					PostApplyPostRefresh: emptyPlan.PostApplyPostRefresh,
				},
				ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectKnownValue(kim, attribute("code"), knownvalue.NotNull())},
			},
		},
	})
}

func TestIdentityIsTheID(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	resource.UnitTest(t, resource.TestCase{
		TerraformVersionChecks:   []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_12_0)},
		ProtoV6ProviderFactories: p.Factories(),
		Steps: []resource.TestStep{{
			Config:            kimWith(acmeViewer),
			ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectIdentityValueMatchesState(kim, attribute("id"))},
		}},
	})
}
