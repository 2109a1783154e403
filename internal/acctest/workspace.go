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

// Workspace is a folder in which Terraform or OpenTofu runs as a user would run it. It is for what
// terraform-plugin-testing cannot do: several files, providers with the same local name, `terraform test`, and
// providers that run as a program, with logs, signals and files.
type Workspace struct {
	*CLI
	t *testing.T
}

// NewWorkspace creates a workspace with a copy of the folder from, or an empty one if from is "". The providers in
// serve, by source address such as "hashicorp/aws", run in the process of the test.
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

// NewProgramWorkspace creates an empty workspace, and a platform with the real clock that stops when the test ends.
// Terraform runs the provider as a program, signed in to the platform as its administrator.
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

// NeedsVersion skips the test if the CLI is older than this version of Terraform or of OpenTofu.
func (w *Workspace) NeedsVersion(terraform, tofu string) {
	w.t.Helper()
	if !w.AtLeast(terraform, tofu) {
		w.t.Skipf("it needs Terraform %s or OpenTofu %s", terraform, tofu)
	}
}

// InstallBuiltProvider builds the provider and makes `terraform init` install it, and no other provider.
func (w *Workspace) InstallBuiltProvider() {
	w.t.Helper()
	if err := w.InstallProvider(ProviderProgram(w.t), InstallVersion); err != nil {
		w.t.Fatal(err)
	}
}

// Path returns the path of a file in the folder.
func (w *Workspace) Path(name string) string { return filepath.Join(w.Dir, filepath.FromSlash(name)) }

// Write writes a file in the folder.
func (w *Workspace) Write(name, content string) {
	w.t.Helper()
	if err := os.WriteFile(w.Path(name), []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// Configure writes main.tf, with the required_providers block added.
func (w *Workspace) Configure(hcl string) {
	w.t.Helper()
	w.Write("main.tf", fmt.Sprintf("terraform {\n  required_providers {\n    chainguard = {\n      source = %q\n    }\n  }\n}\n",
		OurSource)+hcl)
}

// SetPlatform signs the provider in to a platform as its administrator.
func (w *Workspace) SetPlatform(e *emulator.Emulator) { maps.Copy(w.env, e.Environment()) }

// Run runs Terraform, fails the test if it fails, and returns its combined output.
func (w *Workspace) Run(args ...string) (output string) {
	w.t.Helper()
	output, err := w.Try(args...)
	if err != nil {
		w.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return output
}

// Try is like Run, but returns Terraform's error. Terraform is stopped after three minutes.
func (w *Workspace) Try(args ...string) (output string, err error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), 3*time.Minute)
	defer cancel()
	out, err := w.Command(ctx, args...).CombinedOutput()
	return string(out), err
}

// Output decodes the value of an output.
func (w *Workspace) Output(name string, into any) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(w.Run("output", "-json", name)), into); err != nil {
		// The value is not shown, because it may be a code.
		w.t.Fatalf("output %s is not of the type that is expected", name)
	}
}

// StateIDs returns the ids of the invites in the state.
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
