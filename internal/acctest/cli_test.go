package acctest

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestCLI_environment_holdsNothingPersonal(t *testing.T) {
	for _, name := range []string{"CHAINGUARD_TOKEN", "CHAINCTL_CONFIG", "TF_CLI_ARGS", "TF_LOG", "HTTPS_PROXY", "XDG_CACHE_HOME", "HOME"} {
		t.Setenv(name, "personal")
	}
	cli := newTestCLI(t, "Terraform v1.2.3")
	for _, setting := range cli.Environ() {
		if strings.Contains(setting, "personal") {
			t.Errorf("%s is passed on", setting)
		}
	}
}

func TestCLI_product_isWhatTheProgramSays(t *testing.T) {
	for said, want := range map[string]struct {
		name, host string
		atLeast    bool // Terraform 1.10 or OpenTofu 1.11
	}{
		"Terraform v1.10.0-rc1":     {"terraform", "registry.terraform.io", true},
		"Terraform v1.9.8":          {"terraform", "registry.terraform.io", false},
		"OpenTofu v1.10.0\non unix": {"tofu", "registry.opentofu.org", false},
		"OpenTofu v1.11.2":          {"tofu", "registry.opentofu.org", true},
	} {
		cli := newTestCLI(t, said)
		if cli.Name() != want.name || cli.Host() != want.host || cli.AtLeast("1.10", "1.11") != want.atLeast {
			t.Errorf("%q: got %s, %s, at least 1.10 or 1.11: %t", said, cli.Name(), cli.Host(), cli.AtLeast("1.10", "1.11"))
		}
	}
}

func TestCLI_providers_comeFromOnePlace(t *testing.T) {
	cli := newTestCLI(t, "OpenTofu v1.11.2")
	program := filepath.Join(t.TempDir(), "provider")
	if err := os.WriteFile(program, []byte("the provider"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := cli.InstallProvider(program, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(cli.Getenv("TF_CLI_CONFIG_FILE"))
	if err != nil || !strings.Contains(string(config), "filesystem_mirror") || strings.Contains(string(config), "direct") {
		t.Errorf("the CLI's configuration is %q, %v", config, err)
	}
	installed, err := filepath.Glob(filepath.Join(cli.Dir, "home", "mirror", "registry.opentofu.org", "chainguard-invites", "chainguard", "1.2.3", "*", "*"))
	if err != nil || !slices.ContainsFunc(installed, func(path string) bool {
		return strings.HasPrefix(filepath.Base(path), "terraform-provider-chainguard_v1.2.3")
	}) {
		t.Errorf("the mirror holds %q, %v", installed, err)
	}
}

// newTestCLI is one of a program that says what it is.
func newTestCLI(t *testing.T, says string) *CLI {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in is a shell script")
	}
	program := filepath.Join(t.TempDir(), "cli")
	if err := os.WriteFile(program, []byte("#!/bin/sh\ncat <<EOF\n"+says+"\nEOF\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TF_ACC_TERRAFORM_PATH", program)
	cli, err := NewCLI(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return cli
}
