package auth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
)

// claims are the unverified claims of a JWT. The platform verifies them; the provider uses them to avoid sending a
// token that would be rejected, and to decide when to renew.
type claims struct {
	issuer   string
	subject  string
	audience []string
	issuedAt time.Time // zero if not stated
	expiry   time.Time // zero if not stated
}

// lifetime returns the time from issue to expiry, zero if the token does not state both.
func (c claims) lifetime() time.Duration {
	if c.issuedAt.IsZero() || c.expiry.IsZero() {
		return 0
	}
	return c.expiry.Sub(c.issuedAt)
}

// errNotJWT has no details, which could reveal parts of the token.
var errNotJWT = errors.New("it is not a JWT")

// readClaims reads a JWT without verifying it. The SDK's functions return one claim each, and treat a token without an
// expiry as expired.
func readClaims(token string) (claims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims{}, errNotJWT
	}
	var header map[string]any
	if err := decodePart(parts[0], &header); err != nil {
		return claims{}, errNotJWT
	}
	if _, err := base64.RawURLEncoding.DecodeString(parts[2]); err != nil {
		return claims{}, errNotJWT
	}
	return decodeClaims(parts[1])
}

// stillValid returns an error if a JWT has expired. It accepts tokens without an expiry and other tokens.
func stillValid(jwt string, c clock.Clock) error {
	claims, err := readClaims(jwt)
	if now := c.Now(); err == nil && !claims.expiry.IsZero() && !now.Before(claims.expiry) {
		return errors.New(expired(claims.expiry, now))
	}
	return nil
}

// expired describes when a token expired and the current time, since the local clock may be wrong.
func expired(at, now time.Time) string {
	return fmt.Sprintf("expired at %s (this machine's clock says %s)", at.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
}

// looksLikeJWT reports whether text has the form of a JWT, regardless of its claims.
func looksLikeJWT(text string) bool {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return false
	}
	var header map[string]any
	return decodePart(parts[0], &header) == nil
}

func decodeClaims(part string) (claims, error) {
	var payload struct {
		Issuer   string      `json:"iss"`
		Subject  string      `json:"sub"`
		Audience audience    `json:"aud"`
		IssuedAt numericDate `json:"iat"`
		Expiry   numericDate `json:"exp"`
	}
	if err := decodePart(part, &payload); err != nil {
		return claims{}, errNotJWT
	}
	return claims{
		issuer:   payload.Issuer,
		subject:  payload.Subject,
		audience: payload.Audience,
		issuedAt: payload.IssuedAt.Time,
		expiry:   payload.Expiry.Time,
	}, nil
}

func decodePart(part string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// refreshTokenExpiry returns when a refresh token expires, zero if it does not say.
func refreshTokenExpiry(token string) time.Time {
	raw, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return time.Time{}
	}
	var payload struct {
		Expiry numericDate `json:"exp"`
	}
	if json.Unmarshal(raw, &payload) != nil {
		return time.Time{}
	}
	return payload.Expiry.Time
}

// audience is the "aud" claim: a string or a list of strings.
type audience []string

func (a *audience) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(a))
}

// numericDate is a time in seconds since 1970, possibly with a fraction.
type numericDate struct{ time.Time }

// maxNumericDate is the end of the year 9999, the last that RFC 3339 can represent.
const maxNumericDate = 253402300799

func (d *numericDate) UnmarshalJSON(data []byte) error {
	var seconds *float64
	if err := json.Unmarshal(data, &seconds); err != nil {
		return err
	}
	if seconds == nil {
		return nil
	}
	if *seconds <= 0 || *seconds > maxNumericDate {
		return errors.New("not a date")
	}
	d.Time = time.Unix(int64(*seconds), 0)
	return nil
}
