package examples_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

func TestExamples_dataSources_read(t *testing.T) {
	t.Parallel()
	providerBlock := read(t, "provider/provider.tf")
	examples, err := filepath.Glob("data-sources/*/data-source*.tf")
	if err != nil || len(examples) == 0 {
		t.Fatalf("found %d examples, error %v", len(examples), err)
	}
	for _, example := range examples {
		t.Run(strings.TrimSuffix(example, ".tf"), func(t *testing.T) {
			t.Parallel()
			platform := acctest.New(t)
			platform.AddInvite(emulator.Invite{Group: platform.Group("acme.example/platform"), RoleUID: platform.Role("viewer")})
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: platform.Factories(),
				Steps: []resource.TestStep{{
					Config:           providerBlock + "\n" + read(t, example),
					ConfigPlanChecks: resource.ConfigPlanChecks{PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
				}},
			})
		})
	}
}

func TestExamples_ephemeral_codeIsAcceptedWithinTheRun(t *testing.T) {
	t.Parallel()
	platform := acctest.New(t)
	w := exampleWorkspace(t, platform.ServerOf(), "main.tf", "ephemeral-resources/chainguard_invite_code/ephemeral-resource.tf")
	w.NeedsVersion("1.10.0", "1.11.0")

	// A chainctl that notes what it is called with.
	noted := filepath.Join(t.TempDir(), "arguments")
	tools := t.TempDir()
	if err := os.WriteFile(filepath.Join(tools, "chainctl"), []byte("#!/bin/sh\necho \"$@\" > "+noted+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.Setenv("PATH", tools+string(filepath.ListSeparator)+os.Getenv("PATH"))

	w.Run("init")
	w.Run("apply", "-auto-approve")
	arguments := strings.Fields(read(t, noted))
	if len(arguments) != 4 || !slices.Equal(arguments[:3], []string{"auth", "login", "--invite-code"}) {
		t.Fatalf("chainctl is called with %d arguments", len(arguments))
	}
	if live := platform.Live(); len(live) != 0 {
		t.Errorf("%d codes outlive the run", len(live))
	}
	acctest.Canaries{"code": arguments[3]}.ExpectNoneIn(t, w.Path("."))
}

func TestExamples_ephemeral_codeIsHandedToASecretStore(t *testing.T) {
	t.Parallel()
	platform := acctest.New(t)
	stubs := platform.Stubs()
	w := exampleWorkspace(t, stubs.Serve(), "main.tf", "ephemeral-resources/chainguard_invite_code/ephemeral-resource_write_only.tf")
	w.NeedsVersion("1.11.0", "1.11.0")
	w.Run("init")
	w.Run("plan", "-out=saved.tfplan")
	if live := platform.Live(); len(live) != 0 {
		t.Errorf("%d codes outlive the plan", len(live))
	}
	w.Run("apply", "saved.tfplan")
	live, secrets := platform.Live(), stubs.Secrets()
	if len(live) != 1 || len(secrets) != 1 || live[0].Code != secrets[0] {
		t.Fatalf("%d codes live and %d were handed over, want the same one", len(live), len(secrets))
	}
	acctest.Canaries{"code": secrets[0]}.ExpectNoneIn(t, w.Path("."))
}

func TestExamples_list_findsInvites(t *testing.T) {
	t.Parallel()
	platform := acctest.New(t)
	platform.AddInvite(emulator.Invite{Group: platform.Group("acme.example/platform"), RoleUID: platform.Role("viewer")})
	w := exampleWorkspace(t, platform.ServerOf(), "invites.tfquery.hcl", "list-resources/chainguard_invite_code/list-resource.tfquery.hcl")
	w.NeedsVersion("1.14.0", noOpenTofu)
	w.Run("init")
	if output := w.Run("query"); !strings.Contains(output, "viewer for anyone in acme.example/platform until") {
		t.Errorf("the query found:\n%s", output)
	}
}

func TestExamples_action_deletesExpiredInvites(t *testing.T) {
	t.Parallel()
	platform := acctest.New(t)
	platform.AddInvite(emulator.Invite{
		Group: platform.Group("acme.example/platform"), RoleUID: platform.Role("viewer"), Created: acctest.Start.Add(-day), TTL: time.Hour,
	})
	w := exampleWorkspace(t, platform.ServerOf(), "main.tf", "actions/chainguard_delete_expired_invite_codes/action.tf")
	w.NeedsVersion("1.14.0", noOpenTofu)
	w.Run("init")
	w.Run("apply", "-auto-approve")
	if invites, live := platform.Invites(), platform.Live(); len(invites) != 1 || len(live) != 1 {
		t.Errorf("there are %d invites, and %d of them live; want the new one", len(invites), len(live))
	}
}

// noOpenTofu is the version of OpenTofu that an example needs which needs what OpenTofu does not have.
const noOpenTofu = "99.0.0"

// exampleWorkspace is a workspace with an example, as a file of that name, beside the provider block.
func exampleWorkspace(t *testing.T, serve map[string]acctest.ServerFactory, name, example string) *acctest.Workspace {
	t.Helper()
	w := acctest.NewWorkspace(t, "", serve)
	w.Write("provider.tf", read(t, "provider/provider.tf"))
	w.Write(name, read(t, example))
	return w
}
