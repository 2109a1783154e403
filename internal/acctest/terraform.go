package acctest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
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
	if w.isOpenTofu() {
		return compareVersions(said.Version, tofu) >= 0
	}
	return compareVersions(said.Version, terraform) >= 0
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
