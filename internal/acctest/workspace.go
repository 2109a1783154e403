package acctest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

// OurSource is how configurations name the provider.
const OurSource = "chainguard-invites/chainguard"

// ServerFactory makes a provider that a test serves to Terraform.
type ServerFactory = func() (tfprotov6.ProviderServer, error)

// Workspace is a folder in which a real Terraform is run as a user would run it. It is for what terraform-plugin-testing
// has no way to do: configurations of several files, providers with the same local name, `terraform test`. Where a
// [CLI] runs the provider as a program by the real clock, it serves the one in the test's process, by the fake clock.
type Workspace struct {
	t         *testing.T
	dir       string
	terraform string
	env       []string
}

// NewWorkspace makes a folder with a copy of the folder from; an empty from is an empty folder. What it holds
// finds the providers that serve names by their source address, such as "hashicorp/aws".
func NewWorkspace(t *testing.T, from string, serve map[string]ServerFactory) *Workspace {
	t.Helper()
	w := &Workspace{t: t, dir: t.TempDir(), terraform: terraformProgram(t)}
	if from != "" {
		if err := os.CopyFS(w.dir, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	home := t.TempDir()
	config := filepath.Join(home, "terraform.rc")
	if err := os.WriteFile(config, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.env = append(impersonal(), "HOME="+home, "TF_CLI_CONFIG_FILE="+config, "TF_CLI_ARGS=-no-color", "TF_INPUT=0",
		"CHECKPOINT_DISABLE=1")
	if len(serve) > 0 {
		w.env = append(w.env, "TF_REATTACH_PROVIDERS="+w.reattach(serve))
	}
	return w
}

// Setenv sets an environment variable for Terraform and for the providers that it starts itself.
func (w *Workspace) Setenv(name, value string) { w.env = append(w.env, name+"="+value) }

// Path is that of a file in the folder.
func (w *Workspace) Path(name string) string { return filepath.Join(w.dir, filepath.FromSlash(name)) }

// Write writes a file in the folder.
func (w *Workspace) Write(name, content string) {
	w.t.Helper()
	if err := os.WriteFile(w.Path(name), []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// Run runs Terraform, which has to succeed, and returns what it printed to its standard output.
func (w *Workspace) Run(args ...string) string {
	w.t.Helper()
	stdout, stderr, err := w.Try(args...)
	if err != nil {
		w.t.Fatalf("terraform %s: %v\n%s%s", strings.Join(args, " "), err, stdout, stderr)
	}
	return stdout
}

// Try runs Terraform, and returns what it printed.
func (w *Workspace) Try(args ...string) (stdout, stderr string, err error) {
	return w.Exec(w.terraform, args...)
}

// Exec runs any program as Terraform is run.
func (w *Workspace) Exec(program string, args ...string) (stdout, stderr string, err error) {
	var out, complaints bytes.Buffer
	command := exec.CommandContext(w.t.Context(), program, args...)
	command.Dir, command.Env, command.Stdout, command.Stderr = w.dir, w.env, &out, &complaints
	err = command.Run()
	return out.String(), complaints.String(), err
}

// Output is the value of an output, into which it is read as JSON.
func (w *Workspace) Output(name string, into any) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(w.Run("output", "-json", name)), into); err != nil {
		// Not with the value: it may be a code.
		w.t.Fatalf("output %s is not of the type that is expected", name)
	}
}

// NeedsVersion skips the test where the CLI is older: than terraform if it is Terraform, than tofu if it is OpenTofu.
func (w *Workspace) NeedsVersion(terraform, tofu string) {
	w.t.Helper()
	if !w.AtLeast(terraform, tofu) {
		w.t.Skipf("it needs Terraform %s or OpenTofu %s", terraform, tofu)
	}
}

// AtLeast reports whether the CLI is of that version or a later one.
func (w *Workspace) AtLeast(terraform, tofu string) bool {
	w.t.Helper()
	var said struct {
		Version string `json:"terraform_version"`
	}
	if err := json.Unmarshal([]byte(w.Run("version", "-json")), &said); err != nil {
		w.t.Fatal(err)
	}
	if w.isOpenTofu() {
		return compareVersions(said.Version, tofu) >= 0
	}
	return compareVersions(said.Version, terraform) >= 0
}

// Terraform is the path of the CLI.
func (w *Workspace) Terraform() string { return w.terraform }

// Mirror has Terraform install providers from this folder, and from nowhere else.
func (w *Workspace) Mirror(folder string) {
	w.t.Helper()
	file := filepath.Join(w.t.TempDir(), "terraform.rc")
	config := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", filepath.ToSlash(folder))
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.Setenv("TF_CLI_CONFIG_FILE", file)
}

// ServerOf is the provider under test on this platform, to be served in a [Workspace].
func (p *Platform) ServerOf() map[string]ServerFactory {
	return map[string]ServerFactory{OurSource: p.Factories()["chainguard"]}
}

// Host is where the CLI looks for providers whose source names no host.
func (w *Workspace) Host() string {
	if w.isOpenTofu() {
		return "registry.opentofu.org"
	}
	return "registry.terraform.io"
}

func (w *Workspace) isOpenTofu() bool { return isOpenTofu(w.terraform) }

// impersonal is the environment without what is somebody's own sign-in or Terraform setting.
func impersonal() []string {
	var env []string
	for _, setting := range os.Environ() {
		name, _, _ := strings.Cut(setting, "=")
		personal := false
		for _, prefix := range []string{"CHAINGUARD_", "CHAINCTL_", "TF_", "TFC_", "TOFU_", "ACTIONS_ID_TOKEN_", "XDG_"} {
			personal = personal || strings.HasPrefix(name, prefix)
		}
		if !personal {
			env = append(env, setting)
		}
	}
	return env
}

// reattach serves providers until the test ends, and returns the setting that tells Terraform of them.
func (w *Workspace) reattach(serve map[string]ServerFactory) string {
	w.t.Helper()
	type address struct{ Network, String string }
	type provider struct {
		Protocol        string
		ProtocolVersion int
		Pid             int
		Test            bool
		Addr            address
	}
	served := map[string]provider{}
	for source, factory := range serve {
		name := w.Host() + "/" + source
		config := serveProvider(w.t, name, factory)
		served[name] = provider{
			Protocol: string(config.Protocol), ProtocolVersion: config.ProtocolVersion, Pid: config.Pid, Test: config.Test,
			Addr: address{config.Addr.Network(), config.Addr.String()},
		}
	}
	text, err := json.Marshal(served)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

func serveProvider(t *testing.T, name string, factory ServerFactory) *plugin.ReattachConfig {
	t.Helper()
	server, err := factory()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	config, closed := make(chan *plugin.ReattachConfig), make(chan struct{})
	t.Cleanup(func() {
		cancel()
		<-closed
	})
	ended := make(chan error, 1)
	go func() {
		ended <- tf6server.Serve(name, func() tfprotov6.ProviderServer { return server },
			tf6server.WithDebug(ctx, config, closed), tf6server.WithGoPluginLogger(hclog.NewNullLogger()),
			tf6server.WithLoggingSink(t), tf6server.WithoutLogStderrOverride())
	}()
	select {
	case c := <-config:
		return c
	case err := <-ended:
		close(closed)
		t.Fatalf("serving %s: %v", name, err)
		return nil
	}
}

// compareVersions compares as many numbers as both versions have.
func compareVersions(a, b string) int {
	numbers := func(version string) []string {
		version, _, _ = strings.Cut(version, "-")
		return strings.Split(version, ".")
	}
	as, bs := numbers(a), numbers(b)
	for i := range min(len(as), len(bs)) {
		if len(as[i]) != len(bs[i]) {
			return len(as[i]) - len(bs[i])
		}
		if c := strings.Compare(as[i], bs[i]); c != 0 {
			return c
		}
	}
	return 0
}

// InstallProvider has `terraform init` install the provider that is built from these sources, and no other.
func (w *Workspace) InstallProvider() {
	w.t.Helper()
	program, err := os.ReadFile(ProviderProgram(w.t))
	if err != nil {
		w.t.Fatal(err)
	}
	mirror := w.t.TempDir()
	folder := filepath.Join(mirror, w.Host(), filepath.FromSlash(OurSource), mirroredVersion, runtime.GOOS+"_"+runtime.GOARCH)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		w.t.Fatal(err)
	}
	name := "terraform-provider-chainguard_v" + mirroredVersion
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if err := os.WriteFile(filepath.Join(folder, name), program, 0o700); err != nil {
		w.t.Fatal(err)
	}
	w.Mirror(mirror)
}

// mirroredVersion is what Terraform takes the provider for: it installs no pre-release that was not asked for.
const mirroredVersion = "0.0.1"
