package auth

import (
	"context"
	"errors"
	"net/url"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
)

// source is a way to get a token.
type source interface {
	// name returns the name that errors show to the user.
	name() string

	// get returns a token. The error says why there is none, and is safe to show.
	get(ctx context.Context) (token, error)
}

// sources returns the sources to try, in order. A token or identity token that the user configured excludes all other
// sources: a cached token may belong to another user.
func sources(s config.Settings, o Options, refused func(string) bool) []source {
	o.Secrets.Add(s.Token.Reveal())
	requirements := tokenRequirements{
		audience: s.Audience, issuer: s.Issuer, identity: s.Identity, clock: o.Clock, secrets: o.Secrets, refused: refused,
	}
	if s.Token != "" {
		return []source{staticToken{value: s.Token.Reveal(), origin: s.Origin("token"), requirements: requirements}}
	}
	noToken := unset{"token", "not set, neither in the provider block nor as CHAINGUARD_TOKEN"}
	if variable := s.OverruledToken(); variable != "" {
		noToken.reason = variable + " is not used, because the provider block sets identity or identity_token"
	}

	calls := httpCaller{clock: o.Clock, timeout: s.RequestTimeout}
	sts := sts{
		http:      calls,
		issuer:    s.Issuer,
		audience:  s.Audience,
		identity:  s.Identity,
		userAgent: o.UserAgent,
		secrets:   o.Secrets,
	}
	files := tokenFiles{timeout: s.RequestTimeout, secrets: o.Secrets}
	if s.IdentityToken != "" {
		return []source{noToken, exchanged{label: "identity_token", sts: sts, upstream: identityToken{
			value:      s.IdentityToken.Reveal(),
			origin:     s.Origin("identity_token"),
			expandPath: o.Environment.ExpandPath,
			files:      files,
			clock:      o.Clock,
		}}}
	}
	all := []source{
		noToken,
		unset{"identity_token", "not set, neither in the provider block nor as CHAINGUARD_IDENTITY_TOKEN or TF_CHAINGUARD_IDENTITY_TOKEN"},
	}

	// An ambient OIDC token proves who the workload is, but not which identity to assume.
	if s.Identity == "" {
		all = append(all, unset{"OIDC token of the machine", "not looked for, as no identity is set (identity in the provider " +
			"block, CHAINGUARD_IDENTITY or TF_CHAINGUARD_IDENTITY). With one, those of GitHub Actions, HCP Terraform, Buildkite, " +
			"Google Cloud and " + o.mountedToken + " are used"})
	} else {
		getenv := o.Environment.Getenv
		for _, ambient := range []struct {
			name     string
			upstream upstream
		}{
			{"GitHub Actions", gitHubActions{audience: s.Issuer, getenv: getenv, http: calls, secrets: o.Secrets}},
			{"HCP Terraform", hcpTerraform{audience: s.Issuer, getenv: getenv, clock: o.Clock}},
			{"Buildkite", buildkite{audience: hostOf(s.Issuer), getenv: getenv, run: o.RunProgram, secrets: o.Secrets}},
			{"Google Cloud", googleCloud{audience: s.Issuer, getenv: getenv, readFile: o.Environment.ReadFile, http: calls, secrets: o.Secrets}},
			{"mounted file", mountedToken{path: o.mountedToken, files: files, clock: o.Clock}},
		} {
			all = append(all, exchanged{label: ambient.name, upstream: ambient.upstream, sts: sts})
		}
	}

	cache := cache{tokenRequirements: requirements, dir: o.CacheDir, files: files}
	program := &chainctlProgram{requirements: requirements, run: o.RunProgram}
	person := person{settings: s, cache: cache, sts: sts, options: o}
	return append(all,
		cachedToken{cache},
		program,
		refreshToken{cache: cache, sts: sts, program: program, allowed: s.UseRefreshToken},
		browser{person},
		headless{person},
	)
}

// upstream is where a workload gets its own OIDC token from.
type upstream interface {
	// identityToken returns the token, a new one each time if possible. The error never contains any part of it.
	identityToken(ctx context.Context) (string, error)
}

// exchanged is a source that exchanges a workload's OIDC token for one of the platform.
type exchanged struct {
	label    string
	upstream upstream
	sts      sts
}

func (e exchanged) name() string { return e.label }

func (e exchanged) get(ctx context.Context) (token, error) {
	identityToken, err := e.upstream.identityToken(ctx)
	if err != nil {
		return token{}, err
	}
	return e.sts.exchange(ctx, identityToken)
}

// unset is a source that is not configured.
type unset struct{ label, reason string }

func (u unset) name() string { return u.label }

func (u unset) get(context.Context) (token, error) { return token{}, errors.New(u.reason) }

// hostOf returns the host of a URL.
func hostOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return rawURL
	}
	return u.Host
}
