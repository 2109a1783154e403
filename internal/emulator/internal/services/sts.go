package services

import (
	"context"
	"slices"
	"strings"
	"time"

	oidc "chainguard.dev/sdk/proto/platform/oidc/v1"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/store"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/token"
)

// refreshTokenLifetime is how long a refresh token is valid.
const refreshTokenLifetime = 30 * 24 * time.Hour

// securityTokens is the security token service: it exchanges upstream tokens and refresh tokens for the platform's.
type securityTokens struct {
	oidc.UnimplementedSecurityTokenServiceServer
	store  *store.Store
	issuer *Issuer
}

// Exchange implements [oidc.SecurityTokenServiceServer].
func (s *securityTokens) Exchange(ctx context.Context, request *oidc.ExchangeRequest) (*oidc.RawToken, error) {
	upstream, err := s.issuer.upstream(ctx)
	if err != nil {
		return nil, err
	}
	identity, err := s.issuer.assume(request.GetIdentity(), upstream)
	if err != nil {
		return nil, err
	}
	return s.issuer.accessToken(token.Claims{
		Subject:  identity.UID,
		Audience: s.audiences(request.GetAud()),
		Actor: &token.Actor{
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

// audiences returns the requested audiences of a token, by default that of the API.
func (s *securityTokens) audiences(asked []string) []string {
	if len(asked) == 0 {
		return []string{s.issuer.Audience()}
	}
	return slices.Clone(asked)
}

// scopes returns the groups that a token is limited to, from the deprecated field and the current one.
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

// ExchangeRefreshToken implements [oidc.SecurityTokenServiceServer]. It spends the refresh token and replaces it.
func (s *securityTokens) ExchangeRefreshToken(ctx context.Context, request *oidc.ExchangeRefreshTokenRequest) (*oidc.TokenPair, error) {
	refresh, err := bearer(ctx)
	if err != nil {
		return nil, err
	}
	known := s.store.Refresh[refresh]
	switch {
	case known == nil:
		return nil, unauthenticated("the refresh token is not one of this issuer's")
	case known.Spent:
		return nil, unauthenticated("the refresh token was used before")
	case !s.store.Now().Before(known.Expires):
		return nil, unauthenticated("the refresh token expired at %s", known.Expires.UTC().Format(time.RFC3339))
	case s.store.Identities[known.Identity] == nil:
		return nil, unauthenticated("the refresh token is for the identity %q, which does not exist", known.Identity)
	}
	known.Spent = true
	next, expires := s.issuer.IssueRefresh(known.Identity, refreshTokenLifetime)
	return &oidc.TokenPair{
		Token: s.issuer.accessToken(token.Claims{
			Subject:      known.Identity,
			Audience:     s.audiences(request.GetAud()),
			Scopes:       scopes(request),
			Capabilities: request.GetCap(),
		}),
		RefreshToken: &oidc.RawToken{Token: next, Expiry: timestamppb.New(expires)},
	}, nil
}
