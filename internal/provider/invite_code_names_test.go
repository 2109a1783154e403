package provider_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
)

func TestInviteCodeResource_names_equivalentSpellingsAreNoChange(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	id := newCompare("id", compare.ValuesSame())
	same := func(group, role string) resource.TestStep {
		return resource.TestStep{
			Config: kimWith(fmt.Sprintf("group = %q\nrole = %q", group, role)),
			ConfigPlanChecks: resource.ConfigPlanChecks{
				PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(kim, plancheck.ResourceActionNoop)},
			},
			ConfigStateChecks: []statecheck.StateCheck{id.AddStateValue()},
		}
	}
	folder, viewer := p.Group("acme.example/platform"), p.Role("viewer")
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		CheckDestroy:             checkAllRevoked(p),
		Steps: []resource.TestStep{
			{Config: kimWith("group = \"platform\"\nrole = \"viewer\""), ConfigStateChecks: []statecheck.StateCheck{id.AddStateValue()}},
			same("acme.example/platform", "viewer"),
			same(folder, "viewer"),
			same("platform", viewer),
			same(folder, viewer),
		},
	})
}

func TestInviteCodeResource_names_unchangedNeedNoLookup(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	config := kimWith("group = \"acme.example/platform\"\nrole = \"viewer\"")
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		Steps: []resource.TestStep{
			{Config: config},
			{
				PreConfig: p.ResetRequests,
				Config:    config,
				Check: func(*terraform.State) error {
					if p.Count("ListGroups")+p.Count("ListRoles")+p.Count("GetGroup")+p.Count("GetRole") > 0 {
						return fmt.Errorf("an unchanged configuration looked names up: %v", p.Counts())
					}
					return nil
				},
			},
		},
	})
}

func TestInviteCodeResource_names_unknownFailThePlan(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	other := p.AddGroup("", "rival.example", acctest.Start)
	p.AddRole(other, "invite-wizard") // not visible from acme.example
	for name, test := range map[string]struct{ group, role, want string }{
		"misspelled role":              {"acme.example", "veiwer", `no role named "veiwer"[\s\S]*Did\s+you\s+mean\s+"viewer"`},
		"role of another organization": {"acme.example", "invite-wizard", `Role Not Found`},
		"misspelled group":             {"acme.exmaple", "viewer", `no group named "acme.exmaple"[\s\S]*Did\s+you\s+mean\s+"acme.example"`},
		"misspelled folder":            {"acme.example/platforn", "viewer", `no group named "platforn" in\s+"acme.example"[\s\S]*Did\s+you\s+mean\s+"platform"`},
		"no similar name":              {"acme.example", "zzzzzzzz", `There are: `},
		"folder of another group":      {"platform/acme.example", "viewer", `Group Not Found`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: p.Factories(),
				Steps: []resource.TestStep{{
					Config:      kimWith(fmt.Sprintf("group = %q\nrole = %q", test.group, test.role)),
					PlanOnly:    true,
					ExpectError: regexp.MustCompile(test.want),
				}},
			})
		})
	}
}

func TestInviteCodeResource_defaultGroup_isTheProviders(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		CheckDestroy:             checkAllRevoked(p),
		Steps: []resource.TestStep{
			{Config: kimWith(`role = "viewer"`), ExpectError: regexp.MustCompile(`Missing Group[\s\S]*CHAINGUARD_DEFAULT_GROUP`)},
			{
				PreConfig:        func() { p.Setenv("CHAINGUARD_DEFAULT_GROUP", "acme.example") },
				Config:           kimWith(`role = "viewer"`),
				ConfigPlanChecks: emptyPlan,
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(kim, attribute("group"), knownvalue.StringExact("acme.example")),
				},
			},
			{
				// The provider block takes precedence over the environment, and another default is another group.
				Config: "provider \"chainguard\" {\ngroup = \"acme.example/platform\"\n}\n" + kimWith(`role = "viewer"`),
				ConfigPlanChecks: resource.ConfigPlanChecks{
					PreApply:             []plancheck.PlanCheck{plancheck.ExpectResourceAction(kim, plancheck.ResourceActionReplace)},
					PostApplyPostRefresh: emptyPlan.PostApplyPostRefresh,
				},
			},
		},
	})
}

func TestInviteCodeResource_cluster(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	config := kimWith("group = \"acme.example\"\ncluster = true")
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		CheckDestroy:             checkAllRevoked(p),
		Steps: []resource.TestStep{
			{Config: config, PlanOnly: true, ExpectError: regexp.MustCompile(`Missing Cluster Role[\s\S]*Set\s+.role.`)},
			{
				PreConfig:        func() { p.AddRole("", platform.ClusterRoleName) },
				Config:           config,
				ConfigPlanChecks: emptyPlan,
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(kim, attribute("role"), knownvalue.Null()),
					statecheck.ExpectKnownValue(kim, attribute("role_name"), knownvalue.StringExact(platform.ClusterRoleName)),
				},
			},
		},
	})
}

func TestInviteCodeResource_unknown_isNoError(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	config := `
		resource "terraform_data" "later" {
			input = { group = "acme.example", role = "viewer", email = "kim@example.com", ttl = "5d", single_use = true }
		}
	` + kimWith(`
		group      = terraform_data.later.output.group
		role       = terraform_data.later.output.role
		email      = terraform_data.later.output.email
		ttl        = terraform_data.later.output.ttl
		single_use = terraform_data.later.output.single_use
	`)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		CheckDestroy:             checkAllRevoked(p),
		Steps: []resource.TestStep{{
			Config: config,
			ConfigPlanChecks: resource.ConfigPlanChecks{
				PreApply:             []plancheck.PlanCheck{plancheck.ExpectUnknownValue(kim, attribute("group_id")), plancheck.ExpectUnknownValue(kim, attribute("role_id"))},
				PostApplyPostRefresh: emptyPlan.PostApplyPostRefresh,
			},
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(kim, attribute("group_id"), knownvalue.StringExact(p.Group("acme.example"))),
			},
		}},
	})
}

func TestInviteCodeResource_unknown_providerSettingIsNoDefault(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	api := p.Getenv("CHAINGUARD_PLATFORM_API")
	p.Setenv("CHAINGUARD_PLATFORM_API", "https://console-api.example.invalid") // must not be used
	config := fmt.Sprintf(`
		resource "terraform_data" "api" {
			input = %q
		}
		provider "chainguard" {
			api = terraform_data.api.output
		}
	`, api) + kimWith(acmeViewer)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		CheckDestroy:             checkAllRevoked(p),
		Steps:                    []resource.TestStep{{Config: config, ConfigPlanChecks: emptyPlan}},
	})
}

func TestInviteCodeResource_plan_ofUIDPsWorksOffline(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	p.Setenv("CHAINGUARD_TOKEN", "")
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		Steps: []resource.TestStep{{
			Config:             kimWith(fmt.Sprintf("group = %q\nrole = %q", p.Group("acme.example"), p.Role("viewer"))),
			PlanOnly:           true,
			ExpectNonEmptyPlan: true,
		}},
	})
	if n := p.Connections(); n != 0 {
		t.Errorf("a plan that needs no API made %d connections", n)
	}
}

func TestInviteCodeResource_errors_unavailableAPI(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down := "http://" + listener.Addr().String()
	_ = listener.Close()
	p.Setenv("CHAINGUARD_PLATFORM_API", down)
	for name, test := range map[string]struct{ config, want string }{
		"plan":  {kimWith(acmeViewer), "Unable to Find Group"},
		"apply": {kimWith(fmt.Sprintf("group = %q\nrole = %q", p.Group("acme.example"), p.Role("viewer"))), "Unable to Create Invite Code"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := workspace(t, p, "provider \"chainguard\" {\nrequest_timeout = \"3s\"\n}\n"+test.config)
			output, _ := w.Try("apply", "-auto-approve")
			expectOneError(t, output, test.want, down)
		})
	}
}

// A server that supports only HTTP/1, such as some middleboxes, does not mean that the platform is down.
func TestInviteCodeResource_errors_http1(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	old := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(old.Close)
	p.Setenv("CHAINGUARD_PLATFORM_API", old.URL)
	w := workspace(t, p, "provider \"chainguard\" {\nrequest_timeout = \"3s\"\n}\n"+kimWith(acmeViewer))
	output, _ := w.Try("plan")
	expectOneError(t, output, "Unable to Find Group", "let HTTP/2 through")
}

func TestInviteCodeResource_errors_signedOut(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	p.Setenv("CHAINGUARD_TOKEN", "")
	output, _ := workspace(t, p, kimWith(acmeViewer)).Try("apply", "-auto-approve")
	expectOneError(t, output, "Not Signed In to Chainguard", "chainctl auth login")
}

// expectOneError fails the test unless the output has a single error, which is about kim, and has this summary and
// text.
func expectOneError(t *testing.T, output, summary, want string) {
	t.Helper()
	if count := strings.Count(output, "\nError: "); count != 1 {
		t.Errorf("%d errors, want one", count)
	}
	unwrapped := strings.Join(strings.Fields(output), " ")
	for _, part := range []string{"Error: " + summary + " with " + kim + ",", want} {
		if !strings.Contains(unwrapped, part) {
			t.Errorf("the output lacks %q", part)
		}
	}
	if t.Failed() {
		t.Log(output)
	}
}

func TestInviteCodeResource_signIn_cachedToken(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	p.CacheToken(t, p.Getenv("CHAINGUARD_TOKEN"))
	p.Setenv("CHAINGUARD_TOKEN", "")
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		CheckDestroy:             checkAllRevoked(p),
		Steps:                    []resource.TestStep{{Config: kimWith(acmeViewer), ConfigPlanChecks: emptyPlan}},
	})
}

func TestInviteCodeResource_errors_fieldViolations(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		Steps: []resource.TestStep{{
			Config:      kimWith(acmeViewer + "ttl = \"40000d\""),
			ExpectError: regexp.MustCompile(`on [\s\S]*line \d+[\s\S]*ttl\s+= "40000d"[\s\S]*does not accept this value of .ttl.`),
		}},
	})
}

// Each call waits for the other, so neither returns if they are made one after the other.
func TestInviteCodeResource_names_areLookedUpConcurrently(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	asked := map[string]chan struct{}{"ListGroups": make(chan struct{}), "ListRoles": make(chan struct{})}
	for method, other := range map[string]string{"ListGroups": "ListRoles", "ListRoles": "ListGroups"} {
		p.Inject(emulator.Fault{Method: method, Delay: time.Nanosecond, Times: 1, Match: func(proto.Message) bool {
			close(asked[method])
			select {
			case <-asked[other]:
			case <-time.After(10 * time.Second):
				t.Errorf("%s waits for an answer to %s", other, method)
			}
			return true
		}})
	}
	config := acctest.Config{"group": "acme.example", "role": "viewer"}
	if _, _, diags := p.Protocol(t, nil).Open("chainguard_invite_code", config); len(diags.Errors()) > 0 {
		t.Error(diags)
	}
}

// A proxy's 403 does not mean that a capability is missing.
func TestInviteCodeResource_errors_proxy(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	p.Inject(emulator.Fault{Method: "ListGroups", Proxy: &emulator.ProxyAnswer{Status: 403, ContentType: "text/html", Body: "<html>Blocked</html>"}})
	output, _ := workspace(t, p, kimWith(acmeViewer)).Try("plan")
	expectOneError(t, output, "Unable to Find Group", "Check the proxies")
	if strings.Contains(output, "capability") {
		t.Errorf("it mentions a capability:\n%s", output)
	}
}
