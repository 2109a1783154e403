package auth

import (
	"errors"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// renewBefore is how long before its expiry a token is renewed. A token with a lifetime of less than twice that is
// renewed when a fifth of its lifetime is left.
const renewBefore = time.Minute

// token is a token of the platform.
type token struct {
	access   string
	expiry   time.Time     // by the local clock, zero if unknown
	lifetime time.Duration // from issue to expiry, zero if unknown
}

// newlyIssued returns a token that the STS has just issued. stated is the expiry next to it in the response, zero if
// there is none.
func newlyIssued(access string, stated, now time.Time) token {
	c, err := readClaims(access)
	if err != nil || c.expiry.IsZero() {
		if stated.IsZero() {
			return token{access: access}
		}
		return token{access: access, expiry: stated, lifetime: stated.Sub(now)}
	}
	lifetime := c.expiry.Sub(now)
	if total := c.lifetime(); total > 0 && (lifetime <= 0 || lifetime > total) {
		// The local clock is wrong. The token is new, so rely on its lifetime.
		lifetime = total
	}
	return token{access: access, expiry: now.Add(lifetime), lifetime: lifetime}
}

func (t token) oauth2() *oauth2.Token {
	return &oauth2.Token{AccessToken: t.access, TokenType: "Bearer", Expiry: t.expiry}
}

// margin returns how long before its expiry the token should be renewed.
func (t token) margin() time.Duration {
	if t.lifetime >= 2*renewBefore {
		return renewBefore
	}
	return t.lifetime / 5
}

func (t token) expiresSoon(now time.Time) bool {
	return !t.expiry.IsZero() && t.expiry.Sub(now) <= t.margin()
}

// renewAt returns when to look for another token, zero for never.
func (t token) renewAt(now time.Time) time.Time {
	if t.expiry.IsZero() {
		return time.Time{}
	}
	margin := t.margin()
	if remaining := t.expiry.Sub(now); remaining <= margin {
		margin = remaining / 5 // No source has a better token, so use most of the remaining time.
	}
	return t.expiry.Add(-margin)
}

// usable returns an error if text cannot be sent as a token. The error completes "an answer" or "a token".
func usable(text string) error {
	switch {
	case text == "":
		return errors.New("without a token in it")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("with spaces or other characters that no token has")
	}
	return nil
}
