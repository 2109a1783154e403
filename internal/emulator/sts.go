package emulator

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	oidc "chainguard.dev/sdk/proto/platform/oidc/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// refreshTokenLife is how long a refresh token can be spent.
const refreshTokenLife = 30 * 24 * time.Hour

// securityTokens is the security token service: it turns upstream tokens and refresh tokens into the platform's.
type securityTokens struct {
	oidc.UnimplementedSecurityTokenServiceServer
	*Emulator
}

// refreshToken is a refresh token as the emulator remembers it.
type refreshToken struct {
	identity string
	expires  time.Time
	spent    bool
}

// Exchange implements [oidc.SecurityTokenServiceServer].
func (s *securityTokens) Exchange(ctx context.Context, request *oidc.ExchangeRequest) (*oidc.RawToken, error) {
	upstream, err := s.upstream(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.assume(request.GetIdentity(), upstream)
	if err != nil {
		return nil, err
	}
	return s.accessToken(claims{
		Subject:  i.uid,
		Audience: s.audiences(request.GetAud()),
		Actor: &actor{
			Audience: strings.Join(upstream.Audience, ","),
			Issuer:   upstream.Issuer,
			Subject:  upstream.Subject,
		},
		Email:         upstream.Email,
		EmailVerified: upstream.EmailVerified,
		Scopes:        scopes(request),
		Capabilities:  request.GetCap(),
	}), nil
}

// upstream reads the caller's token, which another issuer made, or this one.
func (e *Emulator) upstream(ctx context.Context) (*claims, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	token, ok := bearer(md)
	if !ok {
		return nil, unauthenticated("the call carries no bearer token")
	}
	c, err := parse(token)
	switch {
	case err != nil:
		return nil, unauthenticated("%v", err)
	case c.Issuer == e.url:
		return e.verify(token)
	case c.Issuer == "" || c.Subject == "":
		return nil, unauthenticated("the token names no issuer or no subject")
	case c.expired(e.clock.Now()):
		return nil, unauthenticated("the token expired at %s", time.Unix(c.Expires, 0).UTC().Format(time.RFC3339))
	case len(c.Audience) > 0 && !slices.ContainsFunc(c.Audience, e.isIssuer):
		return nil, unauthenticated("the token is for the audience %q, but the issuer's is %q", []string(c.Audience), e.url)
	}
	return c, nil
}

// isIssuer recognises the issuer's URL, with a slash at its end or without.
func (e *Emulator) isIssuer(audience string) bool { return strings.TrimSuffix(audience, "/") == e.url }

// assume returns the identity that an upstream token is exchanged for: the one asked for, if the token may have it, or
// else the one that it belongs to.
func (e *Emulator) assume(uid string, upstream *claims) (*identity, error) {
	if uid == "" {
		if i := e.store.identityOf(upstream); i != nil {
			return i, nil
		}
		return nil, failure(codes.NotFound, "NOT_FOUND",
			"no identity is registered for the subject \""+upstream.Subject+"\" of the issuer \""+upstream.Issuer+"\"")
	}
	i := e.store.identities[uid]
	switch {
	case i == nil:
		return nil, notFound("Identity", uid)
	case i.issuer != "" && i.issuer != upstream.Issuer, i.subject != "" && i.subject != upstream.Subject:
		return nil, failure(codes.PermissionDenied, "PERMISSION_DENIED",
			"the subject \""+upstream.Subject+"\" of the issuer \""+upstream.Issuer+"\" may not assume the identity \""+uid+"\"")
	}
	return i, nil
}

// identityOf returns whom an upstream token belongs to, nil if nobody has registered with it.
func (s *store) identityOf(upstream *claims) *identity {
	for _, i := range s.identities {
		if i.issuer != "" && i.subject != "" && i.issuer == upstream.Issuer && i.subject == upstream.Subject {
			return i
		}
	}
	return s.identities[upstream.Subject] // a token of ours
}

// audiences is whom a token is for: the API, unless it is said.
func (e *Emulator) audiences(asked []string) []string {
	if len(asked) == 0 {
		return []string{e.Audience()}
	}
	return slices.Clone(asked)
}

// scopes are the groups that a token is to be good for: both the old field and the new.
func scopes(request interface {
	GetScope() string
	GetScopes() []string
}) []string {
	all := slices.Clone(request.GetScopes())
	if old := request.GetScope(); old != "" {
		all = append(all, old)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (e *Emulator) accessToken(c claims) *oidc.RawToken {
	expires := e.clock.Now().Add(e.switches.tokenLifetime).Truncate(time.Second)
	return &oidc.RawToken{Token: e.mint(c, e.switches.tokenLifetime), Expiry: timestamppb.New(expires)}
}

// ExchangeRefreshToken implements [oidc.SecurityTokenServiceServer]. A refresh token is spent by it, and replaced.
func (s *securityTokens) ExchangeRefreshToken(ctx context.Context, request *oidc.ExchangeRefreshTokenRequest) (*oidc.TokenPair, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	token, ok := bearer(md)
	if !ok {
		return nil, unauthenticated("the call carries no refresh token")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.store.refresh[token]
	switch {
	case known == nil:
		return nil, unauthenticated("the refresh token is not one of this issuer's")
	case known.spent:
		return nil, unauthenticated("the refresh token was used before")
	case !s.clock.Now().Before(known.expires):
		return nil, unauthenticated("the refresh token expired at %s", known.expires.UTC().Format(time.RFC3339))
	case s.store.identities[known.identity] == nil:
		return nil, unauthenticated("the refresh token is for the identity %q, which does not exist", known.identity)
	}
	known.spent = true
	next, expires := s.newRefreshToken(known.identity, refreshTokenLife)
	return &oidc.TokenPair{
		Token: s.accessToken(claims{
			Subject:      known.identity,
			Audience:     s.audiences(request.GetAud()),
			Scopes:       scopes(request),
			Capabilities: request.GetCap(),
		}),
		RefreshToken: &oidc.RawToken{Token: next, Expiry: timestamppb.New(expires)},
	}, nil
}

// RefreshToken returns a refresh token for an identity, as signing in would.
func (e *Emulator) RefreshToken(identityUID string, lifetime time.Duration) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	token, _ := e.newRefreshToken(identityUID, lifetime)
	return token
}

// newRefreshToken makes a refresh token as clients expect it: base64 of JSON that says when it expires.
func (e *Emulator) newRefreshToken(identityUID string, lifetime time.Duration) (token string, expires time.Time) {
	expires = e.clock.Now().Add(lifetime).Truncate(time.Second)
	b, err := json.Marshal(struct {
		Expires int64  `json:"exp"`
		Secret  string `json:"sec"`
	}{expires.Unix(), randomHex(20)})
	if err != nil {
		panic(err) // a number and a string
	}
	token = base64.StdEncoding.EncodeToString(b)
	e.store.refresh[token] = &refreshToken{identity: identityUID, expires: expires}
	return token, expires
}

// register returns the identity that belongs to an upstream token, and makes it if there is none.
func (e *Emulator) register(upstream *claims) *identity {
	if i := e.store.identityOf(upstream); i != nil {
		return i
	}
	i := &identity{
		uid:     e.store.newUID("", "identity", upstream.Issuer+" "+upstream.Subject),
		name:    cmp.Or(upstream.Email, upstream.Subject),
		email:   upstream.Email,
		issuer:  upstream.Issuer,
		subject: upstream.Subject,
	}
	e.store.identities[i.uid] = i
	return i
}
