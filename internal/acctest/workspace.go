package acctest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// Workspace is a folder in which a real Terraform (or OpenTofu) is run as a user would run it. It is for what
// terraform-plugin-testing has no way to do: configurations of several files, providers with the same local name,
// `terraform test`, and what only a provider that is a program shows, such as logs, signals and files.
type Workspace struct {
	*CLI
	t *testing.T
}

// NewWorkspace makes a folder with a copy of the folder from; an empty from is an empty folder. Providers are served by
// the test's process, by its fake clock: those that serve names by their source address, such as "hashicorp/aws".
func NewWorkspace(t *testing.T, from string, serve map[string]ServerFactory) *Workspace {
	t.Helper()
	if _, err := findCLI(); err != nil {
		t.Skip(err)
	}
	cli, err := NewCLI(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &Workspace{CLI: cli, t: t}
	if from != "" {
		if err := os.CopyFS(w.Dir, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	if len(serve) > 0 {
		w.Setenv("TF_REATTACH_PROVIDERS", reattach(t, w.Host(), serve))
	}
	return w
}

// NewProgramWorkspace makes an empty folder, and a platform with the real clock that ends with the test. Terraform
// starts the provider as a program, which is signed in to the platform as its administrator.
func NewProgramWorkspace(t *testing.T) (*Workspace, *emulator.Emulator) {
	t.Helper()
	w := NewWorkspace(t, "", nil)
	if err := w.OverrideProvider(OurSource, ProviderProgram(t)); err != nil {
		t.Fatal(err)
	}
	e := emulator.ForTest(t, emulator.Options{})
	w.SetPlatform(e)
	return w, e
}

// NeedsVersion skips the test where the CLI is older: than terraform if it is Terraform, than tofu if it is OpenTofu.
func (w *Workspace) NeedsVersion(terraform, tofu string) {
	w.t.Helper()
	if !w.AtLeast(terraform, tofu) {
		w.t.Skipf("it needs Terraform %s or OpenTofu %s", terraform, tofu)
	}
}

// InstallBuiltProvider has `terraform init` install the provider that is built from these sources, and no other.
func (w *Workspace) InstallBuiltProvider() {
	w.t.Helper()
	if err := w.InstallProvider(ProviderProgram(w.t), InstallVersion); err != nil {
		w.t.Fatal(err)
	}
}

// Path is that of a file in the folder.
func (w *Workspace) Path(name string) string { return filepath.Join(w.Dir, filepath.FromSlash(name)) }

// Write writes a file in the folder.
func (w *Workspace) Write(name, content string) {
	w.t.Helper()
	if err := os.WriteFile(w.Path(name), []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// Configure writes the configuration. The provider's source is declared here.
func (w *Workspace) Configure(hcl string) {
	w.t.Helper()
	w.Write("main.tf", fmt.Sprintf("terraform {\n  required_providers {\n    chainguard = {\n      source = %q\n    }\n  }\n}\n",
		OurSource)+hcl)
}

// SetPlatform has the provider that Terraform starts be signed in to a platform as its administrator.
func (w *Workspace) SetPlatform(e *emulator.Emulator) { maps.Copy(w.env, e.Environment()) }

// Run runs Terraform, which has to succeed, and returns what it printed to both of its streams.
func (w *Workspace) Run(args ...string) (output string) {
	w.t.Helper()
	output, err := w.Try(args...)
	if err != nil {
		w.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return output
}

// Try is Run where Terraform may fail. It stops one that does not end.
func (w *Workspace) Try(args ...string) (output string, err error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), 3*time.Minute)
	defer cancel()
	out, err := w.Command(ctx, args...).CombinedOutput()
	return string(out), err
}

// Output is the value of an output, into which it is read as JSON.
func (w *Workspace) Output(name string, into any) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(w.Run("output", "-json", name)), into); err != nil {
		// Not with the value: it may be a code.
		w.t.Fatalf("output %s is not of the type that is expected", name)
	}
}

// StateIDs are the ids of the invites in the state.
func (w *Workspace) StateIDs() []string {
	w.t.Helper()
	var state struct {
		Resources []struct {
			Type      string
			Instances []struct{ Attributes struct{ ID string } }
		}
	}
	text, err := os.ReadFile(w.Path("terraform.tfstate"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(text, &state)
	}
	if err != nil {
		w.t.Fatalf("reading the state: %v", err)
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
