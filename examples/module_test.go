package examples_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
)

// The module's own tests, run as a copy of it would run them: with the script, the provider and the emulator as
// programs, and an init that installs the provider.
func TestModule_testsPassAgainstTheEmulator(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("test.sh needs a POSIX shell")
	}
	w := acctest.NewWorkspace(t, "modules/onboarding", nil)
	w.NeedsVersion("1.8", "1.6")
	w.InstallBuiltProvider()
	w.Setenv("EMULATOR", acctest.EmulatorProgram(t))
	w.Setenv("TERRAFORM", w.Executable)

	out, err := w.Program(t.Context(), "sh", "test.sh").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "9 passed, 0 failed") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestModule_scriptFailsWhereATestDoes(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("test.sh needs a POSIX shell")
	}
	w := acctest.NewWorkspace(t, "modules/onboarding", nil)
	w.NeedsVersion("1.8", "1.6")
	w.InstallBuiltProvider()
	w.Setenv("EMULATOR", acctest.EmulatorProgram(t))
	w.Setenv("TERRAFORM", w.Executable)
	w.Write("main.tf", strings.Replace(read(t, "modules/onboarding/main.tf"), "single_use = true", "single_use = false", 1))
	out, err := w.Program(t.Context(), "sh", "test.sh", "-filter=tests/onboarding.tftest.hcl").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "Each invite should be single-use.") {
		t.Errorf("a module that is wrong passes its tests: %v\n%s", err, out)
	}

	w.Write("tests/platform.yaml", "organizations: []\n")
	if out, err := w.Program(t.Context(), "sh", "test.sh").CombinedOutput(); err == nil || !strings.Contains(string(out), "at least one organization") {
		t.Errorf("an emulator that does not start is not told of: %v\n%s", err, out)
	}
}
