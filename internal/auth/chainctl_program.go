package auth

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// chainctlProgram is the source that runs chainctl, which supports more ways to sign in and coordinates the use of its
// refresh token.
type chainctlProgram struct {
	requirements tokenRequirements
	run          func(ctx context.Context, program string, args ...string) (stdout, stderr []byte, err error)

	missing bool // set by get if chainctl is not on the PATH
}

func (c *chainctlProgram) name() string { return "the chainctl program" }

func (c *chainctlProgram) get(ctx context.Context) (token, error) {
	runCtx, cancel := context.WithTimeout(ctx, programTimeout)
	defer cancel()

	stdout, stderr, err := c.run(runCtx, "chainctl", "auth", "token", "--audience", c.requirements.audience, "--issuer", c.requirements.issuer)
	access := strings.TrimSpace(string(stdout))
	c.requirements.secrets.Add(access)
	c.missing = errors.Is(err, exec.ErrNotFound)
	switch {
	case c.missing:
		return token{}, errors.New("there is none on the PATH")
	case err != nil && runCtx.Err() != nil:
		return token{}, fmt.Errorf("`chainctl auth token` was not done after %s. It may have been waiting for a "+
			"sign-in by browser: run `chainctl auth login` yourself", programTimeout)
	case err != nil:
		return token{}, fmt.Errorf("`chainctl auth token` failed: %s", programError(c.requirements.secrets, err, stderr))
	case access == "":
		return token{}, errors.New("`chainctl auth token` printed nothing")
	}
	if err := usable(access); err != nil {
		return token{}, fmt.Errorf("`chainctl auth token` printed something %w", err)
	}
	found, err := c.requirements.check(access)
	if err != nil {
		return token{}, fmt.Errorf("what `chainctl auth token` printed cannot be used: %w", err)
	}
	return found, nil
}
