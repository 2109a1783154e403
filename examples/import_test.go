package examples_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

const inviteCodeExamples = "resources/chainguard_invite_code/"

// kim puts the invite that the import examples describe on the platform.
func kim(p *acctest.Platform) emulator.Invite {
	return p.AddInvite(emulator.Invite{
		Group: p.Group("acme.example"), RoleUID: p.Role("viewer"), Email: "kim@acme.example", TTL: 5 * 24 * time.Hour, SingleUse: true,
	})
}

func TestExamples_import_blocksChangeNothing(t *testing.T) {
	t.Parallel()
	for file, needs := range map[string][2]string{
		"import-by-string-id.tf": {"1.8", "1.6"},
		"import-by-identity.tf":  {"1.12", "1.12"},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			platform := acctest.New(t)
			invite := kim(platform)
			w := acctest.NewWorkspace(t, "", platform.ServerOf())
			w.NeedsVersion(needs[0], needs[1])
			w.Write("provider.tf", read(t, "provider/provider.tf"))
			w.Write("main.tf", strings.ReplaceAll(read(t, inviteCodeExamples+file), exampleID, invite.UID))
			w.Run("init")
			if out := w.Run("apply", "-auto-approve"); !strings.Contains(out, "1 imported, 0 added, 1 changed, 0 destroyed") {
				t.Errorf("it does not just import, and take up the names:\n%s", out)
			}
			expectNothingToDo(t, w)
		})
	}
}

func TestExamples_import_commandChangesNothing(t *testing.T) {
	t.Parallel()
	platform := acctest.New(t)
	invite := kim(platform)
	w := acctest.NewWorkspace(t, "", platform.ServerOf())
	w.Write("provider.tf", read(t, "provider/provider.tf"))
	w.Write("main.tf", read(t, inviteCodeExamples+"resource.tf"))
	w.Run("init")
	lines := strings.Split(strings.TrimSpace(read(t, inviteCodeExamples+"import.sh")), "\n")
	command := strings.Fields(strings.ReplaceAll(lines[len(lines)-1], exampleID, invite.UID))
	if command[0] != "terraform" {
		t.Fatalf("the last line of import.sh runs %q", command[0])
	}
	w.Run(command[1:]...)
	// The output of the code, which is null, is still to be written.
	w.Run("apply", "-auto-approve")
	expectNothingToDo(t, w)
	if live := platform.Live(); len(live) != 1 || live[0].UID != invite.UID {
		t.Errorf("live are %d invites, want the imported one alone", len(live))
	}
}

func TestExamples_moved_keepsTheCodeOfTheOfficialProvider(t *testing.T) {
	t.Parallel()
	platform := acctest.New(t)
	w := acctest.NewWorkspace(t, "", platform.Stubs().Serve())
	w.NeedsVersion("1.8", "1.7")

	// The official provider's resource first, and then the guide's own words.
	providers := strings.Split(read(t, "beside-official/main.tf"), "variable ")[0]
	w.Write("providers.tf", providers)
	w.Write("main.tf", officialInvite(platform, 5*24*time.Hour-time.Second))
	w.Run("init")
	w.Run("apply", "-auto-approve")
	before := platform.Live()
	if len(before) != 1 {
		t.Fatalf("the stand-in made %d invites", len(before))
	}

	w.Write("main.tf", strings.Replace(read(t, inviteCodeExamples+"moved.tf"),
		"  group = ", "  provider = invites\n\n  group = ", 1)+
		"output \"code\" {\n  value = chainguard_invite_code.kim.code\n  sensitive = true\n}\n")
	// Another lifetime than the invite has would replace it; the guide says that the plan tells which it has.
	moved := read(t, w.Path("main.tf"))
	w.Write("main.tf", strings.Replace(moved, "\"5d\"", "\"6d\"", 1))
	if out := w.Run("plan"); !strings.Contains(out, `"5d" -> "6d"`) {
		t.Errorf("the plan does not tell the lifetime of the invite:\n%s", out)
	}
	w.Write("main.tf", moved)
	if out := w.Run("plan"); !strings.Contains(out, "moved from") || !strings.Contains(out, "0 to add") || !strings.Contains(out, "0 to destroy") {
		t.Errorf("it is not just moved:\n%s", out)
	}
	w.Run("apply", "-auto-approve")
	expectNothingToDo(t, w)
	var code string
	w.Output("code", &code)
	if after := platform.Live(); len(after) != 1 || after[0].UID != before[0].UID || code != before[0].Code {
		t.Error("the invite or its code is another one after the move")
	}
}

// expectNothingToDo fails the test unless a plan is empty.
func expectNothingToDo(t *testing.T, w *acctest.Workspace) {
	t.Helper()
	if out, err := w.Try("plan", "-detailed-exitcode"); err != nil {
		t.Errorf("the plan is not empty: %v\n%s", err, out)
	}
}

// officialInvite configures an invite of the official provider, which is valid for a lifetime from the start of the
// platform's clock.
func officialInvite(platform *acctest.Platform, lifetime time.Duration) string {
	return `resource "chainguard_group_invite" "kim" {
  group      = "` + platform.Group("acme.example") + `"
  role       = "` + platform.Role("viewer") + `"
  email      = "kim@acme.example"
  expiration = "` + acctest.Start.Add(lifetime).Format(time.RFC3339) + `"
}
`
}
