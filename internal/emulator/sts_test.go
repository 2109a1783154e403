package emulator_test

import (
	"net/http"
	"strings"
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

func TestSTS_upstreamTokenIsExchanged(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]sts.ExchangerOption{
		"over gRPC":     nil,
		"over HTTP/1.1": {sts.WithHTTP1Downgrade()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, pipelines())
			p.SetBehavior(func(b *emulator.Behavior) { b.TokenLifetime = 10 * time.Minute })
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

func TestSTS_identityFollowsFromTheUpstreamTokenIfNoneIsAskedFor(t *testing.T) {
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

func TestSTS_exchangesThatAreRefused(t *testing.T) {
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
		"no one registered":  {p.upstream(func(u *emulator.Upstream) { u.Subject = "someone" }), "", codes.NotFound},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sts.New(p.URL(), p.Audience(), sts.WithIdentity(test.identity)).Exchange(t.Context(), test.token)
			wantCode(t, err, test.want)
		})
	}
}

func TestSTS_exchange_defaultAudience(t *testing.T) {
	t.Parallel()
	p := start(t, pipelines())
	for name, audience := range map[string][]string{
		"none": nil, "with a slash": {p.URL() + "/"}, "among others": {"x", p.URL()}, "the host alone": {strings.TrimPrefix(p.URL(), "http://")},
	} {
		token := p.upstream(func(u *emulator.Upstream) { u.Audience = audience })
		if _, err := sts.ExchangePair(t.Context(), p.URL(), p.Audience(), token, sts.WithIdentity(p.Identity("anyone"))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSTS_tokenCanBeNarrowed(t *testing.T) {
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

func TestSTS_refreshTokenIsSpentOnceAndReplaced(t *testing.T) {
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

func TestSTS_refreshTokensThatAreRefused(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	expired := p.RefreshToken(p.AdminIdentity(), time.Minute)
	p.clock.Advance(time.Minute)
	for name, token := range map[string]string{
		"expired":          expired,
		"unknown":          "eyJleHAiOjQxMDI0NDQ4MDB9",
		"an access token":  p.AdminToken(),
		"unknown identity": p.RefreshToken("0000000000000000000000000000000000000000", time.Hour),
	} {
		_, _, err := sts.New(p.URL(), p.Audience()).Refresh(t.Context(), token)
		if status.Code(err) != codes.Unauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// claimed is the default seed with identities that only some upstream tokens may assume.
func claimed(identities ...emulator.SeedIdentity) emulator.Seed {
	seed := emulator.DefaultSeed()
	for _, i := range identities {
		i.Group = "acme.example"
		seed.Identities = append(seed.Identities, i)
	}
	return seed
}

func TestSTS_exchange_claims(t *testing.T) {
	t.Parallel()
	const azure = "api://AzureADTokenExchange"
	seed := claimed(
		emulator.SeedIdentity{Name: "azure", Issuer: actions, Subject: pipelineSub, Audience: azure},
		emulator.SeedIdentity{Name: "branches", Issuer: actions, SubjectPattern: `repo:acme/infra:ref:refs/heads/[a-z]+`},
		emulator.SeedIdentity{Name: "tenants", IssuerPattern: `https://[a-z]+\.example\.com`, Subject: "robot", AudiencePattern: `api://[a-z]+`},
	)
	p := start(t, seed)
	tests := map[string]struct {
		identity string
		change   func(*emulator.Upstream)
		want     codes.Code
	}{
		"audience":                        {"azure", func(u *emulator.Upstream) { u.Audience = []string{azure} }, codes.OK},
		"audience among others":           {"azure", func(u *emulator.Upstream) { u.Audience = []string{"x", azure} }, codes.OK},
		"issuer instead of the audience":  {"azure", nil, codes.PermissionDenied},
		"no audience where one is needed": {"azure", func(u *emulator.Upstream) { u.Audience = nil }, codes.PermissionDenied},
		"another's audience":              {"branches", func(u *emulator.Upstream) { u.Audience = []string{azure} }, codes.Unauthenticated},
		"subject pattern":                 {"branches", nil, codes.OK},
		"more than the subject pattern":   {"branches", func(u *emulator.Upstream) { u.Subject = pipelineSub + "/x" }, codes.PermissionDenied},
		"all patterns": {"tenants", func(u *emulator.Upstream) {
			u.Issuer, u.Subject, u.Audience = "https://one.example.com", "robot", []string{"api://one"}
		}, codes.OK},
		"issuer outside the pattern": {"tenants", func(u *emulator.Upstream) {
			u.Issuer, u.Subject, u.Audience = "https://one.example.com.evil", "robot", []string{"api://one"}
		}, codes.PermissionDenied},
		"audience outside the pattern": {"tenants", func(u *emulator.Upstream) {
			u.Issuer, u.Subject, u.Audience = "https://one.example.com", "robot", []string{"api://One"}
		}, codes.PermissionDenied},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sts.New(p.URL(), p.Audience(), sts.WithIdentity(p.Identity(test.identity))).Exchange(t.Context(), p.upstream(test.change))
			wantCode(t, err, test.want)
		})
	}
}

func TestSTS_exchange_rest(t *testing.T) {
	t.Parallel()
	p := start(t, pipelines())
	path := "/sts/exchange?aud=" + p.Audience() + "&identity=" + p.Identity("pipeline")
	status, answer := p.restAs(t, "Bearer "+p.upstream(nil), http.MethodPost, path, "")
	access, _ := answer["token"].(string)
	if status != http.StatusOK || access == "" || answer["expiry"] != p.clock.Now().Add(time.Hour).Format(time.RFC3339) {
		t.Fatalf("answered %d %v", status, answer)
	}
	if _, err := p.create(as(t.Context(), access), nil); err != nil {
		t.Errorf("using the token: %v", err)
	}

	refused := map[string]struct {
		authorization, path string
		status              int
		code                codes.Code
		reason              string
	}{
		"no token":         {"", path, http.StatusUnauthorized, codes.Unauthenticated, "UNAUTHENTICATED"},
		"no JWT":           {"Bearer x", path, http.StatusUnauthorized, codes.Unauthenticated, "UNAUTHENTICATED"},
		"another subject":  {"Bearer " + p.upstream(func(u *emulator.Upstream) { u.Subject = "x" }), path, http.StatusForbidden, codes.PermissionDenied, "PERMISSION_DENIED"},
		"missing identity": {"Bearer " + p.upstream(nil), path + "x", http.StatusNotFound, codes.NotFound, "NOT_FOUND"},
		"spent refresh":    {"Bearer x", "/sts/exchange_refresh_token?aud=x", http.StatusUnauthorized, codes.Unauthenticated, "UNAUTHENTICATED"},
	}
	for name, test := range refused {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, answer := p.restAs(t, test.authorization, http.MethodPost, test.path, "")
			details := list(answer["details"])
			if status != test.status || answer["code"] != float64(test.code) || answer["message"] == "" || len(details) == 0 {
				t.Fatalf("answered %d %v", status, answer)
			}
			info, _ := details[0].(map[string]any)
			if info["@type"] != "type.googleapis.com/google.rpc.ErrorInfo" || info["reason"] != test.reason || info["domain"] != "iam.chainguard.dev" {
				t.Errorf("the first detail is %v", info)
			}
			if _, ok := info["metadata"]; ok {
				t.Errorf("a detail has an empty field: %v", info)
			}
		})
	}
}

func TestSTS_refresh_rest(t *testing.T) {
	t.Parallel()
	p := start(t, pipelines())
	first := p.RefreshToken(p.AdminIdentity(), time.Hour)
	path := "/sts/exchange_refresh_token?aud=" + p.Audience()
	status, answer := p.restAs(t, "Bearer "+first, http.MethodPost, path, "")
	access, _ := answer["token"].(map[string]any)
	second, _ := answer["refreshToken"].(map[string]any)
	if status != http.StatusOK || access["token"] == "" || second["token"] == "" || second["token"] == first {
		t.Fatalf("answered %d", status)
	}
	if status, answer := p.restAs(t, "Bearer "+first, http.MethodPost, path, ""); status != http.StatusUnauthorized {
		t.Errorf("spent once more: %d %v", status, answer)
	}
}
