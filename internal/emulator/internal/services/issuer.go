package services

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	oidc "chainguard.dev/sdk/proto/platform/oidc/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/store"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/token"
)

// defaultTokenLifetime is how long access tokens are valid unless Behavior says otherwise.
const defaultTokenLifetime = time.Hour

// Issuer issues and verifies the platform's tokens, and decides which identities an upstream token may assume.
type Issuer struct {
	// URL is the URL of the issuer and of the API.
	URL string

	audience string
	store    *store.Store
}

// NewIssuer returns an issuer of tokens for this audience, or for its own URL if audience is "".
func NewIssuer(st *store.Store, audience string) *Issuer {
	return &Issuer{store: st, audience: audience}
}

// Audience returns the audience of tokens for the API.
func (i *Issuer) Audience() string { return cmp.Or(i.audience, i.URL) }

// Issue completes the claims and signs them.
func (i *Issuer) Issue(c token.Claims, lifetime time.Duration) string {
	now := i.store.Now()
	c.Issuer = i.URL
	c.IssuedAt = now.Unix()
	c.Expires = now.Add(lifetime).Unix()
	c.ID = store.RandomHex(16)
	c.Epoch = i.store.Epoch
	if identity := i.store.Identities[c.Subject]; identity != nil && identity.Email != "" {
		verified := true
		c.Email, c.EmailVerified = identity.Email, &verified
	}
	return token.Sign(c)
}

// IssueRefresh returns a refresh token for an identity.
func (i *Issuer) IssueRefresh(identity string, lifetime time.Duration) (refresh string, expires time.Time) {
	expires = i.store.Now().Add(lifetime).Truncate(time.Second)
	refresh = token.NewRefresh(store.RandomHex(20), expires)
	i.store.Refresh[refresh] = &store.RefreshToken{Identity: identity, Expires: expires}
	return refresh, expires
}

// accessToken returns an access token as the STS returns it.
func (i *Issuer) accessToken(c token.Claims) *oidc.RawToken {
	lifetime := cmp.Or(i.store.Behavior.TokenLifetime, defaultTokenLifetime)
	expires := i.store.Now().Add(lifetime).Truncate(time.Second)
	return &oidc.RawToken{Token: i.Issue(c, lifetime), Expiry: timestamppb.New(expires)}
}

// verify returns the claims of a token of the platform's own, or an error if it is not valid.
func (i *Issuer) verify(bearer string) (*token.Claims, error) {
	c, err := token.Parse(bearer)
	switch {
	case err != nil:
		return nil, unauthenticated("%v", err)
	case !token.Signed(bearer):
		return nil, unauthenticated("the token was issued by %q, not by this platform's issuer %q", c.Issuer, i.URL)
	case c.Issuer != i.URL:
		return nil, unauthenticated("the token names the issuer %q, but this platform's is %q", c.Issuer, i.URL)
	case c.Expired(i.store.Now()):
		return nil, expired(c)
	case c.Epoch < i.store.Epoch:
		return nil, unauthenticated("the token was revoked")
	case i.store.Identities[c.Subject] == nil:
		return nil, unauthenticated("the token is for the identity %q, which does not exist", c.Subject)
	}
	return c, nil
}

func expired(c *token.Claims) error {
	return unauthenticated("the token expired at %s", time.Unix(c.Expires, 0).UTC().Format(time.RFC3339))
}

// upstream returns the claims of the token that a call exchanges, which is another issuer's or the platform's own. It
// does not check the audience.
func (i *Issuer) upstream(ctx context.Context) (*token.Claims, error) {
	text, err := bearer(ctx)
	if err != nil {
		return nil, err
	}
	c, err := token.Parse(text)
	switch {
	case err != nil:
		return nil, unauthenticated("%v", err)
	case c.Issuer == i.URL:
		return i.verify(text)
	case c.Issuer == "" || c.Subject == "":
		return nil, unauthenticated("the token names no issuer or no subject")
	case c.Expired(i.store.Now()):
		return nil, expired(c)
	}
	return c, nil
}

// checkAudience returns an error if an upstream token is not for the issuer's URL, or for its host without a scheme,
// which several CI systems use. A token without an audience is accepted, because nothing documented forbids it.
func (i *Issuer) checkAudience(c *token.Claims) error {
	host := i.URL
	if u, err := url.Parse(i.URL); err == nil {
		host = u.Host
	}
	is := func(audience string) bool {
		audience = strings.TrimSuffix(audience, "/")
		return audience == i.URL || audience == host
	}
	if c.Issuer == i.URL || len(c.Audience) == 0 || slices.ContainsFunc(c.Audience, is) {
		return nil
	}
	return unauthenticated("the token is for the audience %q, but the issuer's is %q", []string(c.Audience), i.URL)
}

// assume returns the identity that an upstream token is exchanged for: the requested one if the token matches it, or,
// if none is requested, the one registered for the token.
func (i *Issuer) assume(uid string, c *token.Claims) (*store.Identity, error) {
	if uid == "" {
		if err := i.checkAudience(c); err != nil {
			return nil, err
		}
		if identity := i.identityOf(c); identity != nil {
			return identity, nil
		}
		return nil, failure(codes.NotFound, "NOT_FOUND",
			"no identity is registered for the subject \""+c.Subject+"\" of the issuer \""+c.Issuer+"\"")
	}
	identity := i.store.Identities[uid]
	if identity == nil {
		return nil, notFound("Identity", uid)
	}
	m := identity.Match
	if m.Audience == "" && m.AudiencePattern == "" {
		if err := i.checkAudience(c); err != nil {
			return nil, err
		}
	}
	mayNot := func(format string, args ...any) error {
		args = append(args, uid)
		return failure(codes.PermissionDenied, "PERMISSION_DENIED", fmt.Sprintf(format+" may not assume the identity %q", args...))
	}
	audiences := c.Audience
	if len(audiences) == 0 {
		audiences = []string{""}
	}
	switch {
	case !claimMatches(m.Issuer, m.IssuerPattern, c.Issuer), !claimMatches(m.Subject, m.SubjectPattern, c.Subject):
		return nil, mayNot("the subject %q of the issuer %q", c.Subject, c.Issuer)
	case !slices.ContainsFunc(audiences, func(aud string) bool { return claimMatches(m.Audience, m.AudiencePattern, aud) }):
		return nil, mayNot("a token for the audience %q", []string(c.Audience))
	}
	return identity, nil
}

// claimMatches reports whether a claim has the value, or matches the whole pattern. Without either, any claim does.
func claimMatches(value, pattern, claim string) bool {
	switch {
	case value != "":
		return claim == value
	case pattern != "":
		is, err := regexp.MatchString("^(?:"+pattern+")$", claim)
		return err == nil && is
	}
	return true
}

// identityOf returns the identity registered for an upstream token, nil if there is none.
func (i *Issuer) identityOf(c *token.Claims) *store.Identity {
	for _, identity := range i.store.Identities {
		m := identity.Match
		if m.Issuer != "" && m.Subject != "" && m.Issuer == c.Issuer && m.Subject == c.Subject {
			return identity
		}
	}
	if c.Issuer == i.URL {
		return i.store.Identities[c.Subject]
	}
	return nil
}
