package emulator

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// signingKey signs what the emulator issues. It is the same in every process, so that a token made by one is taken by
// another, and it is public: it guards nothing but emulators.
var signingKey = newKey("chainguard emulator: this key is public and signs nothing of value")

// upstreamKey signs the tokens of made-up upstream issuers. Nobody verifies them.
var upstreamKey = newKey("chainguard emulator: upstream issuers")

func newKey(phrase string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(phrase))
	return ed25519.NewKeyFromSeed(seed[:])
}

// publicKey is the second half of an Ed25519 key.
func publicKey(key ed25519.PrivateKey) ed25519.PublicKey {
	return ed25519.PublicKey(key[ed25519.PublicKeySize:])
}

const keyID = "emulator"

// claims are what a token says.
type claims struct {
	Issuer        string   `json:"iss"`
	Subject       string   `json:"sub"`
	Audience      audience `json:"aud,omitempty"`
	Expires       int64    `json:"exp"`
	IssuedAt      int64    `json:"iat,omitempty"`
	ID            string   `json:"jti,omitempty"`
	Email         string   `json:"email,omitempty"`
	EmailVerified *bool    `json:"email_verified,omitempty"`
	// Actor is who the upstream issuer says it is, as the platform puts it.
	Actor *actor `json:"act,omitempty"`
	// Scopes and Capabilities, if there are any, are all that the token may be used for.
	Scopes       []string `json:"scopes,omitempty"`
	Capabilities []string `json:"cap,omitempty"`
	// Epoch tells tokens from before RevokeTokens from those after.
	Epoch int `json:"emulator_epoch,omitempty"`
}

type actor struct {
	Audience string `json:"aud"`
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
}

func (c *claims) expired(now time.Time) bool { return now.Unix() >= c.Expires }

// audience is one string or several, as RFC 7519 has it.
type audience []string

func (a audience) MarshalJSON() ([]byte, error) {
	if len(a) == 1 {
		return json.Marshal(a[0])
	}
	return json.Marshal([]string(a))
}

func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

// sign makes a JSON web token.
func sign(c claims, key ed25519.PrivateKey) string {
	payload, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("emulator: claims that JSON cannot hold: %v", err))
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"EdDSA","kid":"`+keyID+`","typ":"JWT"}`)) + "." + encode(payload)
	return signed + "." + encode(ed25519.Sign(key, []byte(signed)))
}

var errMalformed = errors.New("the token is not a JSON web token")

// parse reads a token, whoever signed it.
func parse(token string) (*claims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errMalformed
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, errMalformed
	}
	var c claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return nil, errMalformed
	}
	return &c, nil
}

// signedByUs says that an emulator signed the token.
func signedByUs(token string) bool {
	at := strings.LastIndexByte(token, '.')
	if at < 0 {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(token[at+1:])
	return err == nil && ed25519.Verify(publicKey(signingKey), []byte(token[:at]), signature)
}

// MintToken makes a token for an identity as the emulator at the issuer's URL would: that emulator takes it, because
// all emulators sign with one key.
func MintToken(issuer, audience, identity string, now time.Time, lifetime time.Duration) string {
	return sign(claims{
		Issuer:   issuer,
		Subject:  identity,
		Audience: []string{audience},
		IssuedAt: now.Unix(),
		Expires:  now.Add(lifetime).Unix(),
		ID:       randomHex(16),
	}, signingKey)
}

// Upstream describes the token of an upstream issuer, such as GitHub Actions.
type Upstream struct {
	Issuer, Subject string
	Email           string
	Audience        []string
	Expires         time.Time
}

// UpstreamToken makes an upstream issuer's token, to be exchanged for one of the emulator's.
func UpstreamToken(u Upstream) string {
	return sign(claims{
		Issuer:   u.Issuer,
		Subject:  u.Subject,
		Audience: slices.Clone(u.Audience),
		Email:    u.Email,
		Expires:  u.Expires.Unix(),
		ID:       randomHex(16),
	}, upstreamKey)
}
