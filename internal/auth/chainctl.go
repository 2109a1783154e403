package auth

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// chainctlPatience bounds a run of chainctl. With a refresh token it is done in a moment; without one it may open a
// browser and wait for somebody who is not there.
const chainctlPatience = 15 * time.Second

// chainctlProgram is the source that asks chainctl itself, which knows ways to sign in that we do not.
type chainctlProgram struct {
	wanted wanted
	run    func(ctx context.Context, args ...string) (stdout, stderr []byte, err error)
}

func (c chainctlProgram) name() string { return "the chainctl program" }

func (c chainctlProgram) token(ctx context.Context) (issued, error) {
	runCtx, cancel := context.WithTimeout(ctx, chainctlPatience)
	defer cancel()

	stdout, stderr, err := c.run(runCtx, "auth", "token", "--audience", c.wanted.audience, "--issuer", c.wanted.issuer)
	token := strings.TrimSpace(string(stdout))
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return issued{}, errors.New("there is none on the PATH")
	case err != nil && runCtx.Err() != nil:
		return issued{}, fmt.Errorf("`chainctl auth token` was not done after %s. It may have been waiting for somebody to "+
			"sign in by browser: run `chainctl auth login` yourself", chainctlPatience)
	case err != nil:
		reason := fmt.Sprintf("`chainctl auth token` failed: %s", quote(err.Error(), token))
		if said := quote(string(stderr), token); said != "" {
			reason += ": " + said
		}
		return issued{}, errors.New(reason)
	case token == "":
		return issued{}, errors.New("`chainctl auth token` printed nothing")
	}
	if err := usable(token); err != nil {
		return issued{}, fmt.Errorf("`chainctl auth token` printed something %w", err)
	}
	found, err := c.wanted.check(token)
	if err != nil {
		return issued{}, fmt.Errorf("what `chainctl auth token` printed is of no use: %w", err)
	}
	return found, nil
}

// programRunner runs a program that is found on the PATH. It gets no input, and its output goes nowhere but to us: what
// it prints to stdout is a token.
func programRunner(program string) func(context.Context, ...string) ([]byte, []byte, error) {
	return func(ctx context.Context, args ...string) ([]byte, []byte, error) {
		var stdout, stderr bounded
		command := exec.CommandContext(ctx, program, args...)
		command.Stdout, command.Stderr = &stdout, &stderr
		// chainctl takes any key of its config file as a variable. This one keeps it from opening a browser.
		command.Env = append(os.Environ(), "CHAINGUARD_DEFAULT_SKIP_AUTO_LOGIN=true")
		command.WaitDelay = time.Second // A browser that it started may hold its output open.
		err := command.Run()
		return stdout.kept, stderr.kept, err
	}
}

// bounded keeps the beginning of what is written to it. It has no more methods than it needs: that of a buffer for
// reading everything at once would not be bounded.
type bounded struct{ kept []byte }

const maxProgramOutput = 64 << 10

func (b *bounded) Write(p []byte) (int, error) {
	if room := maxProgramOutput - len(b.kept); room > 0 {
		b.kept = append(b.kept, p[:min(room, len(p))]...)
	}
	return len(p), nil
}
