package auth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
)

// mountedTokenPath is where chainctl looks for an OIDC token mounted into a container.
const mountedTokenPath = "/var/run/chainguard/chainctl/oidc-token" //nolint:gosec // G101: a path.

// mountedToken reads the OIDC token mounted for chainctl.
type mountedToken struct {
	path  string
	files tokenFiles
	clock clock.Clock
}

func (m mountedToken) identityToken(ctx context.Context) (string, error) {
	identityToken, err := m.files.read(ctx, m.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("there is no file %s", m.path)
	case err != nil:
		return "", fmt.Errorf("the file %s %w", m.path, err)
	}
	if err := stillValid(identityToken, m.clock); err != nil {
		return "", fmt.Errorf("the token in %s %w", m.path, err)
	}
	return identityToken, nil
}
