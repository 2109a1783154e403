package auth

import (
	"context"
	"errors"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
)

// source is a place where a token may come from.
type source interface {
	// name is what the user knows it by.
	name() string

	// token gets one. The error says why there is none, in words that are safe to show.
	token(ctx context.Context) (issued, error)
}

// sources lists where to look for a token, in order. A token, or an identity token, that the user gave is the only one
// that is tried: what was asked for by name must not be replaced by someone else's token that lies around.
func sources(s config.Settings, o Options, refused func(string) bool) []source {
	if s.Token != "" {
		return []source{static{
			value:   s.Token.Reveal(),
			origin:  s.Origin("token"),
			now:     o.Now,
			refused: refused,
		}}
	}
	noToken := unset{"token", "not set, neither in the provider block nor as CHAINGUARD_TOKEN"}

	sts := sts{
		issuer:    s.Issuer,
		audience:  s.Audience,
		identity:  s.Identity,
		userAgent: o.UserAgent,
		timeout:   s.RequestTimeout,
		now:       o.Now,
		wait:      o.Sleep,
	}
	if s.IdentityToken != "" {
		return []source{noToken, exchanged{label: "identity_token", sts: sts, upstream: identityToken{
			value:  s.IdentityToken.Reveal(),
			origin: s.Origin("identity_token"),
			env:    o.Environment,
			now:    o.Now,
		}}}
	}

	wanted := wanted{audience: s.Audience, issuer: s.Issuer, identity: s.Identity, now: o.Now, refused: refused}
	cache := cache{wanted: wanted, dir: o.CacheDir, readFile: o.Environment.ReadFile}
	return []source{
		noToken,
		unset{"identity_token", "not set, neither in the provider block nor as CHAINGUARD_IDENTITY_TOKEN or TF_CHAINGUARD_IDENTITY_TOKEN"},
		exchanged{label: "GitHub Actions", sts: sts, upstream: gitHubActions{
			identity: s.Identity, audience: s.Issuer, getenv: o.Environment.Getenv, client: o.httpClient,
			timeout: s.RequestTimeout, wait: o.Sleep,
		}},
		exchanged{label: "HCP Terraform", sts: sts, upstream: hcpTerraform{
			identity: s.Identity, audience: s.Issuer, getenv: o.Environment.Getenv, now: o.Now,
		}},
		cachedToken{cache},
		refreshToken{cache: cache, sts: sts, allowed: s.UseRefreshToken},
		chainctlProgram{wanted: wanted, run: o.RunChainctl},
		browser{
			settings: s, cache: cache, now: o.Now, open: o.OpenBrowser,
		},
	}
}

// unset is a source that the user did not configure.
type unset struct{ label, reason string }

func (u unset) name() string { return u.label }

func (u unset) token(context.Context) (issued, error) { return issued{}, errors.New(u.reason) }
