package provider_test

import (
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// joinWith is a configuration whose provisioner runs command, with an ephemeral code in INVITE_CODE.
func joinWith(command string) string {
	return `
		ephemeral "chainguard_invite_code" "kim" {
		  group = "acme.example"
		  role  = "viewer"
		}
		resource "terraform_data" "join" {
		  provisioner "local-exec" {
		    command     = "` + command + `"
		    environment = { INVITE_CODE = ephemeral.chainguard_invite_code.kim.code }
		  }
		}
	`
}

// No CLI closes an ephemeral resource where something that uses it fails, so this is the provider's own doing.
func TestServe_deletesOpenInvitesOfARunThatFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		configuration string
		command       []string
	}{
		"in the apply": {joinWith("exit 1"), []string{"apply", "-auto-approve"}},
		"in the plan": {joinWith("true") + `
			data "chainguard_group" "none" {
			  name       = "no-such-group"
			  depends_on = [ephemeral.chainguard_invite_code.kim]
			}
		`, []string{"plan", "-out=saved.tfplan"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, e := acctest.NewProgramWorkspace(t)
			w.NeedsVersion("1.10.0", "1.11.0")
			recorded := minted(e)
			w.Setenv("TF_LOG", "TRACE")
			w.Setenv("TF_LOG_PATH", w.Path("trace.log"))
			w.Configure(test.configuration)
			if output, err := w.Try(test.command...); err == nil {
				t.Errorf("it succeeded:\n%s", output)
			}
			if len(recorded()) == 0 {
				t.Error("nothing was minted, so this proves nothing")
			}
			expectNoneAlive(t, e, "after a failure")
			recorded().ExpectNoneIn(t, w.Path("."))
		})
	}
}

func TestServe_triesAgainWhatCloseCouldNotDelete(t *testing.T) {
	t.Parallel()
	w, e := acctest.NewProgramWorkspace(t)
	w.NeedsVersion("1.10.0", "1.11.0")
	e.Inject(emulator.Fault{Method: "DeleteGroupInvite", Code: codes.Internal, Times: 5}) // The tries of one call.
	w.Configure(joinWith("true"))
	if output, err := w.Try("plan"); err == nil {
		t.Errorf("a failed revocation is no error:\n%s", output)
	}
	expectNoneAlive(t, e, "after a revocation that failed once")
}
