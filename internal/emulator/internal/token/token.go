// Package token makes and reads the JSON web tokens of the emulator. They guard nothing: the keys are public.
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

// platformKey signs what the emulator issues. It is the same in every process, so that a token that one made is accepted
// by another, and it is public: it guards nothing but emulators.
var platformKey = newKey("chainguard emulator: this key is public and signs nothing of value")

// upstreamKey signs the tokens of other issuers. It is not verified.
var upstreamKey = newKey("chainguard emulator: upstream issuers")

func newKey(phrase string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(phrase))
	return ed25519.NewKeyFromSeed(seed[:])
}

// publicKey is the second half of an Ed25519 key.
func publicKey(key ed25519.PrivateKey) ed25519.PublicKey {
	return ed25519.PublicKey(key[ed25519.PublicKeySize:])
}

// Claims are what a token says.
type Claims struct {
	Issuer        string   `json:"iss"`
	Subject       string   `json:"sub"`
	Audience      Audience `json:"aud,omitempty"`
	Expires       int64    `json:"exp"`
	IssuedAt      int64    `json:"iat,omitempty"`
	ID            string   `json:"jti,omitempty"`
	Email         string   `json:"email,omitempty"`
	EmailVerified *bool    `json:"email_verified,omitempty"`
	// Actor is what the token was exchanged for, as the platform puts it.
	Actor *Actor `json:"act,omitempty"`
	// Scopes and Capabilities, if there are any, are all that the token may be used for.
	Scopes       []string `json:"scopes,omitempty"`
	Capabilities []string `json:"cap,omitempty"`
	// Epoch tells tokens from before a revocation from those after it.
	Epoch int `json:"emulator_epoch,omitempty"`
}

// Actor names an upstream token.
type Actor struct {
	Audience string `json:"aud"`
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
}

// Expired reports whether the token is expired at a time.
func (c *Claims) Expired(now time.Time) bool { return now.Unix() >= c.Expires }

// ProvesEmail reports whether the token shows that its bearer owns an address.
func (c *Claims) ProvesEmail(email string) bool {
	return strings.EqualFold(c.Email, email) && (c.EmailVerified == nil || *c.EmailVerified)
}

// Audience is one string or several, as RFC 7519 has it.
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

// Sign returns the platform's token with these claims.
func Sign(c Claims) string { return sign(c, platformKey) }

// SignUpstream returns a token of another issuer.
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

// NewRefresh returns a refresh token as clients expect it: base64 of JSON that tells when it expires.
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
