//go:build unix

package examples_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// What the guide on testing modules has one run is run here as it stands, in one shell: its module invites Kim, and is
// applied in the middle.
func TestTestingModulesGuide_commands_workAsTheyStand(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip(err)
	}
	block := func(holds string) string {
		t.Helper()
		return commands(t, "testing-modules", holds)
	}
	start, stop, found := strings.Cut(block("emulator serve"), "kill \"$emulator\"  ")
	if !found {
		t.Fatal("the guide does not stop the emulator")
	}

	w := acctest.NewWorkspace(t, "", nil)
	w.NeedsVersion("1.6", "1.6")
	w.InstallBuiltProvider()
	w.Write("main.tf", read(t, "provider/provider.tf")+strings.ReplaceAll(read(t, "resources/chainguard_invite_code/resource.tf"), "kim_invite_code", "code")+
		"output \"group_id\" { value = chainguard_invite_code.kim.group_id }\n")
	w.PutOnPath(t, map[string]string{"terraform": acctest.Runs(w.Executable), "emulator": acctest.Runs(acctest.EmulatorProgram(t))})

	platform, err := emulator.New(emulator.Options{}) // It derives the same UIDPs from the same names.
	if err != nil {
		t.Fatal(err)
	}
	script := strings.Join([]string{
		`trap 'kill "$emulator"' EXIT`, start,
		"CHAINGUARD_TOKEN= && IDENTITY=" + platform.AdminIdentity(), block("emulator token"),
		"terraform apply -auto-approve",
		block("emulator accept"), `GROUP=$(terraform output -raw group_id)`, block("roleBindings"), block("groupInvites"),
		"trap - EXIT", "kill \"$emulator\"  " + stop, `wait "$emulator"`,
	}, "\n")
	said := w.RunScript(t, script)
	if !strings.Contains(said, "No changes.") || !strings.Contains(said, `"roleBindings":`) && !strings.Contains(said, `"items":`) {
		t.Errorf("the guide's commands do not do what it says:\n%s", said) // No code in it works elsewhere.
	}
}

// The guide on migrating, from an invite of the official provider to the end of its steps, with the guide's own
// configuration and commands.
func TestMigratingGuide_steps_keepTheInvite(t *testing.T) {
	t.Parallel()
	platform := acctest.New(t)
	w := acctest.NewWorkspace(t, "", platform.Stubs().Serve())
	w.NeedsVersion("1.8", "1.7")
	w.PutOnPath(t, map[string]string{"terraform": acctest.Runs(w.Executable)})
	configuration := blocks(t, "migrating", "terraform")[0]
	w.Write("main.tf", `terraform {
  required_providers {
    chainguard = {
      source  = "chainguard-dev/chainguard"
      version = "~> 0.1"
    }
  }
}

`+officialInvite(platform, 30*day))
	w.Run("init")
	w.Run("apply", "-auto-approve")
	before := platform.Live()
	if len(before) != 1 {
		t.Fatalf("the stand-in created %d invites", len(before))
	}

	w.Write("main.tf", configuration)
	script := commands(t, "migrating", "terraform init")
	if out := w.RunScript(t, script); !strings.Contains(out, "moved from") || !strings.Contains(out, "Plan: 0 to add, 1 to change, 0 to destroy.") {
		t.Errorf("it is not just moved, and its names taken up:\n%s", out)
	}
	w.Run("apply", "-auto-approve")
	moved := regexp.MustCompile(`(?s)moved \{.*?\n\}\n`)
	official := regexp.MustCompile(`(?s)    chainguard = \{.*?\n    \}\n`)
	rest := official.ReplaceAllString(moved.ReplaceAllString(configuration, ""), "")
	if strings.Contains(rest, "moved {") || strings.Contains(rest, "chainguard-dev/chainguard") {
		t.Fatalf("the last step removes nothing:\n%s", rest)
	}
	w.Write("main.tf", rest)
	w.Run("init")
	expectNothingToDo(t, w)
	if after := platform.Live(); len(after) != 1 || after[0].UID != before[0].UID {
		t.Error("the invite is another one after the move")
	}
}

// What the guide on authentication has one run at a workstation is run with a chainctl that has a token.
func TestAuthenticationGuide_commands_workAsTheyStand(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"chainctl":      commands(t, "authentication", "terraform plan"),
		"a plain token": commands(t, "authentication", "CHAINGUARD_TOKEN=") + "PATH=${PATH#*:}\n\"$TERRAFORM\" plan\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			platform := emulator.ForTest(t, emulator.Options{})
			w := acctest.NewWorkspace(t, "", nil)
			w.InstallBuiltProvider()
			w.SetPlatform(platform)
			w.Setenv("CHAINGUARD_TOKEN", "")
			w.Setenv("TERRAFORM", w.Executable)
			w.Write("main.tf", read(t, "provider/provider.tf")+read(t, "data-sources/chainguard_group/data-source.tf"))
			w.Run("init")
			w.PutOnPath(t, map[string]string{
				"terraform": acctest.Runs(w.Executable),
				"chainctl":  acctest.Chainctl(t, platform, "admin@acme.example"),
			})
			if out := w.RunScript(t, script); !strings.Contains(out, "platform_group_id") {
				t.Errorf("the plan does not read the group:\n%s", out)
			}
		})
	}
}

// The last part of the guide on getting started, with an emulator in place of the platform: its organization is not the
// guide's, and only chainctl, which a script stands in for, is signed in to it.
func TestGettingStartedGuide_ownOrganization_worksAsItStands(t *testing.T) {
	t.Parallel()
	seed := emulator.DefaultSeed()
	seed.Organizations[0].Name = "widgets.example"
	seed.Identities[0].Bindings[0].Group = "widgets.example"
	platform := emulator.ForTest(t, emulator.Options{Seed: seed})
	w := acctest.NewWorkspace(t, "", nil)
	w.InstallBuiltProvider()
	w.SetPlatform(platform)
	w.Setenv("CHAINGUARD_TOKEN", "")
	w.Setenv("TF_CLI_ARGS_apply", "-auto-approve")
	w.PutOnPath(t, map[string]string{
		"terraform": acctest.Runs(w.Executable),
		"chainctl":  acctest.Chainctl(t, platform, "kim@widgets.example"),
	})
	w.Write("main.tf", strings.ReplaceAll(blocks(t, "getting-started", "hcl")[0], "acme.example", "widgets.example"))
	const accepting = "chainctl auth login --invite-code CODE"
	script := strings.Join([]string{
		commands(t, "getting-started", "chainctl auth login\n"),
		strings.TrimSpace(blocks(t, "getting-started", "sh")[3]) + " > code",
		strings.Replace(commands(t, "getting-started", accepting), "CODE", `"$(cat code)"`, 1),
		"terraform plan -detailed-exitcode",
	}, "\n")
	out := w.RunScript(t, script)
	if !strings.Contains(out, "1 added") || !strings.Contains(out, "kim@widgets.example joined the group") {
		t.Errorf("Kim is not invited, or does not accept:\n%s", out)
	}
	if len(platform.Live()) != 0 {
		t.Errorf("the platform still has the invite:\n%s", out)
	}
}

// The commands of the guide on sealing codes, of both sides: the invitee's key is where ssh-keygen writes it, and a script
// stands in for age.
func TestSealingGuide_commands_workAsTheyStand(t *testing.T) {
	t.Parallel()
	platform := emulator.ForTest(t, emulator.Options{})
	key := acctest.NewSSHKey(t)
	w := acctest.NewWorkspace(t, "sealed", nil)
	w.InstallBuiltProvider()
	w.SetPlatform(platform)
	w.Setenv("TF_VAR_public_key_file", "kim.pub")
	w.Write("kim.pub", key.Public+" kim@laptop\n")
	w.Run("init")
	w.Run("apply", "-auto-approve")
	var encrypted string
	w.Output("kim", &encrypted)
	w.Write("sent.age", encrypted)
	w.Write("code", key.Decrypt(t, encrypted))
	w.PutOnPath(t, map[string]string{
		"terraform": acctest.Runs(w.Executable),
		"chainctl":  acctest.Chainctl(t, platform, "kim@acme.example"),
		"age":       `[ "$*" = "--decrypt --identity $HOME/.ssh/id_ed25519 kim.age" ] && cmp sent.age kim.age && cat code`,
	})
	script := strings.Join(append(blocks(t, "sealing-codes", "sh"), "terraform plan -detailed-exitcode"), "\n")
	if out := w.RunScript(t, script); !strings.Contains(out, "kim@acme.example joined the group") {
		t.Errorf("Kim does not accept:\n%s", out)
	}
}

// blocks are a guide's blocks of code in a language.
func blocks(t *testing.T, guide, language string) (texts []string) {
	t.Helper()
	block := regexp.MustCompile("(?ms)^```" + language + "\n(.*?)^```$")
	for _, match := range block.FindAllStringSubmatch(read(t, "../docs/guides/"+guide+".md"), -1) {
		texts = append(texts, match[1])
	}
	return texts
}

// commands is the guide's block of commands that holds a text.
func commands(t *testing.T, guide, holds string) string {
	t.Helper()
	for _, text := range blocks(t, guide, "shell") {
		if strings.Contains(text, holds) {
			return text
		}
	}
	t.Fatalf("the guide %s has no block with %s", guide, holds)
	return ""
}
