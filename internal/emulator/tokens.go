package emulator

import (
	"slices"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/store"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/token"
)

// adminTokenLifetime is long, so that tests can advance the clock without a new token.
const adminTokenLifetime = 10 * 365 * 24 * time.Hour

// AdminIdentity returns the UIDP of the administrator: the identity named "admin" in the seed, or else the first one.
func (e *Emulator) AdminIdentity() string {
	e.store.Lock()
	defer e.store.Unlock()
	return e.store.Admin
}

// AdminToken returns a token for the API and AdminIdentity that outlives any test.
func (e *Emulator) AdminToken() string {
	return e.Token(e.AdminIdentity(), e.Audience(), adminTokenLifetime)
}

// Token returns an access token for an identity.
func (e *Emulator) Token(identityUID, audience string, lifetime time.Duration) string {
	e.store.Lock()
	defer e.store.Unlock()
	return e.issuer.Issue(token.Claims{Subject: identityUID, Audience: []string{audience}}, lifetime)
}

// RefreshToken returns a refresh token for an identity.
func (e *Emulator) RefreshToken(identityUID string, lifetime time.Duration) string {
	e.store.Lock()
	defer e.store.Unlock()
	refresh, _ := e.issuer.IssueRefresh(identityUID, lifetime)
	return refresh
}

// RevokeTokens revokes all access tokens issued so far, but no refresh tokens.
func (e *Emulator) RevokeTokens() {
	e.store.Lock()
	defer e.store.Unlock()
	e.store.Epoch++
}

// IssueToken returns an access token for an identity of the emulator at the issuer's URL, which may run in another
// process: all emulators sign with the same key.
func IssueToken(issuer, audience, identity string, now time.Time, lifetime time.Duration) string {
	return token.Sign(token.Claims{
		Issuer:   issuer,
		Subject:  identity,
		Audience: []string{audience},
		IssuedAt: now.Unix(),
		Expires:  now.Add(lifetime).Unix(),
		ID:       store.RandomHex(16),
	})
}

// Upstream describes a token of an upstream issuer, such as GitHub Actions.
type Upstream struct {
	Issuer, Subject string
	Email           string
	Audience        []string
	Expires         time.Time
}

// UpstreamToken returns a token of an upstream issuer, which the emulator exchanges for one of its own.
func UpstreamToken(u Upstream) string {
	return token.SignUpstream(token.Claims{
		Issuer:   u.Issuer,
		Subject:  u.Subject,
		Audience: slices.Clone(u.Audience),
		Email:    u.Email,
		Expires:  u.Expires.Unix(),
		ID:       store.RandomHex(16),
	})
}
