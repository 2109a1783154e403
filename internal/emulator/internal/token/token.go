// Package token signs and parses the JSON web tokens of the emulator. They protect nothing: the keys are public.
package token

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// platformKey signs the tokens of the emulator. It is the same in every process, so that one emulator accepts the
// tokens of another, and public, because it protects nothing.
var platformKey = newKey("chainguard emulator: this key is public and signs nothing of value")

// upstreamKey signs the tokens of other issuers, whose signatures are not verified.
var upstreamKey = newKey("chainguard emulator: upstream issuers")

func newKey(phrase string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(phrase))
	return ed25519.NewKeyFromSeed(seed[:])
}

// publicKey returns the public half of a key.
func publicKey(key ed25519.PrivateKey) ed25519.PublicKey {
	return ed25519.PublicKey(key[ed25519.PublicKeySize:])
}

// Claims are the claims of a token.
type Claims struct {
	Issuer        string   `json:"iss"`
	Subject       string   `json:"sub"`
	Audience      Audience `json:"aud,omitempty"`
	Expires       int64    `json:"exp"`
	IssuedAt      int64    `json:"iat,omitempty"`
	ID            string   `json:"jti,omitempty"`
	Email         string   `json:"email,omitempty"`
	EmailVerified *bool    `json:"email_verified,omitempty"`
	// Actor describes the upstream token that the token was exchanged for.
	Actor *Actor `json:"act,omitempty"`
	// Scopes and Capabilities, if any, limit what the token may be used for.
	Scopes       []string `json:"scopes,omitempty"`
	Capabilities []string `json:"cap,omitempty"`
	// Epoch is the number of revocations before the token was issued.
	Epoch int `json:"emulator_epoch,omitempty"`
}

// Actor identifies an upstream token.
type Actor struct {
	Audience string `json:"aud"`
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
}

// Expired reports whether the token has expired at this time.
func (c *Claims) Expired(now time.Time) bool { return now.Unix() >= c.Expires }

// ProvesEmail reports whether the token has this email address, and does not say that it is unverified.
func (c *Claims) ProvesEmail(email string) bool {
	return strings.EqualFold(c.Email, email) && (c.EmailVerified == nil || *c.EmailVerified)
}

// Audience is a string or an array of strings (RFC 7519).
type Audience []string

// MarshalJSON implements [json.Marshaler].
func (a Audience) MarshalJSON() ([]byte, error) {
	if len(a) == 1 {
		return json.Marshal(a[0])
	}
	return json.Marshal([]string(a))
}

// UnmarshalJSON implements [json.Unmarshaler].
func (a *Audience) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = Audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

// Sign returns a token of the platform with these claims.
func Sign(c Claims) string { return sign(c, platformKey) }

// SignUpstream returns a token of another issuer with these claims.
func SignUpstream(c Claims) string { return sign(c, upstreamKey) }

func sign(c Claims, key ed25519.PrivateKey) string {
	payload, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("emulator: claims that JSON cannot hold: %v", err))
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"EdDSA","kid":"emulator","typ":"JWT"}`)) + "." + encode(payload)
	return signed + "." + encode(ed25519.Sign(key, []byte(signed)))
}

var errMalformed = errors.New("the token is not a JSON web token")

// Parse reads a token without verifying its signature.
func Parse(token string) (*Claims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errMalformed
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, errMalformed
	}
	var c Claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return nil, errMalformed
	}
	return &c, nil
}

// Signed reports whether an emulator signed the token.
func Signed(token string) bool {
	at := strings.LastIndexByte(token, '.')
	if at < 0 {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(token[at+1:])
	return err == nil && ed25519.Verify(publicKey(platformKey), []byte(token[:at]), signature)
}

// NewRefresh returns a refresh token in the form that clients expect: base64 of JSON with the expiry.
func NewRefresh(secret string, expires time.Time) string {
	b, err := json.Marshal(struct {
		Expires int64  `json:"exp"`
		Secret  string `json:"sec"`
	}{expires.Unix(), secret})
	if err != nil {
		panic(err) // a number and a string
	}
	return base64.StdEncoding.EncodeToString(b)
}
