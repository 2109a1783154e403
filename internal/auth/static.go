package auth

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// static is a token that the user gave. Nothing but its expiry matters to us: the platform knows what it is good for.
type static struct {
	value   string
	origin  string
	now     func() time.Time
	refused func(string) bool
}

func (s static) name() string { return "token" }

func (s static) token(context.Context) (issued, error) {
	const remedy = "A token that is given literally cannot be renewed: give a fresh one, or leave it out and use another way " +
		"to sign in"

	if s.refused(s.value) {
		return issued{}, fmt.Errorf("the platform did not accept the token from %s (Unauthenticated). %s", s.origin, remedy)
	}
	c, err := readClaims(s.value)
	if errors.Is(err, errNotJWT) || c.expiry.IsZero() {
		return issued{access: s.value}, nil
	}
	now := s.now()
	if !now.Before(c.expiry) {
		return issued{}, fmt.Errorf("the token from %s expired at %s. %s", s.origin, c.expiry.UTC().Format(time.RFC3339), remedy)
	}
	return issued{access: s.value, expiry: c.expiry, lifetime: c.expiry.Sub(now)}, nil
}
