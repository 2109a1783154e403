package auth

import (
	"context"
	"os"
	"os/exec"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// programTimeout bounds a run of chainctl or of an agent. chainctl is done in a moment if it has a refresh token; without
// one it may open a browser and wait for a person.
const programTimeout = 15 * time.Second

// runProgram runs a program that is found on the PATH. It gets no input, and its output is kept from the terminal: what
// it prints to stdout is a token.
func runProgram(ctx context.Context, program string, args ...string) (stdout, stderr []byte, err error) {
	var out, diagnostics bounded
	command := exec.CommandContext(ctx, program, args...)
	command.Stdout, command.Stderr = &out, &diagnostics
	// chainctl takes any key of its config file as a variable. This one keeps it from opening a browser.
	command.Env = append(os.Environ(), "CHAINGUARD_DEFAULT_SKIP_AUTO_LOGIN=true")
	command.WaitDelay = time.Second // A browser that it started may hold its output open.
	err = command.Run()
	return out.kept, diagnostics.kept, err
}

// bounded keeps the beginning of what is written to it. It has no more methods than it needs: that of a buffer for
// reading everything at once would not be bounded.
type bounded struct{ kept []byte }

func (b *bounded) Write(p []byte) (int, error) {
	if room := maxToken - len(b.kept); room > 0 {
		b.kept = append(b.kept, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

// programError says why a program failed, with what it printed to stderr.
func programError(secrets *redact.Secrets, err error, stderr []byte) string {
	reason := quote(secrets, err.Error())
	if said := quote(secrets, string(stderr)); said != "" {
		reason += ": " + said
	}
	return reason
}
