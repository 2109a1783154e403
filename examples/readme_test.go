//go:build unix

package examples_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

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
	w.PutOnPath(t, map[string]string{
		"terraform": acctest.Runs(w.Executable),
		"chainctl":  `[ "$1 $2" = "auth login" ]`,
		"age":       `[ "$1" = --decrypt ] && echo code`,
	})
	w.Write("kim.pub", read(t, "modules/onboarding/tests/ada.pub"))
	w.Setenv("TF_CLI_ARGS_apply", "-auto-approve")
	w.Setenv("ORGANIZATION_ID", platform.Group("acme.example"))

	if out := w.RunScript(t, script); !strings.Contains(out, "Apply complete!") {
		t.Errorf("nothing is applied:\n%s", out)
	}
}
