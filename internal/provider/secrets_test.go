package provider_test

import (
	"encoding/base64"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// trace enables all logs of Terraform and the provider, in a file whose content it returns.
func trace(t *testing.T, w *acctest.Workspace) (content func() string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trace.log")
	w.Setenv("TF_LOG", "TRACE")
	w.Setenv("TF_LOG_PATH", file)
	return func() string {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// Every search would pass in a log without the provider's output.
		if !strings.Contains(string(text), "Called the Chainguard API") {
			t.Fatal("the log has nothing of the provider")
		}
		return string(text)
	}
}

func TestSecrets_harnessFindsALeak(t *testing.T) {
	t.Parallel()
	w, e := acctest.NewProgramWorkspace(t)
	log := trace(t, w)
	// An output with nonsensitive() leaks on purpose: Terraform prints it.
	w.Configure(kimWith(acmeViewer) +
		"output \"leak\" {\nvalue = nonsensitive(chainguard_invite_code.kim.code)\n}\n")
	output := w.Run("apply", "-auto-approve")
	found := secretsOn(e, w.Getenv("CHAINGUARD_TOKEN")).Find("the output", []byte(output))
	if len(found) == 0 || !strings.Contains(strings.Join(found, "\n"), "code 0") {
		t.Errorf("the code that was printed on purpose was not found: %v", found)
	}
	_ = log()
}

func TestSecrets_notLoggedOrShown(t *testing.T) {
	t.Parallel()
	for name, signIn := range map[string]func(t *testing.T, w *acctest.Workspace, e *emulator.Emulator) acctest.Canaries{
		"signed in with a token": func(*testing.T, *acctest.Workspace, *emulator.Emulator) acctest.Canaries { return nil },
		"signed in with an OIDC token": func(_ *testing.T, w *acctest.Workspace, e *emulator.Emulator) acctest.Canaries {
			upstream := emulator.UpstreamToken(emulator.Upstream{
				Issuer: "https://ci.example.com", Subject: "pipeline", Audience: []string{e.URL()}, Expires: time.Now().Add(time.Hour),
			})
			w.Setenv("CHAINGUARD_TOKEN", "")
			w.Setenv("CHAINGUARD_IDENTITY", e.AdminIdentity())
			w.Setenv("CHAINGUARD_IDENTITY_TOKEN", upstream)
			return acctest.Canaries{"identity token": upstream}
		},
		"signed in with a refresh token": func(t *testing.T, w *acctest.Workspace, e *emulator.Emulator) acctest.Canaries {
			t.Helper()
			w.Setenv("CHAINGUARD_TOKEN", "")
			refresh := e.RefreshToken(e.AdminIdentity(), 24*day)
			if err := e.CacheToken(w.CacheDir(), emulator.RefreshTokenFile, refresh); err != nil {
				t.Fatal(err)
			}
			return acctest.Canaries{"refresh token": refresh}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, e := acctest.NewProgramWorkspace(t)
			token := w.Getenv("CHAINGUARD_TOKEN")
			tokens := signIn(t, w, e)
			log := trace(t, w)
			shown := ""
			w.Configure(kimWith(acmeViewer + "ttl = \"5d\""))
			shown += w.Run("plan", "-out=create.tfplan")
			shown += w.Run("show", "-json", "create.tfplan")
			shown += w.Run("apply", "create.tfplan")
			canaries := secretsOn(e, token)
			shown += w.Run("plan")
			shown += w.Run("state", "show", kim)

			// Errors of the platform and of other servers repeat the token.
			e.Inject(emulator.Fault{Method: "GetGroupInvite", Code: codes.Internal, Message: "cannot read for Bearer " + token, Times: 5})
			output, err := w.Try("plan")
			if err == nil {
				t.Error("a plan succeeded despite an error of the platform")
			}
			shown += output

			w.Configure(kimWith(acmeViewer + "ttl = \"6d\""))
			shown += w.Run("apply", "-auto-approve")
			for name, secret := range secretsOn(e, token) {
				canaries["second "+name] = secret
			}
			shown += w.Run("destroy", "-auto-approve")
			for name, secret := range tokens {
				canaries[name] = secret
			}

			canaries.ExpectNone(t, "the log", log())
			canaries.ExpectNone(t, "the output", shown)
			// By Terraform's design, the state has the codes. It must not have the tokens.
			for name := range canaries {
				if strings.Contains(name, "code") || strings.Contains(name, "key id") {
					delete(canaries, name)
				}
			}
			canaries.ExpectNoneIn(t, w.Path("."), "/refresh-token", "/oidc-token")
		})
	}
}

// A code in an unusual format is removed from the platform's messages in every encoding.
func TestSecrets_codeRepeatedByThePlatform(t *testing.T) {
	t.Parallel()
	const code = "0dd/c0de+that-looks-like-n0thing="
	w, e := acctest.NewProgramWorkspace(t)
	log := trace(t, w)
	e.Inject(emulator.Fault{Method: "CreateGroupInvite", Mutate: func(answer proto.Message) {
		if invite, ok := answer.(*iam.GroupInvite); ok {
			invite.Code = code
		}
	}})
	w.Configure(kimWith(acmeViewer))
	w.Run("apply", "-auto-approve")

	encoded := base64.StdEncoding.EncodeToString([]byte(`{"code":"` + code + `"}`))
	message := "cannot find " + code + " or " + url.QueryEscape(code) + " or " + encoded
	shown := ""
	for _, method := range []string{"GetGroupInvite", "DeleteGroupInvite"} {
		remove := e.Inject(emulator.Fault{Method: method, Code: codes.FailedPrecondition, Message: message})
		output, err := w.Try("destroy", "-auto-approve", "-no-color")
		if err == nil || !strings.Contains(output, "cannot find (redacted)") {
			t.Errorf("%s: the error does not show what the platform said:\n%s", method, output)
		}
		shown += output
		remove()
	}
	canaries := acctest.Canaries{"code": code, "escaped code": url.QueryEscape(code), "encoded code": encoded[16:40]}
	canaries.ExpectNone(t, "the log", log())
	canaries.ExpectNone(t, "the output", strings.ReplaceAll(shown, "\n", ""))
}
