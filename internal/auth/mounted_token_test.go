package auth

import (
	"os"
	"testing"
)

func TestMountedToken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	mount := func(content string) {
		t.Helper()
		if err := os.WriteFile(b.options.mountedToken, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mount(b.upstream() + "\n")
	// It is used only with an identity.
	b.refusal(b.tokens(), "OIDC token of the machine")
	if got := len(b.exchanges()); got != 0 {
		t.Errorf("%d exchanges, want none", got)
	}

	b.settings.Identity = b.emulator.AdminIdentity()
	if !b.works(b.token(b.tokens())) {
		t.Error("the platform does not accept the token")
	}

	mount(jwt(`{"exp":1000000000}`))
	reason, _ := b.refusal(b.tokens(), "mounted file")
	contains(t, reason, b.options.mountedToken+" expired at 2001-09-09T01:46:40Z (this machine's clock says 2026-03-01T12:00:00Z)")

	remove(t, b.options.mountedToken)
	reason, _ = b.refusal(b.tokens(), "mounted file")
	contains(t, reason, "there is no file "+b.options.mountedToken)
}
