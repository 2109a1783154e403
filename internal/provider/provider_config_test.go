package provider_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// Run the provider as a program, because all provider blocks share a provider that Terraform attaches to.
func TestProvider_configuredIdentitiesBeatTheTokenInTheEnvironment(t *testing.T) {
	t.Parallel()
	seed := emulator.DefaultSeed()
	for _, name := range []string{"robot-a", "robot-b"} {
		seed.Identities = append(seed.Identities, emulator.SeedIdentity{
			Name: name, Group: "acme.example",
			Bindings: []emulator.SeedBinding{{Group: "acme.example", Role: "owner"}},
		})
	}
	p := emulator.ForTest(t, emulator.Options{Seed: seed})
	w, _ := acctest.NewProgramWorkspace(t)
	w.SetPlatform(p) // sets CHAINGUARD_TOKEN to the administrator's token
	w.Setenv("CHAINGUARD_IDENTITY_TOKEN", emulator.UpstreamToken(emulator.Upstream{
		Issuer: "https://ci.example.com", Subject: "pipeline", Audience: []string{p.URL()}, Expires: time.Now().Add(time.Hour),
	}))
	w.Configure(`
		provider "chainguard" {
			identity = "` + p.Identity("robot-a") + `"
		}
		provider "chainguard" {
			alias    = "b"
			identity = "` + p.Identity("robot-b") + `"
		}
		resource "chainguard_invite_code" "a" {
			group = "acme.example"
			role  = "viewer"
			email = "a@example.com"
		}
		resource "chainguard_invite_code" "b" {
			provider = chainguard.b
			group    = "acme.example"
			role     = "viewer"
			email    = "b@example.com"
		}
	`)
	output := w.Run("apply", "-auto-approve")
	for _, want := range []string{"Environment Variable Not Used", "CHAINGUARD_TOKEN is set, but the provider block sets `identity`"} {
		if !strings.Contains(words(output), want) {
			t.Errorf("the output lacks %q:\n%s", want, output)
		}
	}
	var callers []string
	for _, request := range p.Requests() {
		if request.Method == "CreateGroupInvite" {
			callers = append(callers, request.Identity)
		}
		if request.Identity == p.AdminIdentity() {
			t.Errorf("%s was called with the token of the environment", request.Method)
		}
	}
	want := []string{p.Identity("robot-a"), p.Identity("robot-b")}
	slices.Sort(callers)
	slices.Sort(want)
	if !slices.Equal(callers, want) {
		t.Errorf("the creates were those of %q, want %q", callers, want)
	}
}

// If Configure fails without a provider block, Terraform suggests adding one.
func TestProvider_invalidEnvironmentVariableIsReportedAtFirstUse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		variable, value string
		config          string
		want            string
	}{
		"the API":               {"CHAINGUARD_PLATFORM_API", "console-api.enforce.dev", kimWith(acmeViewer), "sets the provider's `api`"},
		"the timeout":           {"CHAINGUARD_REQUEST_TIMEOUT", "soon", kimWith(acmeViewer), `The value "soon" of the environment variable`},
		"the default group":     {"CHAINGUARD_DEFAULT_GROUP", "ACME", kimWith(`role = "viewer"`), `Did you mean "acme"?`},
		"the configuration":     {"CHAINCTL_CONFIG", "/none/config.yaml", kimWith(acmeViewer), "/none/config.yaml, which CHAINCTL_CONFIG names"},
		"a data source":         {"CHAINGUARD_PLATFORM_API", "console-api.enforce.dev", `data "chainguard_role" "x" { name = "viewer" }`, "sets the provider's `api`"},
		"beside an empty block": {"CHAINGUARD_PLATFORM_API", "console-api.enforce.dev", `provider "chainguard" {}` + "\n" + kimWith(acmeViewer), "sets the provider's `api`"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := acctest.New(t)
			p.Setenv(test.variable, test.value)
			w := workspace(t, p, test.config)
			output, err := w.Try("plan")
			if err == nil {
				t.Fatalf("the plan does not fail:\n%s", output)
			}
			for _, want := range []string{test.variable, test.want} {
				if !strings.Contains(words(output), want) {
					t.Errorf("the output lacks %q:\n%s", want, output)
				}
			}
			if strings.Contains(words(output), "rovider block to the root module") || strings.Count(output, "Error: ") != 1 {
				t.Errorf("want one error, without advice on the provider block:\n%s", output)
			}
			w.Configure(`output "x" { value = 1 }`)
			w.Run("plan")
		})
	}
}

func TestProvider_invalidBlockIsReportedByValidate(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	w := workspace(t, p, "provider \"chainguard\" {\n  group = \"/acme.example/platform\"\n  identity = \"acme\\u200b\"\n}\n"+kimWith(acmeViewer))
	output, err := w.Try("validate")
	if err == nil {
		t.Fatalf("it is valid:\n%s", output)
	}
	for _, want := range []string{`Did you mean "acme.example/platform"?`, "contains the invisible character U+200B at position 5"} {
		if !strings.Contains(words(output), want) {
			t.Errorf("the output lacks %q:\n%s", want, output)
		}
	}
}

// words returns Terraform's output without frames and line breaks.
func words(output string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(output)), " ")
}
