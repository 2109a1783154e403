package provider_test

import (
	"path/filepath"
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

// needsEphemeral skips the test where the CLI has no ephemeral resources.
func needsEphemeral(t *testing.T) {
	t.Helper()
	acctest.NewWorkspace(t, "", nil).NeedsVersion("1.10.0", "1.11.0")
}

// No CLI closes an ephemeral resource where something that uses it fails, so this is the provider's own doing.
func TestEphemeralInviteCodeOfARunThatFailsIsRevokedWhenTheProviderEnds(t *testing.T) {
	t.Parallel()
	needsEphemeral(t)
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
			c := acctest.NewCLI(t)
			recorded := minted(c.Emulator)
			c.Env["TF_LOG"], c.Env["TF_LOG_PATH"] = "TRACE", filepath.Join(c.Dir, "trace.log")
			c.Configure(t, test.configuration)
			if output, err := c.Run(t, test.command...); err == nil {
				t.Errorf("it succeeded:\n%s", output)
			}
			if len(recorded()) == 0 {
				t.Error("nothing was minted, so this proves nothing")
			}
			noneLive(t, c.Emulator, "after a failure")
			recorded().ExpectNoneIn(t, c.Dir)
		})
	}
}

func TestEphemeralInviteCodeThatCouldNotBeRevokedIsTriedAgainWhenTheProviderEnds(t *testing.T) {
	t.Parallel()
	needsEphemeral(t)
	c := acctest.NewCLI(t)
	c.Inject(emulator.Fault{Method: "DeleteGroupInvite", Code: codes.Internal, Times: 1})
	c.Configure(t, joinWith("true"))
	if output, err := c.Run(t, "plan"); err == nil {
		t.Errorf("a failed revocation is no error:\n%s", output)
	}
	noneLive(t, c.Emulator, "after a revocation that failed once")
}
