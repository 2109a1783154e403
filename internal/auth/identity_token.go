package auth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// identityToken is the OIDC token that the user configured, or the path of a file with it. It may not be a JWT: AWS's
// older sign-in uses a signed request.
type identityToken struct {
	value      string
	origin     string
	expandPath func(string) string
	files      tokenFiles
	clock      clock.Clock
}

func (i identityToken) identityToken(ctx context.Context) (string, error) {
	if looksLikeJWT(i.value) {
		return i.literal()
	}
	// Read the file each time: it is replaced when its token is about to expire.
	identityToken, err := i.files.read(ctx, i.expandPath(i.value))
	file := "the file that " + i.origin + " names"
	if clearlyPath(i.value) {
		file = "the file " + i.value + ", which " + i.origin + " names,"
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && clearlyPath(i.value):
		return "", fmt.Errorf("%s does not exist", file)
	case errors.Is(err, fs.ErrNotExist):
		return i.literal()
	case err != nil:
		return "", fmt.Errorf("%s %w", file, err)
	}
	if err := stillValid(identityToken, i.clock); err != nil {
		return "", fmt.Errorf("the token in %s %w", file, err)
	}
	return identityToken, nil
}

func (i identityToken) literal() (string, error) {
	i.files.secrets.Add(i.value)
	if err := usable(i.value); err != nil {
		return "", fmt.Errorf("the value from %s is not the path of a file, and as a token it is one %w. It is not shown here, as "+
			"it may be a secret", i.origin, err)
	}
	if err := stillValid(i.value, i.clock); err != nil {
		return "", fmt.Errorf("the token from %s %w. One that is given literally cannot be renewed: give the path of a file that "+
			"is kept fresh, or a fresh token", i.origin, err)
	}
	return i.value, nil
}

// pathShape matches text that can only be a path. Its parts are too short to be keys, and lack the characters that are
// common in base64 and rare in paths.
var pathShape = regexp.MustCompile(`^(~|\.{1,2}|[A-Za-z]:)?([/\\][A-Za-z0-9 ._-]{1,40})+$`)

// clearlyPath reports whether value is safe to show in an error, because it cannot be anything but a path.
func clearlyPath(value string) bool {
	return len(value) <= 256 && pathShape.MatchString(value) && !redact.LooksSecret(value)
}
