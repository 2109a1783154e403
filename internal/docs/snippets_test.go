package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
)

const requirement = `terraform {
  required_providers {
    chainguard = {
      source = "chainguard-invites/chainguard"
    }
  }
}

`

// A configuration that is copied out of the documentation is one that Terraform accepts. The platform is not asked.
func TestDocs_configurations_validate(t *testing.T) {
	t.Parallel()
	platform := acctest.New(t)
	w := acctest.NewWorkspace(t, "", platform.Stubs().Serve())
	seen := map[string]bool{}
	for name, p := range pages(t) {
		for _, b := range p.blocks {
			if (b.language != "terraform" && b.language != "hcl") || seen[b.text] {
				continue
			}
			seen[b.text] = true
			place := fmt.Sprintf("%s:%d", name, b.line)
			file, problems := hclsyntax.ParseConfig([]byte(b.text), place, hcl.InitialPos)
			if problems.HasErrors() {
				t.Error(problems)
				continue
			}
			body, ok := file.Body.(*hclsyntax.Body)
			if !ok {
				t.Fatalf("%s: a body of type %T", place, file.Body)
			}
			t.Run(place, func(t *testing.T) { validate(t, platform, w, body, b.text) })
		}
	}
}

func validate(t *testing.T, platform *acctest.Platform, versions *acctest.Workspace, body *hclsyntax.Body, config string) {
	t.Helper()
	t.Parallel()
	has := func(kind string) bool {
		return slices.ContainsFunc(body.Blocks, func(b *hclsyntax.Block) bool { return b.Type == kind })
	}
	if has("run") || has("list") {
		return // For `terraform test` and `terraform query`, which other tests run; it is well-formed.
	}
	for _, feature := range []struct {
		used            bool
		terraform, tofu string
	}{
		{has("ephemeral") || strings.Contains(config, "ephemeral = true"), "1.10", "1.11"},
		{strings.Contains(config, "_wo "), "1.11", "1.11"},
		{has("import") && strings.Contains(config, "identity ="), "1.12", "1.12"},
		{has("action"), "1.14", "99"},
	} {
		if feature.used && !versions.AtLeast(feature.terraform, feature.tofu) {
			t.Skipf("it needs Terraform %s or OpenTofu %s", feature.terraform, feature.tofu)
		}
	}

	w := acctest.NewWorkspace(t, "", platform.Stubs().Serve())
	if !strings.Contains(config, "required_providers") {
		config = requirement + config
	}
	if has("module") {
		const source = "github.com/chainguard-invites/terraform-provider-chainguard//examples/modules/onboarding"
		config = strings.ReplaceAll(config, source, "./onboarding")
		if err := os.CopyFS(w.Path("onboarding"), os.DirFS(filepath.Join(root, "examples", "modules", "onboarding"))); err != nil {
			t.Fatal(err)
		}
	}
	w.Write("main.tf", config)
	w.Write("people.csv", "email,role,keys\nkim@acme.example,viewer,\n")
	w.Run("init", "-backend=false")
	w.Run("validate")
}
