package provider_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
)

// manyInvites returns a configuration of n invites that need no lookup, so that each of them calls the API.
func manyInvites(n int, group, role string) string {
	return fmt.Sprintf(`
		resource "chainguard_invite_code" "many" {
			count = %d
			group = %q
			role  = %q
			email = "user${count.index}@example.com"
		}
	`, n, group, role)
}

// A cause that all resources share is reported once.
func TestOutage_causeIsReportedOnce(t *testing.T) {
	t.Parallel()
	const invites = 40
	for name, test := range map[string]struct {
		breaks   func(t *testing.T, w *acctest.Workspace)
		cause    string
		remedy   string
		maxLines int // of each of the other errors
	}{
		"signed out": {
			func(_ *testing.T, w *acctest.Workspace) { w.Setenv("CHAINGUARD_TOKEN", "") },
			"Sources tried, in this order", "chainctl auth login", 12,
		},
		"API down": {
			func(t *testing.T, w *acctest.Workspace) {
				t.Helper()
				listener, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				_ = listener.Close()
				w.Setenv("CHAINGUARD_PLATFORM_API", "http://"+listener.Addr().String())
			},
			"connection refused", "Check that `api`", 12,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, e := acctest.NewProgramWorkspace(t)
			w.Configure(manyInvites(invites, e.Group("acme.example"), e.Role("viewer")))
			w.Run("apply", "-auto-approve")
			test.breaks(t, w)

			output, err := w.Try("plan", "-no-color")

			if err == nil {
				t.Fatalf("the plan succeeded:\n%s", output)
			}
			for _, text := range []string{test.cause, test.remedy} {
				if got := strings.Count(output, text); got < 1 || got > 3 { // Concurrent calls may each report it.
					t.Errorf("%q is reported %d times", text, got)
				}
			}
			if got := strings.Count(output, "\n") / invites; got > test.maxLines {
				t.Errorf("there are %d lines for each invite:\n%s", got, output)
			}
		})
	}
}
