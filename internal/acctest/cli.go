package acctest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-version"
)

// OurSource is how configurations name the provider.
const OurSource = "chainguard-invites/chainguard"

// CLI is a Terraform or OpenTofu that runs in a folder, with a home and an environment of its own: the sign-in, the
// Terraform settings and the proxies of the person who runs it do not reach it. Tests, the demo and the benchmark all
// run Terraform through it.
type CLI struct {
	// Executable is the path of the CLI.
	Executable string
	// Dir is the folder it runs in.
	Dir string

	product cliProduct
	env     map[string]string
}

// NewCLI returns the CLI of the tests, which runs in dir: the one in TF_ACC_TERRAFORM_PATH, the one on PATH,
// or the OpenTofu that `make tofu` builds.
func NewCLI(dir string) (*CLI, error) {
	program, err := findCLI()
	if err != nil {
		return nil, err
	}
	c := &CLI{Executable: program, Dir: dir, env: map[string]string{}}
	if c.product, err = productOf(program); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.home(), 0o700); err != nil {
		return nil, err
	}
	// What programs need to run at all.
	for _, name := range []string{"PATH", "TMPDIR", "TMP", "TEMP", "SystemRoot", "ComSpec", "PATHEXT", "LANG", "LC_ALL"} {
		c.Setenv(name, os.Getenv(name))
	}
	maps.Copy(c.env, map[string]string{
		"HOME": c.home(), "USERPROFILE": c.home(), "APPDATA": c.home(), "LOCALAPPDATA": c.CacheDir(),
		"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "TF_CLI_ARGS": "-no-color",
	})
	return c, c.setCLIConfig("")
}

// Name is what one would type: terraform or tofu.
func (c *CLI) Name() string {
	if c.product.openTofu {
		return "tofu"
	}
	return "terraform"
}

// Product is the CLI's own name and version, such as "Terraform v1.11.4".
func (c *CLI) Product() string {
	name := "Terraform"
	if c.product.openTofu {
		name = "OpenTofu"
	}
	return name + " v" + c.product.version.String()
}

// AtLeast reports whether the CLI is Terraform or OpenTofu of these versions or later ones.
func (c *CLI) AtLeast(terraform, tofu string) bool {
	least := terraform
	if c.product.openTofu {
		least = tofu
	}
	// A release candidate has what its release will have.
	return c.product.version.Core().GreaterThanOrEqual(version.Must(version.NewVersion(least)))
}

// Host is where the CLI looks for providers whose source names no host.
func (c *CLI) Host() string {
	if c.product.openTofu {
		return "registry.opentofu.org"
	}
	return "registry.terraform.io"
}

// Setenv sets an environment variable of the CLI and of what it starts. An empty value unsets it.
func (c *CLI) Setenv(name, value string) {
	if value == "" {
		delete(c.env, name)
		return
	}
	c.env[name] = value
}

// Getenv returns an environment variable of the CLI and of what it starts.
func (c *CLI) Getenv(name string) string { return c.env[name] }

// Environ is the environment of the CLI and of what it starts, as [os.Environ] has it.
func (c *CLI) Environ() []string {
	var environ []string
	for _, name := range slices.Sorted(maps.Keys(c.env)) {
		environ = append(environ, name+"="+c.env[name])
	}
	return environ
}

// CacheDir is where a provider that the CLI starts finds the tokens that chainctl cached.
func (c *CLI) CacheDir() string {
	if runtime.GOOS == "darwin" {
		return filepath.Join(c.home(), "Library", "Caches")
	}
	return filepath.Join(c.home(), ".cache")
}

// Command returns the CLI with these arguments, ready to be started.
func (c *CLI) Command(ctx context.Context, args ...string) *exec.Cmd {
	return c.Program(ctx, c.Executable, args...)
}

// Program returns another program, ready to be started where and as the CLI is.
func (c *CLI) Program(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = c.Dir, c.Environ()
	cmd.WaitDelay = 10 * time.Second // What it started may outlive it, and hold its output open.
	return cmd
}

// InstallProvider has `init` install this program as our provider of that version, and no other provider.
func (c *CLI) InstallProvider(program, version string) error {
	content, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	mirror := filepath.Join(c.home(), "mirror")
	folder := filepath.Join(mirror, c.Host(), filepath.FromSlash(OurSource), version, runtime.GOOS+"_"+runtime.GOARCH)
	return errors.Join(
		os.MkdirAll(folder, 0o700),
		os.WriteFile(filepath.Join(folder, executable("terraform-provider-chainguard_v"+version)), content, 0o700),
		c.UseMirror(mirror),
	)
}

// UseMirror has `init` install providers from this folder, and from nowhere else.
func (c *CLI) UseMirror(folder string) error {
	return c.setCLIConfig(fmt.Sprintf("filesystem_mirror {\n    path = %q\n  }", filepath.ToSlash(folder)))
}

// OverrideProvider has the CLI start this program wherever a configuration names the provider, without an init. The
// program must be alone in its folder.
func (c *CLI) OverrideProvider(source, program string) error {
	return c.setCLIConfig(fmt.Sprintf("dev_overrides {\n    %q = %q\n  }\n  direct {}",
		c.Host()+"/"+source, filepath.ToSlash(filepath.Dir(program))))
}

// setCLIConfig writes the CLI's configuration: where it takes providers from.
func (c *CLI) setCLIConfig(installation string) error {
	if installation != "" {
		installation = "provider_installation {\n  " + installation + "\n}\n"
	}
	file := filepath.Join(c.home(), "terraform.rc")
	c.Setenv("TF_CLI_CONFIG_FILE", file)
	return os.WriteFile(file, []byte(installation), 0o600)
}

func (c *CLI) home() string { return filepath.Join(c.Dir, "home") }

// DriveCLI has terraform-plugin-testing drive the same CLI as everything else here, where it would download one.
var DriveCLI = sync.OnceFunc(func() {
	program, err := findCLI()
	if err != nil {
		return
	}
	settings := map[string]string{"TF_ACC_TERRAFORM_PATH": program}
	if product, err := productOf(program); err == nil && product.openTofu {
		// OpenTofu looks for providers on another host, of which the framework does not know.
		settings["TF_ACC_PROVIDER_HOST"] = "registry.opentofu.org"
		if os.Getenv("TF_ACC_PROVIDER_NAMESPACE") == "" {
			settings["TF_ACC_PROVIDER_NAMESPACE"] = "hashicorp"
		}
	}
	setenv(settings)
})

// isolate takes the sign-in and the Terraform settings of the person who runs the tests out of this process's
// environment, which terraform-plugin-testing hands on to Terraform.
var isolate = sync.OnceFunc(func() {
	for _, setting := range os.Environ() {
		name, _, _ := strings.Cut(setting, "=")
		for _, prefix := range []string{"CHAINGUARD_", "CHAINCTL_", "TF_", "TFC_", "TOFU_", "ACTIONS_ID_TOKEN_"} {
			if strings.HasPrefix(name, prefix) && !strings.HasPrefix(name, "TF_ACC") {
				_ = os.Unsetenv(name) // It fails for names that cannot be set.
			}
		}
	}
	setenv(map[string]string{"TF_CLI_CONFIG_FILE": os.DevNull, "CHECKPOINT_DISABLE": "1"})
	DriveCLI()
})

func setenv(settings map[string]string) {
	for name, value := range settings {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
}

// findCLI returns the path of the CLI to use.
func findCLI() (string, error) {
	if program := os.Getenv("TF_ACC_TERRAFORM_PATH"); program != "" {
		return program, nil
	}
	for _, name := range []string{"terraform", "tofu", filepath.Join(root, ".bin", executable("tofu"))} {
		if program, err := exec.LookPath(name); err == nil {
			return program, nil
		}
	}
	return "", errors.New("there is no terraform and no tofu on PATH; `make tofu` builds one")
}

// cliProduct is what a CLI says that it is.
type cliProduct struct {
	openTofu bool
	version  *version.Version
}

var (
	productsMu sync.Mutex
	products   = map[string]cliProduct{}
)

var productLine = regexp.MustCompile(`(?m)^(Terraform|OpenTofu) (v\S+)$`)

// productOf asks a program what it is, once in a process.
func productOf(program string) (cliProduct, error) {
	productsMu.Lock()
	defer productsMu.Unlock()
	if known, ok := products[program]; ok {
		return known, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "version")
	cmd.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE="+os.DevNull, "TF_CLI_ARGS=-no-color")
	cmd.Dir = os.TempDir() // A configuration in the current folder does not matter here.
	out, err := cmd.Output()
	said := productLine.FindSubmatch(out)
	if err != nil || said == nil {
		return cliProduct{}, fmt.Errorf("%s is not a Terraform or OpenTofu that runs here: %w\n%s", program, err, out)
	}
	number, err := version.NewVersion(string(said[2]))
	if err != nil {
		return cliProduct{}, fmt.Errorf("%s: %w", program, err)
	}
	products[program] = cliProduct{string(said[1]) == "OpenTofu", number}
	return products[program], nil
}
