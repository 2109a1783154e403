package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"chainguard.dev/sdk/uidp"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// tokenRequirements are the conditions for a token from chainctl or a browser.
type tokenRequirements struct {
	audience string
	issuer   string
	identity string // empty for any
	clock    clock.Clock
	secrets  *redact.Secrets
	refused  func(string) bool
}

// check returns the parsed token, or an error if it does not meet the requirements.
func (r tokenRequirements) check(access string) (token, error) {
	r.secrets.Add(access)
	claims, err := readClaims(access)
	if err != nil {
		return token{}, fmt.Errorf("the token is malformed: %w", err)
	}
	now := r.clock.Now()
	switch {
	case !slices.Contains(claims.audience, r.audience):
		return token{}, fmt.Errorf("the token is for another audience (%s)", quote(r.secrets, strings.Join(claims.audience, ", ")))
	case claims.issuer != "" && strings.TrimSuffix(claims.issuer, "/") != r.issuer:
		return token{}, fmt.Errorf("the token is from another issuer (%s instead of %s)", quote(r.secrets, claims.issuer), r.issuer)
	case claims.expiry.IsZero():
		return token{}, errors.New("the token does not say when it expires")
	case !now.Before(claims.expiry):
		return token{}, errors.New("the token " + expired(claims.expiry, now))
	case r.identity != "" && uidp.Valid(claims.subject) && claims.subject != r.identity:
		return token{}, fmt.Errorf("the token is that of another identity (%s)", claims.subject)
	case r.refused(access):
		return token{}, errors.New("the platform did not accept the token (Unauthenticated)")
	}
	found := token{access: access, expiry: claims.expiry, lifetime: claims.lifetime()}
	if found.lifetime <= 0 {
		found.lifetime = claims.expiry.Sub(now)
	}
	return found, nil
}
