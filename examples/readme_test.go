//go:build unix

package examples_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
)

// What an example's README has one run is run here as it stands, in its order and in one shell.
func TestExampleREADMEs_commands_workAsTheyStand(t *testing.T) {
	t.Parallel()
	readmes, err := filepath.Glob("*/README.md")
	if err != nil || len(readmes) < 5 {
		t.Fatalf("found %d READMEs, error %v", len(readmes), err)
	}
	block := regexp.MustCompile("(?ms)^```(?:sh|shell)\n(.*?)^```$")
	for _, readme := range readmes {
		var script strings.Builder
		for _, match := range block.FindAllStringSubmatch(read(t, readme), -1) {
			script.WriteString(match[1])
		}
		if script.Len() == 0 {
			t.Errorf("%s has no commands", readme)
		}
		t.Run(filepath.Dir(readme), func(t *testing.T) {
			t.Parallel()
			runAsItStands(t, filepath.Dir(readme), script.String())
		})
	}
}

func runAsItStands(t *testing.T, example, script string) {
	t.Helper()
	platform := acctest.New(t)
	w := acctest.NewWorkspace(t, example, platform.Stubs().Serve())
	if strings.Contains(read(t, filepath.Join(example, "main.tf")), "_wo ") {
		w.NeedsVersion("1.11", "1.11")
	}
	if _, err := exec.LookPath("jq"); err != nil && strings.Contains(script, "jq ") {
		t.Skip(err)
	}

	// The shell finds the CLI as terraform, a chainctl that needs no browser, and an age that has the key. Its user answers
	// every question with yes, and has the public key.
	programs := t.TempDir()
	if err := os.Symlink(w.Executable, filepath.Join(programs, "terraform")); err != nil {
		t.Fatal(err)
	}
	for name, program := range map[string]string{
		"chainctl": `[ "$1 $2" = "auth login" ]`,
		"age":      `[ "$1" = --decrypt ] && echo code`,
	} {
		if err := os.WriteFile(filepath.Join(programs, name), []byte("#!/bin/sh\n"+program+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.Write("kim.pub", read(t, "modules/onboarding/tests/ada.pub"))
	w.Setenv("PATH", programs+string(filepath.ListSeparator)+os.Getenv("PATH"))
	w.Setenv("TF_CLI_ARGS_apply", "-auto-approve")
	w.Setenv("ORGANIZATION_ID", platform.Group("acme.example"))

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := w.Program(ctx, "sh", "-ec", script).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Apply complete!") {
		// The output may hold codes, which are good for the emulator only.
		t.Errorf("%v\n%s", err, out)
	}
}
