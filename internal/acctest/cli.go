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

// OurSource is the source address of the provider under test, without a host.
const OurSource = "chainguard-invites/chainguard"

// CLI runs Terraform or OpenTofu in a folder, with its own home and environment, so that the developer's sign-in,
// Terraform settings and proxies have no effect. Tests, the demo and the benchmark all run Terraform through it.
type CLI struct {
	// Executable is the path of the CLI.
	Executable string
	// Dir is the folder it runs in.
	Dir string

	product cliProduct
	env     map[string]string
}

// NewCLI returns a CLI that runs in dir: the program in TF_ACC_TERRAFORM_PATH, the one on PATH, or the OpenTofu that
// `make tofu` builds.
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
	// Programs need these to run at all.
	for _, name := range []string{"PATH", "TMPDIR", "TMP", "TEMP", "SystemRoot", "ComSpec", "PATHEXT", "LANG", "LC_ALL"} {
		c.Setenv(name, os.Getenv(name))
	}
	maps.Copy(c.env, map[string]string{
		"HOME": c.home(), "USERPROFILE": c.home(), "APPDATA": c.home(), "LOCALAPPDATA": c.CacheDir(),
		"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "TF_CLI_ARGS": "-no-color",
	})
	return c, c.setCLIConfig("")
}

// Name returns the name of the command: terraform or tofu.
func (c *CLI) Name() string {
	if c.product.openTofu {
		return "tofu"
	}
	return "terraform"
}

// Product returns the name and version of the CLI, such as "Terraform v1.11.4".
func (c *CLI) Product() string {
	name := "Terraform"
	if c.product.openTofu {
		name = "OpenTofu"
	}
	return name + " v" + c.product.version.String()
}

// AtLeast reports whether the CLI is at least this version of Terraform or of OpenTofu.
func (c *CLI) AtLeast(terraform, tofu string) bool {
	least := terraform
	if c.product.openTofu {
		least = tofu
	}
	// A release candidate has what its release will have.
	return c.product.version.Core().GreaterThanOrEqual(version.Must(version.NewVersion(least)))
}

// Host returns the registry host of provider sources that name none.
func (c *CLI) Host() string {
	if c.product.openTofu {
		return "registry.opentofu.org"
	}
	return "registry.terraform.io"
}

// Setenv sets an environment variable for the CLI and its child processes. An empty value unsets it.
func (c *CLI) Setenv(name, value string) {
	if value == "" {
		delete(c.env, name)
		return
	}
	c.env[name] = value
}

// Getenv returns an environment variable of the CLI and its child processes.
func (c *CLI) Getenv(name string) string { return c.env[name] }

// Environ returns the environment of the CLI in the form of [os.Environ].
func (c *CLI) Environ() []string {
	var environ []string
	for _, name := range slices.Sorted(maps.Keys(c.env)) {
		environ = append(environ, name+"="+c.env[name])
	}
	return environ
}

// CacheDir returns the folder in which a provider started by the CLI looks for tokens that chainctl cached.
func (c *CLI) CacheDir() string {
	if runtime.GOOS == "darwin" {
		return filepath.Join(c.home(), "Library", "Caches")
	}
	return filepath.Join(c.home(), ".cache")
}

// Command returns the command that runs the CLI with these arguments.
func (c *CLI) Command(ctx context.Context, args ...string) *exec.Cmd {
	return c.Program(ctx, c.Executable, args...)
}

// Program returns the command that runs another program in the CLI's folder and environment.
func (c *CLI) Program(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = c.Dir, c.Environ()
	cmd.WaitDelay = 10 * time.Second // A child process may outlive it and keep its output open.
	return cmd
}

// InstallProvider makes `init` install program as this version of the provider under test, and no other provider.
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

// UseMirror makes `init` install providers only from this folder.
func (c *CLI) UseMirror(folder string) error {
	return c.setCLIConfig(fmt.Sprintf("filesystem_mirror {\n    path = %q\n  }", filepath.ToSlash(folder)))
}

// OverrideProvider makes the CLI use program as the provider of this source, without `init`. The program must be alone
// in its folder.
func (c *CLI) OverrideProvider(source, program string) error {
	return c.setCLIConfig(fmt.Sprintf("dev_overrides {\n    %q = %q\n  }\n  direct {}",
		c.Host()+"/"+source, filepath.ToSlash(filepath.Dir(program))))
}

// setCLIConfig writes the CLI's configuration, which says where providers are installed from.
func (c *CLI) setCLIConfig(installation string) error {
	if installation != "" {
		installation = "provider_installation {\n  " + installation + "\n}\n"
	}
	file := filepath.Join(c.home(), "terraform.rc")
	c.Setenv("TF_CLI_CONFIG_FILE", file)
	return os.WriteFile(file, []byte(installation), 0o600)
}

func (c *CLI) home() string { return filepath.Join(c.Dir, "home") }

// DriveCLI makes terraform-plugin-testing use the CLI that NewCLI returns instead of downloading one.
var DriveCLI = sync.OnceFunc(func() {
	program, err := findCLI()
	if err != nil {
		return
	}
	settings := map[string]string{"TF_ACC_TERRAFORM_PATH": program}
	if product, err := productOf(program); err == nil && product.openTofu {
		// terraform-plugin-testing assumes Terraform's registry and no namespace (opentofu/opentofu#982).
		settings["TF_ACC_PROVIDER_HOST"] = "registry.opentofu.org"
		if os.Getenv("TF_ACC_PROVIDER_NAMESPACE") == "" {
			settings["TF_ACC_PROVIDER_NAMESPACE"] = "hashicorp"
		}
	}
	setenv(settings)
})

// isolate removes the developer's sign-in and Terraform settings from the environment of this process, which
// terraform-plugin-testing passes on to Terraform.
var isolate = sync.OnceFunc(func() {
	for _, setting := range os.Environ() {
		name, _, _ := strings.Cut(setting, "=")
		for _, prefix := range []string{"CHAINGUARD_", "CHAINCTL_", "TF_", "TFC_", "TOFU_", "ACTIONS_ID_TOKEN_"} {
			if strings.HasPrefix(name, prefix) && !strings.HasPrefix(name, "TF_ACC") {
				_ = os.Unsetenv(name) // It fails only for invalid names.
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

// cliProduct is what a CLI's version command reports.
type cliProduct struct {
	openTofu bool
	version  *version.Version
}

var (
	productsMu sync.Mutex
	products   = map[string]cliProduct{}
)

var productLine = regexp.MustCompile(`(?m)^(Terraform|OpenTofu) (v\S+)$`)

// productOf runs the version command of a program, once per process.
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
	cmd.Dir = os.TempDir() // It would read a configuration in the current folder.
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
