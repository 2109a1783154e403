//go:build unix

package docs_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// The commands for a real organization, with an emulator in place of it: the tests pass, and leave nothing.
func TestContributing_testacc_leavesNothing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds the tests of the provider")
	}
	platform := emulator.ForTest(t, emulator.Options{})
	cli, checkout := newContributor(t)
	for name, value := range platform.Environment() {
		if name != "CHAINGUARD_TOKEN" {
			cli.Setenv(name, value)
		}
	}
	cli.PutOnPath(t, map[string]string{
		"terraform": acctest.Runs(cli.Executable),
		"chainctl":  acctest.Chainctl(t, platform, "admin@acme.example"),
	})
	script := testaccCommands(t)
	const named = "CHAINGUARD_ACC_GROUP=your-organization"
	if strings.Count(script, named) != 1 {
		t.Fatalf("the commands do not have %s:\n%s", named, script)
	}
	out := cli.RunScript(t, checkout+strings.Replace(script, "your-organization", "acme.example", 1))
	if !strings.Contains(out, "--- PASS: TestAcc") {
		t.Errorf("no test has passed:\n%s", out)
	}
	if invites := platform.Invites(); len(invites) != 0 {
		t.Errorf("%d invites are left on the platform", len(invites))
	}
}

func TestContributing_testacc_needsAGroup(t *testing.T) {
	t.Parallel()
	cli, checkout := newContributor(t)
	cli.PutOnPath(t, map[string]string{"go": "echo 'go is run'", "terraform": "exit 1"})
	if out := cli.RunScript(t, checkout+"! make testacc"); !strings.Contains(out, "CHAINGUARD_ACC_GROUP=your-organization make testacc") ||
		strings.Contains(out, "go is run\n") {
		t.Errorf("it does not ask for the group:\n%s", out)
	}
}

func testaccCommands(t *testing.T) string {
	t.Helper()
	for _, block := range readPage(t, "CONTRIBUTING.md").blocksOf("sh") {
		if strings.Contains(block, "make testacc") {
			return block
		}
	}
	t.Fatal("CONTRIBUTING.md does not run make testacc")
	return ""
}

// newContributor returns an environment in which make works, and the command that goes to the checkout.
func newContributor(t *testing.T) (cli *acctest.CLI, checkout string) {
	t.Helper()
	cli, err := acctest.NewCLI(t.TempDir())
	if err != nil {
		t.Skip(err)
	}
	allowGo(t, cli)
	folder, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	return cli, "cd '" + folder + "'\n"
}
