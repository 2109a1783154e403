package auth

import (
	"strings"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

func TestStaticToken_isUsedAsItIs(t *testing.T) {
	t.Parallel()
	for name, token := range map[string]string{
		"a JWT":                   jwt(`{"aud":"https://elsewhere.example","exp":4000000000}`),
		"a JWT without an expiry": jwt(`{}`),
		"not a JWT":               "opaque",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			set(&b.settings.Token, token)
			tokens := b.tokens()
			for range 3 {
				if got := b.token(tokens); got != token {
					t.Errorf("%q", got)
				}
				b.clock.Advance(24 * time.Hour)
			}
			if got := b.emulator.Count(""); got != 0 {
				t.Errorf("%d calls of the platform, want none", got)
			}
		})
	}
}

func TestStaticToken_isUsedUntilItExpires(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	set(&b.settings.Token, b.emulator.Token(b.emulator.AdminIdentity(), b.settings.Audience, time.Hour))
	// A token of another source must not be used.
	b.keep(b.folder(""), accessTokenFile, b.emulator.AdminToken())
	tokens := b.tokens()
	for _, after := range []time.Duration{0, 59*time.Minute + 30*time.Second, 59*time.Minute + 59*time.Second} {
		b.clock.Set(start.Add(after))
		if got := b.token(tokens); got != b.settings.Token.Reveal() {
			t.Errorf("after %s: another token", after)
		}
	}
	b.clock.Set(start.Add(time.Hour))
	reason, whole := b.refusal(tokens, "token")
	contains(t, reason, "expired at 2026-03-01T13:00:00Z", "cannot be renewed")
	if strings.Contains(whole, b.settings.Token.Reveal()) {
		t.Error("the error shows the token")
	}
}

func TestStaticToken_refused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.variables["CHAINGUARD_TOKEN"] = b.emulator.AdminToken()
	resolved, problems := config.Resolve(nil, b.options.Environment)
	if len(problems) > 0 {
		t.Fatalf("%+v", problems)
	}
	tokens := New(resolved, b.options)
	tokens.Discard(b.token(tokens))
	reason, whole := b.refusal(tokens, "token")
	contains(t, reason, "did not accept the token from CHAINGUARD_TOKEN", "cannot be renewed")
	if strings.Contains(whole, b.variables["CHAINGUARD_TOKEN"]) {
		t.Error("the error shows the token")
	}
}

func TestStaticToken_overruledByTheProviderBlock(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.variables["CHAINGUARD_TOKEN"] = b.emulator.AdminToken()
	b.variables["CHAINGUARD_PLATFORM_API"] = b.emulator.URL()
	resolved, _ := config.Resolve(map[string]config.Value{
		"identity": {Text: redact.Secret(b.emulator.AdminIdentity())},
	}, b.options.Environment)
	reason, whole := b.refusal(New(resolved, b.options), "token")
	contains(t, reason, "CHAINGUARD_TOKEN is not used", "the provider block sets identity")
	if strings.Contains(whole, b.variables["CHAINGUARD_TOKEN"]) {
		t.Error("the error shows the token")
	}
}

func TestStaticToken_refused_namesItsAudience(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	set(&b.settings.Token, jwt(`{"aud":["https://elsewhere.example","cgr.dev"],"exp":4000000000}`))
	tokens := b.tokens()
	tokens.Discard(b.token(tokens))
	reason, _ := b.refusal(tokens, "token")
	contains(t, reason, "it is for the audience https://elsewhere.example, cgr.dev, and the provider's is "+b.settings.Audience,
		"chainctl auth token --audience "+b.settings.Audience)
}
