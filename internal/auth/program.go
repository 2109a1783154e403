package auth

import (
	"context"
	"os"
	"os/exec"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// programTimeout limits a run of chainctl or an agent. chainctl returns at once if it has a refresh token, and may
// otherwise open a browser and wait for the user.
const programTimeout = 15 * time.Second

// runProgram runs a program on the PATH without input. It captures stdout and stderr, because the program prints a
// token.
func runProgram(ctx context.Context, program string, args ...string) (stdout, stderr []byte, err error) {
	var out, diagnostics bounded
	command := exec.CommandContext(ctx, program, args...)
	command.Stdout, command.Stderr = &out, &diagnostics
	// chainctl reads each key of its config file from an environment variable as well. This one keeps it from opening a
	// browser.
	command.Env = append(os.Environ(), "CHAINGUARD_DEFAULT_SKIP_AUTO_LOGIN=true")
	command.WaitDelay = time.Second // A browser started by it may keep its output open.
	err = command.Run()
	return out.kept, diagnostics.kept, err
}

// bounded keeps the first maxToken bytes written to it. It does not embed [bytes.Buffer], whose ReadFrom has no limit.
type bounded struct{ kept []byte }

func (b *bounded) Write(p []byte) (int, error) {
	if room := maxToken - len(b.kept); room > 0 {
		b.kept = append(b.kept, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

// programError describes why a program failed, including what it printed to stderr.
func programError(secrets *redact.Secrets, err error, stderr []byte) string {
	reason := quote(secrets, err.Error())
	if said := quote(secrets, string(stderr)); said != "" {
		reason += ": " + said
	}
	return reason
}
