package auth

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// buildkite gets an OIDC token from the Buildkite agent that runs the job.
type buildkite struct {
	audience string // the issuer's host without a scheme, as Chainguard documents
	getenv   func(string) string
	run      func(ctx context.Context, program string, args ...string) (stdout, stderr []byte, err error)
	secrets  *redact.Secrets
}

func (b buildkite) identityToken(ctx context.Context) (string, error) {
	if b.getenv("BUILDKITE") != "true" {
		return "", errors.New("this is not a Buildkite job (BUILDKITE is not set)")
	}
	b.secrets.Add(b.getenv("BUILDKITE_AGENT_ACCESS_TOKEN"))
	ctx, cancel := context.WithTimeout(ctx, programTimeout)
	defer cancel()
	stdout, stderr, err := b.run(ctx, "buildkite-agent", "oidc", "request-token", "--audience", b.audience)
	identityToken := strings.TrimSpace(string(stdout))
	b.secrets.Add(identityToken)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", errors.New("the job has no buildkite-agent on the PATH. In a container, mount the agent into it, or put a token into " +
			"CHAINGUARD_IDENTITY_TOKEN")
	case err != nil && ctx.Err() != nil:
		return "", fmt.Errorf("`buildkite-agent oidc request-token` was not done after %s", programTimeout)
	case err != nil:
		return "", fmt.Errorf("`buildkite-agent oidc request-token` failed: %s", programError(b.secrets, err, stderr))
	}
	if err := usable(identityToken); err != nil {
		return "", fmt.Errorf("`buildkite-agent oidc request-token` printed something %w", err)
	}
	return identityToken, nil
}
