package acctest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-version"
)

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

// Terraform is the path of the CLI.
func (w *Workspace) Terraform() string { return w.terraform }

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
	least := terraform
	if w.isOpenTofu() {
		least = tofu
	}
	// A release candidate has what its release will have.
	is := version.Must(version.NewVersion(said.Version)).Core()
	return is.GreaterThanOrEqual(version.Must(version.NewVersion(least)))
}

// Host is where the CLI looks for providers whose source names no host.
func (w *Workspace) Host() string {
	if w.isOpenTofu() {
		return "registry.opentofu.org"
	}
	return "registry.terraform.io"
}

// isOpenTofu reports whether the CLI is OpenTofu, by its name.
func (w *Workspace) isOpenTofu() bool { return strings.Contains(filepath.Base(w.terraform), "tofu") }
