package emulator

import (
	"slices"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/store"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/token"
)

// adminTokenLifetime is long, so that a test that moves the clock by weeks need not renew the token it starts with.
const adminTokenLifetime = 10 * 365 * 24 * time.Hour

// AdminIdentity is the UIDP of the identity that AdminToken is for: the one that the seed calls "admin", or else its
// first.
func (e *Emulator) AdminIdentity() string {
	e.store.Lock()
	defer e.store.Unlock()
	return e.store.Admin
}

// AdminToken returns a token for the API and for AdminIdentity that outlives any test.
func (e *Emulator) AdminToken() string {
	return e.Token(e.AdminIdentity(), e.Audience(), adminTokenLifetime)
}

// Token returns an access token for an identity.
func (e *Emulator) Token(identityUID, audience string, lifetime time.Duration) string {
	e.store.Lock()
	defer e.store.Unlock()
	return e.issuer.Issue(token.Claims{Subject: identityUID, Audience: []string{audience}}, lifetime)
}

// RefreshToken returns a refresh token for an identity, as signing in would.
func (e *Emulator) RefreshToken(identityUID string, lifetime time.Duration) string {
	e.store.Lock()
	defer e.store.Unlock()
	refresh, _ := e.issuer.IssueRefresh(identityUID, lifetime)
	return refresh
}

// RevokeTokens refuses every access token issued so far. Refresh tokens stay valid.
func (e *Emulator) RevokeTokens() {
	e.store.Lock()
	defer e.store.Unlock()
	e.store.Epoch++
}

// IssueToken returns an access token for an identity as the emulator at the issuer's URL would issue it. That emulator
// accepts it, because all emulators sign with one key.
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

// Upstream describes the token of an upstream issuer, such as GitHub Actions.
type Upstream struct {
	Issuer, Subject string
	Email           string
	Audience        []string
	Expires         time.Time
}

// UpstreamToken returns an upstream issuer's token, to be exchanged for one of the emulator's.
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
