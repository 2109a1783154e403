package emulator_test

import (
	"testing"
	"time"

	sdkauth "chainguard.dev/sdk/auth"
	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/sts"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

const (
	actions     = "https://token.actions.githubusercontent.com"
	pipelineSub = "repo:acme/infra:ref:refs/heads/main"
)

// pipelines is the default seed with an identity for a pipeline, and one that any upstream token may have.
func pipelines() emulator.Seed {
	seed := emulator.DefaultSeed()
	bindings := []emulator.SeedBinding{{Group: "acme.example", Role: "invite-manager"}}
	seed.Identities = append(seed.Identities,
		emulator.SeedIdentity{Name: "pipeline", Group: "acme.example", Issuer: actions, Subject: pipelineSub, Bindings: bindings},
		emulator.SeedIdentity{Name: "anyone", Group: "acme.example", Bindings: bindings},
	)
	return seed
}

func (p *platform) upstream(change func(*emulator.Upstream)) string {
	u := emulator.Upstream{
		Issuer:   actions,
		Subject:  pipelineSub,
		Audience: []string{p.URL()},
		Expires:  p.clock.Now().Add(5 * time.Minute),
	}
	if change != nil {
		change(&u)
	}
	return emulator.UpstreamToken(u)
}

func TestAnUpstreamTokenIsExchanged(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]sts.ExchangerOption{
		"over gRPC":     nil,
		"over HTTP/1.1": {sts.WithHTTP1Downgrade()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, pipelines())
			p.SetTokenLifetime(10 * time.Minute)
			options := append(options, sts.WithIdentity(p.Identity("pipeline")), sts.WithUserAgent("a test"))
			pair, err := sts.ExchangePair(t.Context(), p.URL(), p.Audience(), p.upstream(nil), options...)
			if err != nil {
				t.Fatal(err)
			}
			if want := p.clock.Now().Add(10 * time.Minute); !pair.Expiry.Equal(want) {
				t.Errorf("expires at %s, want %s", pair.Expiry, want)
			}
			if expiry, err := sdkauth.ExtractExpiry(pair.AccessToken); err != nil || !expiry.Equal(pair.Expiry) {
				t.Errorf("the token says that it expires at %s, %v", expiry, err)
			}
			issuer, subject, err := sdkauth.ExtractIssuerAndSubject(pair.AccessToken)
			if err != nil || issuer != p.URL() || subject != p.Identity("pipeline") {
				t.Errorf("the token is of %s for %s, %v", issuer, subject, err)
			}
			if actor, err := sdkauth.ExtractActor(pair.AccessToken); err != nil || actor.Issuer != actions || actor.Subject != pipelineSub || actor.Audience != p.URL() {
				t.Errorf("the token's actor is %v, %v", actor, err)
			}
			if audiences, err := sdkauth.ExtractAudiences(pair.AccessToken); err != nil || len(audiences) != 1 || audiences[0] != p.Audience() {
				t.Errorf("the token is for %v, %v", audiences, err)
			}
			if _, err := p.create(as(t.Context(), pair.AccessToken), nil); err != nil {
				t.Errorf("using the token: %v", err)
			}
			p.clock.Advance(10 * time.Minute)
			_, err = p.create(as(t.Context(), pair.AccessToken), nil)
			wantCode(t, err, codes.Unauthenticated)
			if p.Count("Exchange") != 1 {
				t.Errorf("counted %v", p.Counts())
			}
		})
	}
}

func TestTheIdentityFollowsFromTheUpstreamTokenIfNoneIsAskedFor(t *testing.T) {
	t.Parallel()
	p := start(t, pipelines())
	pair, err := sts.ExchangePair(t.Context(), p.URL(), p.Audience(), p.upstream(nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, subject, _ := sdkauth.ExtractIssuerAndSubject(pair.AccessToken); subject != p.Identity("pipeline") {
		t.Errorf("the token is for %s", subject)
	}
}

func TestExchangesThatAreRefused(t *testing.T) {
	t.Parallel()
	p := start(t, pipelines())
	tests := map[string]struct {
		token, identity string
		want            codes.Code
	}{
		"no JWT":             {"secret", p.Identity("anyone"), codes.Unauthenticated},
		"an expired token":   {p.upstream(func(u *emulator.Upstream) { u.Expires = p.clock.Now() }), p.Identity("anyone"), codes.Unauthenticated},
		"another audience":   {p.upstream(func(u *emulator.Upstream) { u.Audience = []string{"https://elsewhere.example.com"} }), p.Identity("anyone"), codes.Unauthenticated},
		"no subject":         {p.upstream(func(u *emulator.Upstream) { u.Subject = "" }), p.Identity("anyone"), codes.Unauthenticated},
		"a missing identity": {p.upstream(nil), p.Group("acme.example") + "/0123456789abcdef", codes.NotFound},
		"another subject":    {p.upstream(func(u *emulator.Upstream) { u.Subject = "repo:evil/infra" }), p.Identity("pipeline"), codes.PermissionDenied},
		"another issuer":     {p.upstream(func(u *emulator.Upstream) { u.Issuer = "https://elsewhere.example.com" }), p.Identity("pipeline"), codes.PermissionDenied},
		"nobody registered":  {p.upstream(func(u *emulator.Upstream) { u.Subject = "someone" }), "", codes.NotFound},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sts.New(p.URL(), p.Audience(), sts.WithIdentity(test.identity)).Exchange(t.Context(), test.token)
			wantCode(t, err, test.want)
		})
	}
}

func TestAnUpstreamTokenNeedNotNameAnAudience(t *testing.T) {
	t.Parallel()
	p := start(t, pipelines())
	for name, audience := range map[string][]string{"none": nil, "with a slash": {p.URL() + "/"}, "among others": {"x", p.URL()}} {
		token := p.upstream(func(u *emulator.Upstream) { u.Audience = audience })
		if _, err := sts.ExchangePair(t.Context(), p.URL(), p.Audience(), token, sts.WithIdentity(p.Identity("anyone"))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestATokenCanBeNarrowed(t *testing.T) {
	t.Parallel()
	p := start(t, pipelines())
	exchange := func(options ...sts.ExchangerOption) error {
		options = append(options, sts.WithIdentity(p.Identity("pipeline")))
		pair, err := sts.ExchangePair(t.Context(), p.URL(), p.Audience(), p.upstream(nil), options...)
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.create(as(t.Context(), pair.AccessToken), func(r *iam.CreateGroupInviteRequest) { r.Parent = p.Group("acme.example") })
		return err
	}
	if err := exchange(sts.WithScope(p.Group("acme.example"))); err != nil {
		t.Errorf("to the organization: %v", err)
	}
	wantCode(t, exchange(sts.WithScope(p.Group("platform"))), codes.PermissionDenied)
	wantCode(t, exchange(sts.WithCapabilities("group_invites.list")), codes.PermissionDenied)
}

func TestARefreshTokenIsSpentOnceAndReplaced(t *testing.T) {
	t.Parallel()
	for name, exchanger := range map[string]func(*platform) sts.Exchanger{
		"over gRPC":     func(p *platform) sts.Exchanger { return sts.New(p.URL(), p.Audience()) },
		"over HTTP/1.1": func(p *platform) sts.Exchanger { return sts.NewHTTP1DowngradeExchanger(p.URL(), p.Audience()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, emulator.Seed{})
			first := p.RefreshToken(p.AdminIdentity(), time.Hour)
			if expiry, err := sdkauth.ExtractRefreshExpiry(first); err != nil || !expiry.Equal(p.clock.Now().Add(time.Hour)) {
				t.Errorf("the refresh token says that it expires at %s, %v", expiry, err)
			}
			access, second, err := exchanger(p).Refresh(t.Context(), first)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.create(as(t.Context(), access), nil); err != nil {
				t.Errorf("using the token: %v", err)
			}
			_, _, err = exchanger(p).Refresh(t.Context(), first)
			wantCode(t, err, codes.Unauthenticated)
			if _, _, err := exchanger(p).Refresh(t.Context(), second); err != nil {
				t.Errorf("spending the rotated one: %v", err)
			}
		})
	}
}

func TestRefreshTokensThatAreRefused(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	expired := p.RefreshToken(p.AdminIdentity(), time.Minute)
	p.clock.Advance(time.Minute)
	for name, token := range map[string]string{
		"expired":         expired,
		"unknown":         "eyJleHAiOjQxMDI0NDQ4MDB9",
		"an access token": p.AdminToken(),
		"nobody's":        p.RefreshToken("0000000000000000000000000000000000000000", time.Hour),
	} {
		_, _, err := sts.New(p.URL(), p.Audience()).Refresh(t.Context(), token)
		if status.Code(err) != codes.Unauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
}
