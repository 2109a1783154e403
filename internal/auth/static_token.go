package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// staticToken is a token that the user configured. Only its expiry is checked, because only the platform knows what it
// is valid for.
type staticToken struct {
	value        string
	origin       string
	requirements tokenRequirements
}

func (s staticToken) name() string { return "token" }

func (s staticToken) get(context.Context) (token, error) {
	const remedy = "A token that is given literally cannot be renewed: give a fresh one, or leave it out and use another way " +
		"to sign in"

	c, err := readClaims(s.value)
	if s.requirements.refused(s.value) {
		return token{}, fmt.Errorf("the platform did not accept the token from %s (Unauthenticated)%s. %s", s.origin, s.otherAudience(c), remedy)
	}
	if errors.Is(err, errNotJWT) || c.expiry.IsZero() {
		return token{access: s.value}, nil
	}
	now := s.requirements.clock.Now()
	if !now.Before(c.expiry) {
		return token{}, fmt.Errorf("the token from %s %s. %s", s.origin, expired(c.expiry, now), remedy)
	}
	return token{access: s.value, expiry: c.expiry, lifetime: c.expiry.Sub(now)}, nil
}

// otherAudience describes the audience of a token that is for another one than the provider's.
func (s staticToken) otherAudience(c claims) string {
	r := s.requirements
	if len(c.audience) == 0 || slices.Contains(c.audience, r.audience) {
		return ""
	}
	return fmt.Sprintf(": it is for the audience %s, and the provider's is %s. Get one with `chainctl auth token --audience %s`",
		quote(r.secrets, strings.Join(c.audience, ", ")), r.audience, r.audience)
}
