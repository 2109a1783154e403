package provider_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// trace has Terraform and the provider log all they can to a file, whose content it hands out.
func trace(t *testing.T, c *acctest.CLI) (content func() string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trace.log")
	c.Env["TF_LOG"] = "TRACE"
	c.Env["TF_LOG_PATH"] = file
	return func() string {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// A log without the provider's own words in it would pass every search.
		if !strings.Contains(string(text), "Called the Chainguard API") {
			t.Fatal("the log has nothing of the provider")
		}
		return string(text)
	}
}

// secretsOn are the secrets of a run: the token it is signed in with, and all of each invite that is on the platform.
func secretsOn(c *acctest.CLI) acctest.Canaries {
	canaries := acctest.Canaries{"token": c.Token}
	for i, invite := range c.Invites() {
		canaries[fmt.Sprintf("code %d", i)] = invite.Code
		canaries[fmt.Sprintf("key id %d", i)] = invite.KeyID
	}
	return canaries
}

func TestTheHarnessFindsASecretThatLeaks(t *testing.T) {
	t.Parallel()
	c := acctest.NewCLI(t)
	log := trace(t, c)
	// An output that is declared not to be a secret is a leak on purpose: Terraform prints it.
	c.Configure(t, kimWith("group = \"acme.example\"\nrole = \"viewer\"")+
		"output \"leak\" {\nvalue = nonsensitive(chainguard_invite_code.kim.code)\n}\n")
	output := c.MustRun(t, "apply", "-auto-approve")
	found := secretsOn(c).Find("the output", []byte(output))
	if len(found) == 0 || !strings.Contains(strings.Join(found, "\n"), "code 0") {
		t.Errorf("the code that was printed on purpose was not found: %v", found)
	}
	_ = log()
}

func TestNoSecretIsLoggedOrShown(t *testing.T) {
	t.Parallel()
	for name, signIn := range map[string]func(t *testing.T, c *acctest.CLI) acctest.Canaries{
		"signed in with a token": func(*testing.T, *acctest.CLI) acctest.Canaries { return nil },
		"signed in with an OIDC token": func(_ *testing.T, c *acctest.CLI) acctest.Canaries {
			upstream := emulator.UpstreamToken(emulator.Upstream{
				Issuer: "https://ci.example.com", Subject: "pipeline", Audience: []string{c.URL()}, Expires: time.Now().Add(time.Hour),
			})
			delete(c.Env, "CHAINGUARD_TOKEN")
			c.Env["CHAINGUARD_IDENTITY"] = c.AdminIdentity()
			c.Env["CHAINGUARD_IDENTITY_TOKEN"] = upstream
			return acctest.Canaries{"identity token": upstream}
		},
		"signed in with a refresh token": func(t *testing.T, c *acctest.CLI) acctest.Canaries {
			t.Helper()
			delete(c.Env, "CHAINGUARD_TOKEN")
			refresh := c.RefreshToken(c.AdminIdentity(), 24*day)
			folder := filepath.Join(c.Dir, "home", "chainguard", strings.ReplaceAll(c.Audience(), "/", "-"))
			if err := os.MkdirAll(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, "refresh-token"), []byte(refresh), 0o600); err != nil {
				t.Fatal(err)
			}
			return acctest.Canaries{"refresh token": refresh}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := acctest.NewCLI(t)
			tokens := signIn(t, c)
			log := trace(t, c)
			shown := ""
			c.Configure(t, kimWith("group = \"acme.example\"\nrole = \"viewer\"\nttl = \"5d\""))
			shown += c.MustRun(t, "plan", "-out=create.tfplan")
			shown += c.MustRun(t, "show", "-json", "create.tfplan")
			shown += c.MustRun(t, "apply", "create.tfplan")
			canaries := secretsOn(c)
			shown += c.MustRun(t, "plan")
			shown += c.MustRun(t, "state", "show", kim)

			// The platform is at fault, in its own words and in others'.
			c.Inject(emulator.Fault{Method: "GetGroupInvite", Code: codes.Internal, Message: "cannot read for Bearer " + c.Token, Times: 1})
			output, err := c.Run(t, "plan")
			if err == nil {
				t.Error("a plan went well though the platform did not")
			}
			shown += output

			c.Configure(t, kimWith("group = \"acme.example\"\nrole = \"viewer\"\nttl = \"6d\""))
			shown += c.MustRun(t, "apply", "-auto-approve")
			for name, secret := range secretsOn(c) {
				canaries["second "+name] = secret
			}
			shown += c.MustRun(t, "destroy", "-auto-approve")
			for name, secret := range tokens {
				canaries[name] = secret
			}

			canaries.ExpectNone(t, "the log", log())
			canaries.ExpectNone(t, "what is shown", shown)
			// The state is where codes are, by Terraform's design; tokens are not even there.
			for name := range canaries {
				if strings.Contains(name, "code") || strings.Contains(name, "key id") {
					delete(canaries, name)
				}
			}
			canaries.ExpectNoneIn(t, c.Dir, "/refresh-token", "/oidc-token")
		})
	}
}
