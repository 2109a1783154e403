package acctest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// Workspace is a folder in which a real Terraform (or OpenTofu) is run as a user would run it. It is for what
// terraform-plugin-testing has no way to do: configurations of several files, providers with the same local name,
// `terraform test`, and what only a provider that is a program shows, such as logs, signals and files.
type Workspace struct {
	t         *testing.T
	dir       string
	terraform string
	env       map[string]string
}

// NewWorkspace makes a folder with a copy of the folder from; an empty from is an empty folder. Providers are served by
// the test's process, by its fake clock: those that serve names by their source address, such as "hashicorp/aws".
func NewWorkspace(t *testing.T, from string, serve map[string]ServerFactory) *Workspace {
	t.Helper()
	w := &Workspace{t: t, dir: t.TempDir(), terraform: terraformProgram(t), env: map[string]string{}}
	if from != "" {
		if err := os.CopyFS(w.dir, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	w.setHermetic()
	w.setCLIConfig("")
	if len(serve) > 0 {
		w.Setenv("TF_REATTACH_PROVIDERS", w.reattach(serve))
	}
	return w
}

// NewProgramWorkspace makes an empty folder, and a platform with the real clock that ends with the test. Terraform
// starts the provider as a program, which is signed in to the platform as its administrator.
func NewProgramWorkspace(t *testing.T) (*Workspace, *emulator.Emulator) {
	t.Helper()
	w := NewWorkspace(t, "", nil)
	w.overrideProvider(ProviderProgram(t))
	e := emulator.ForTest(t, emulator.Options{})
	w.SetPlatform(e)
	return w, e
}

// Path is that of a file in the folder.
func (w *Workspace) Path(name string) string { return filepath.Join(w.dir, filepath.FromSlash(name)) }

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

// Setenv sets an environment variable for Terraform and for what it starts. An empty value unsets it.
func (w *Workspace) Setenv(name, value string) {
	if value == "" {
		delete(w.env, name)
		return
	}
	w.env[name] = value
}

// Getenv is an environment variable of Terraform, and of what it starts.
func (w *Workspace) Getenv(name string) string { return w.env[name] }

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

// Command is Terraform with these arguments, ready to be started.
func (w *Workspace) Command(ctx context.Context, args ...string) *exec.Cmd {
	return w.Program(ctx, w.terraform, args...)
}

// Program is any program, ready to be started where and as Terraform is.
func (w *Workspace) Program(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = w.dir
	for name, value := range w.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.WaitDelay = 10 * time.Second // What it started may outlive it, and hold its output open.
	return cmd
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

// CacheDir is where a provider that is a program finds the tokens that chainctl cached.
func (w *Workspace) CacheDir() string {
	if runtime.GOOS == "darwin" {
		return filepath.Join(w.home(), "Library", "Caches")
	}
	return filepath.Join(w.home(), ".cache")
}

// setHermetic gives programs what it takes to run at all, and a home of their own: nothing of the sign-in, the
// Terraform settings and the proxies of whoever runs the tests.
func (w *Workspace) setHermetic() {
	w.t.Helper()
	if err := os.Mkdir(w.home(), 0o700); err != nil {
		w.t.Fatal(err)
	}
	for _, name := range []string{"PATH", "TMPDIR", "TMP", "TEMP", "SystemRoot", "ComSpec", "PATHEXT"} {
		w.Setenv(name, os.Getenv(name))
	}
	for name, value := range map[string]string{
		"HOME": w.home(), "USERPROFILE": w.home(), "APPDATA": w.home(), "LOCALAPPDATA": w.CacheDir(),
		"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "TF_CLI_ARGS": "-no-color",
	} {
		w.Setenv(name, value)
	}
}

func (w *Workspace) home() string { return w.Path("home") }
