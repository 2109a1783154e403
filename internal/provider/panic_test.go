package provider_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/provider"
)

// panicFile is the environment variable that makes TestSecrets_notInAPanic panic, and names the file for the secrets of
// the run.
const panicFile = "TEST_PANIC_SECRETS"

// If the provider crashes while it has a code, Go's output must contain neither the code nor the token.
func TestSecrets_notInAPanic(t *testing.T) {
	t.Parallel()
	if file := os.Getenv(panicFile); file != "" {
		panicWithACode(t, file)
		return
	}
	file := filepath.Join(t.TempDir(), "secrets")
	crash := exec.Command(os.Args[0], "-test.run=^TestSecrets_notInAPanic$", "-test.v")
	crash.Env = append(os.Environ(), panicFile+"="+file, "GOTRACEBACK=all", "TF_LOG=TRACE")
	output, err := crash.CombinedOutput()
	if err == nil || !strings.Contains(string(output), "panic: the clock has stopped") {
		t.Fatalf("it did not crash: %v\n%s", err, output)
	}
	secrets, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	token, code, _ := strings.Cut(string(secrets), "\n")
	if token == "" || code == "" {
		t.Fatal("there was no secret to search for")
	}
	acctest.Canaries{"token": token, "code": code}.ExpectNone(t, "what the crash prints", string(output))
}

// stoppedClock panics once the platform has created an invite, when the response with its code has arrived.
type stoppedClock struct {
	*acctest.Platform
	file string
}

// Sleep implements [clock.Clock].
func (c stoppedClock) Sleep(ctx context.Context, d time.Duration) error {
	return c.Clock.Sleep(ctx, d)
}

// Now implements [clock.Clock].
func (c stoppedClock) Now() time.Time {
	if invites := c.Invites(); len(invites) > 0 {
		if err := os.WriteFile(c.file, []byte(c.Getenv("CHAINGUARD_TOKEN")+"\n"+invites[0].Code), 0o600); err != nil {
			panic(err)
		}
		panic("the clock has stopped")
	}
	return c.Clock.Now()
}

func panicWithACode(t *testing.T, file string) {
	t.Helper()
	p := acctest.New(t)
	options := append(p.Options(), provider.WithClock(stoppedClock{Platform: p, file: file}))
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"chainguard": providerserver.NewProtocol6WithError(provider.New(acctest.Version, options...)()),
		},
		Steps: []resource.TestStep{{Config: kimWith(acmeViewer)}},
	})
}
