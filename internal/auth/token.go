package auth

import (
	"errors"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// renewBefore is how long before it expires a token is replaced. A token that is valid for less than twice that is
// replaced when a fifth of its lifetime is left.
const renewBefore = time.Minute

// token is a token to call the platform with.
type token struct {
	access   string
	expiry   time.Time     // by our own clock, zero if it is not known
	lifetime time.Duration // from issue to expiry, zero if it is not known
}

// newlyIssued is a token that the STS has just issued. The STS may state the expiry beside the token.
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
		// Our clock is wrong, but the token is fresh: its lifetime is what counts.
		lifetime = total
	}
	return token{access: access, expiry: now.Add(lifetime), lifetime: lifetime}
}

func (t token) oauth2() *oauth2.Token {
	return &oauth2.Token{AccessToken: t.access, TokenType: "Bearer", Expiry: t.expiry}
}

// margin is how long before it expires the token should be replaced.
func (t token) margin() time.Duration {
	if t.lifetime >= 2*renewBefore {
		return renewBefore
	}
	return t.lifetime / 5
}

func (t token) expiresSoon(now time.Time) bool {
	return !t.expiry.IsZero() && t.expiry.Sub(now) <= t.margin()
}

// renewAt is when to look for another token, zero for never.
func (t token) renewAt(now time.Time) time.Time {
	if t.expiry.IsZero() {
		return time.Time{}
	}
	margin := t.margin()
	if remaining := t.expiry.Sub(now); remaining <= margin {
		margin = remaining / 5 // There is no better one: use up most of it.
	}
	return t.expiry.Add(-margin)
}

// usable says whether text can be sent as a token. The error reads on after "an answer" or "one".
func usable(text string) error {
	switch {
	case text == "":
		return errors.New("without a token in it")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("with spaces or other characters that no token has")
	}
	return nil
}
