package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"chainguard.dev/sdk/uidp"
)

// wanted is what a token must be that was issued for someone else: chainctl, or a person at a browser.
type wanted struct {
	audience string
	issuer   string
	identity string // empty where any will do
	now      func() time.Time
	refused  func(string) bool
}

// check says whether a token will do.
func (w wanted) check(token string) (issued, error) {
	claims, err := readClaims(token)
	if err != nil {
		return issued{}, fmt.Errorf("the token is malformed: %w", err)
	}
	now := w.now()
	switch {
	case !slices.Contains(claims.audience, w.audience):
		return issued{}, fmt.Errorf("the token is for another audience (%s)", quote(strings.Join(claims.audience, ", ")))
	case claims.issuer != "" && strings.TrimSuffix(claims.issuer, "/") != w.issuer:
		return issued{}, fmt.Errorf("the token is from another issuer (%s instead of %s)", quote(claims.issuer), w.issuer)
	case claims.expiry.IsZero():
		return issued{}, errors.New("the token does not say when it expires")
	case !now.Before(claims.expiry):
		return issued{}, fmt.Errorf("the token expired at %s", claims.expiry.UTC().Format(time.RFC3339))
	case w.identity != "" && uidp.Valid(claims.subject) && claims.subject != w.identity:
		return issued{}, fmt.Errorf("the token is that of another identity (%s)", claims.subject)
	case w.refused(token):
		return issued{}, errors.New("the platform did not accept the token (Unauthenticated)")
	}
	found := issued{access: token, expiry: claims.expiry, lifetime: claims.lifetime()}
	if found.lifetime <= 0 {
		found.lifetime = claims.expiry.Sub(now)
	}
	return found, nil
}
