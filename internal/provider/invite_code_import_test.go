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

// invite adds an invite that Terraform does not manage.
func invite(p *acctest.Platform) emulator.Invite {
	return p.AddInvite(emulator.Invite{
		Group: p.Group("acme.example/platform"), RoleUID: p.Role("viewer"), Email: "kim@example.com", TTL: 5 * day, SingleUse: true,
	})
}

// An import stores UIDPs. The first plan replaces them by the configured names in an update in place. With configured
// UIDPs, it is empty.
func TestInviteCodeResource_import_takesUpTheConfiguration(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	folder, viewer := p.Group("acme.example/platform"), p.Role("viewer")
	for name, test := range map[string]struct{ group, role, ttl string }{
		"by names":                               {"acme.example/platform", "viewer", `ttl = "120h"`},
		"by UIDPs":                               {folder, viewer, `ttl = "120h"`},
		"by names, with almost the same ttl":     {"acme.example/platform", "viewer", `ttl = "432010s"`},
		"by names, without a ttl":                {"acme.example/platform", "viewer", ""},
		"by the folder's name and the role's ID": {"platform", viewer, `ttl = "120h"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := invite(p).UID
			attributes := fmt.Sprintf("group = %q\nrole = %q\nemail = \"kim@example.com\"\nsingle_use = true\n%s\n", test.group, test.role, test.ttl)
			action := plancheck.ResourceActionUpdate
			if test.group == folder {
				action = plancheck.ResourceActionNoop
			}
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: p.Factories(),
				Steps: []resource.TestStep{
					{
						Config: kimWith(attributes) + fmt.Sprintf("import {\nto = %s\nid = %q\n}\n", kim, id),
						ConfigPlanChecks: resource.ConfigPlanChecks{
							PreApply: []plancheck.PlanCheck{
								plancheck.ExpectResourceAction(kim, action),
								plancheck.ExpectKnownValue(kim, attribute("id"), knownvalue.StringExact(id)),
							},
							PostApplyPostRefresh: emptyPlan.PostApplyPostRefresh,
						},
						ConfigStateChecks: []statecheck.StateCheck{
							statecheck.ExpectKnownValue(kim, attribute("id"), knownvalue.StringExact(id)),
							statecheck.ExpectKnownValue(kim, attribute("group"), knownvalue.StringExact(test.group)),
							statecheck.ExpectKnownValue(kim, attribute("role"), knownvalue.StringExact(test.role)),
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

func TestInviteCodeResource_import_byCommandAndIdentity(t *testing.T) {
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
			// Use UIDPs, because the testing framework accepts no update with an import.
			config := kimWith(fmt.Sprintf("group = %q\nrole = %q\nttl = \"1w\"", p.Group("acme.example"), p.Role("viewer")))
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
						ImportStateVerifyIgnore: []string{"code", "ttl"}, // null, derived
					},
				},
			})
		})
	}
}

func TestInviteCodeResource_import_refusesOtherIDs(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	code := invite(p).Code
	for name, test := range map[string]struct{ id, want string }{
		"a name":          {"acme.example", "Invalid Import ID"},
		"a code":          {code, "Invalid Import ID"},
		"an organization": {p.Group("acme.example"), "Invalid Import ID"},
		"a folder":        {p.Group("acme.example/platform"), "is a group"},
		"missing":         {p.Group("acme.example") + "/0123456789abcdef", "Invite Code Not Found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := workspace(t, p, kimWith(acmeViewer)+"variable \"id\" {}\nimport {\nto = "+kim+"\nid = var.id\n}\n")
			w.Setenv("TF_VAR_id", test.id)
			output, _ := w.Try("plan")
			// The output before it names the resource to import.
			_, problem, _ := strings.Cut(output, "\nError: ")
			problem = strings.Join(strings.Fields(problem), " ")
			if !strings.Contains(problem, test.want) {
				t.Errorf("want an error with %q, got:\n%s", test.want, problem)
			}
			if strings.Contains(problem, code) {
				t.Error("the error shows the code")
			}
			if strings.Contains(output, "Warning: Imported") {
				t.Error("an import that fails warns as well")
			}
		})
	}
}

func TestInviteCodeResource_import_recordsTriggers(t *testing.T) {
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

func TestInviteCodeResource_identity(t *testing.T) {
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
