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

// What the guide on testing modules has one run is run here as it stands, in one shell: its module invites Kim, and is
// applied in the middle.
func TestTestingModulesGuide_commands_workAsTheyStand(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip(err)
	}
	var blocks []string
	for _, match := range regexp.MustCompile("(?ms)^```shell\n(.*?)^```$").FindAllStringSubmatch(read(t, "../docs/guides/testing-modules.md"), -1) {
		blocks = append(blocks, match[1])
	}
	block := func(holds string) string {
		t.Helper()
		for _, text := range blocks {
			if strings.Contains(text, holds) {
				return text
			}
		}
		t.Fatalf("the guide has no block with %s", holds)
		return ""
	}
	start, stop, found := strings.Cut(block("emulator serve"), "kill \"$emulator\"  ")
	if !found {
		t.Fatal("the guide does not stop the emulator")
	}

	w := acctest.NewWorkspace(t, "", nil)
	w.NeedsVersion("1.6", "1.6")
	w.InstallBuiltProvider()
	w.Write("main.tf", read(t, "provider/provider.tf")+strings.Replace(read(t, "resources/chainguard_invite_code/resource.tf"), "kim_invite_code", "code", 1)+
		"output \"group_id\" { value = chainguard_invite_code.kim.group_id }\n")
	programs := t.TempDir()
	for name, program := range map[string]string{"terraform": w.Executable, "emulator": acctest.EmulatorProgram(t)} {
		if err := os.Symlink(program, filepath.Join(programs, name)); err != nil {
			t.Fatal(err)
		}
	}
	w.Setenv("PATH", programs+string(filepath.ListSeparator)+os.Getenv("PATH"))

	script := strings.Join([]string{
		`trap 'kill "$emulator"' EXIT`, start, "terraform apply -auto-approve",
		block("emulator accept"), `GROUP=$(terraform output -raw group_id)`, block("roleBindings"), block("groupInvites"),
		"trap - EXIT", "kill \"$emulator\"  " + stop, `wait "$emulator"`,
	}, "\n")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := w.Program(ctx, "sh", "-ec", script).CombinedOutput()
	said := string(out)
	if err != nil || !strings.Contains(said, "No changes.") || !strings.Contains(said, `"roleBindings":`) && !strings.Contains(said, `"items":`) {
		// The output holds no code that works elsewhere.
		t.Errorf("%v\n%s", err, said)
	}
}
