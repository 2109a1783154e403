package acctest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// CLI is a real Terraform (or OpenTofu) in a folder of its own, with the provider as a program: for what a provider
// inside of the test's process cannot show, such as logs, signals and files.
type CLI struct {
	*emulator.Emulator
	// Dir is the folder with the configuration and the state.
	Dir string
	// Token is the administrator's, which the provider is signed in with.
	Token string
	// Env is added to the environment of the next commands.
	Env map[string]string
	// Provider is the program of the provider.
	Provider string

	program string
}

// NewCLI starts a platform with the real clock that ends with the test, and prepares a folder.
func NewCLI(t testing.TB) *CLI {
	t.Helper()
	program := terraformProgram(t)
	provider := ProviderProgram(t)
	e := emulator.ForTest(t, emulator.Options{Clock: clock.Real{}})
	c := &CLI{Emulator: e, Dir: t.TempDir(), Token: e.AdminToken(), Provider: provider, program: program}
	c.Write(t, "cli.tfrc", fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n    %q = %q\n  }\n  direct {}\n}\n",
		"registry.terraform.io/chainguard-invites/chainguard", filepath.Dir(provider),
		"registry.opentofu.org/chainguard-invites/chainguard", filepath.Dir(provider)))
	c.Env = map[string]string{
		"CHAINGUARD_PLATFORM_API":      e.URL(),
		"CHAINGUARD_PLATFORM_ISSUER":   e.URL(),
		"CHAINGUARD_PLATFORM_AUDIENCE": e.Audience(),
		"CHAINGUARD_TOKEN":             c.Token,
	}
	return c
}

// Write writes a file of the folder.
func (c *CLI) Write(t testing.TB, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.Dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Configure writes the configuration. The provider's source is declared here.
func (c *CLI) Configure(t testing.TB, hcl string) {
	t.Helper()
	c.Write(t, "main.tf", "terraform {\n  required_providers {\n    chainguard = {\n      source = \"chainguard-invites/chainguard\"\n    }\n  }\n}\n"+hcl)
}

// Command is the CLI with these arguments, ready to be started.
func (c *CLI) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.program, args...)
	cmd.Dir = c.Dir
	home := filepath.Join(c.Dir, "home")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_CACHE_HOME=" + home, "XDG_CONFIG_HOME=" + home, "TMPDIR=" + os.TempDir(),
		"TF_CLI_CONFIG_FILE=" + filepath.Join(c.Dir, "cli.tfrc"), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TF_CLI_ARGS=-no-color",
		"SystemRoot=" + os.Getenv("SystemRoot"), // Windows does not resolve names without it.
	}
	for name, value := range c.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// IsOpenTofu reports whether the CLI is OpenTofu.
func (c *CLI) IsOpenTofu() bool { return isOpenTofu(c.program) }

// Run runs the CLI to its end. The output holds both of its streams.
func (c *CLI) Run(t testing.TB, args ...string) (output string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	out, err := c.Command(ctx, args...).CombinedOutput()
	return string(out), err
}

// MustRun is Run that fails the test where the CLI fails.
func (c *CLI) MustRun(t testing.TB, args ...string) (output string) {
	t.Helper()
	output, err := c.Run(t, args...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return output
}

// StateIDs are the ids of the invites in the state.
func (c *CLI) StateIDs(t testing.TB) []string {
	t.Helper()
	var state struct {
		Resources []struct {
			Type      string
			Instances []struct{ Attributes struct{ ID string } }
		}
	}
	text, err := os.ReadFile(filepath.Join(c.Dir, "terraform.tfstate"))
	if os.IsNotExist(err) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(text, &state)
	}
	if err != nil {
		t.Fatalf("reading the state: %v", err)
	}
	var ids []string
	for _, resource := range state.Resources {
		for _, instance := range resource.Instances {
			if resource.Type == "chainguard_invite_code" {
				ids = append(ids, instance.Attributes.ID)
			}
		}
	}
	return ids
}

// isOpenTofu reports whether the program is OpenTofu, by its name.
func isOpenTofu(program string) bool { return strings.Contains(filepath.Base(program), "tofu") }

// terraformProgram is the CLI that tests are to use, as make tells them, or the one on PATH.
func terraformProgram(t testing.TB) string {
	t.Helper()
	if program := os.Getenv("TF_ACC_TERRAFORM_PATH"); program != "" {
		return program
	}
	for _, name := range []string{"terraform", "tofu"} {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	t.Skip("no terraform and no tofu on PATH: `make test` builds one")
	return ""
}
