package auth

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	oidc "chainguard.dev/sdk/proto/platform/oidc/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// exchanges returns what the STS was asked to exchange.
func (b *bench) exchanges() []*oidc.ExchangeRequest {
	var all []*oidc.ExchangeRequest
	for _, r := range b.emulator.Requests() {
		if r.Method == "Exchange" {
			all = append(all, r.Request.(*oidc.ExchangeRequest))
		}
	}
	return all
}

func TestSTS_exchange_forTheIdentityAndTheAudience(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.settings.Identity = b.emulator.AdminIdentity()
	set(&b.settings.IdentityToken, b.upstream())
	tokens := b.tokens()

	token := b.token(tokens)
	if !b.works(token) {
		t.Error("the platform does not take the token")
	}
	got := b.exchanges()
	if len(got) != 1 || got[0].GetIdentity() != b.settings.Identity || !slices.Equal(got[0].GetAud(), []string{b.settings.Audience}) {
		t.Errorf("exchanged: %v", got)
	}
	requests := b.emulator.Requests()
	if agent := requests[0].UserAgent; !strings.HasPrefix(agent, b.options.UserAgent) {
		t.Errorf("user agent %q", agent)
	}
	if again := b.token(tokens); again != token || len(b.exchanges()) != 1 {
		t.Error("the token is not kept")
	}
}

func TestSTS_exchange_withoutAnIdentity(t *testing.T) {
	t.Parallel()
	seed := emulator.DefaultSeed()
	seed.Identities[0].Issuer, seed.Identities[0].Subject = "https://token.actions.example", "repo:acme/infra:ref:refs/heads/main"
	b := newBench(t, seed)
	set(&b.settings.IdentityToken, b.upstream())
	if !b.works(b.token(b.tokens())) {
		t.Error("the platform does not take the token")
	}
	if got := b.exchanges(); len(got) != 1 || got[0].GetIdentity() != "" {
		t.Errorf("exchanged: %v", got)
	}
}

func TestSTS_exchange_renewsAndReplaces(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.emulator.SetTokenLifetime(5 * time.Second)
	b.settings.Identity = b.emulator.AdminIdentity()
	set(&b.settings.IdentityToken, b.upstream())
	tokens := b.tokens()

	for range 50 { // An apply that takes ten times as long as a token lives.
		if token := b.token(tokens); !b.works(token) {
			t.Fatal("the platform does not take the token")
		}
		b.clock.Advance(time.Second)
	}
	if got := len(b.exchanges()); got < 10 || got > 13 {
		t.Errorf("%d exchanges in 50 s of tokens that live for 5 s", got)
	}

	b.emulator.ResetRequests()
	revoked := b.token(tokens)
	b.emulator.RevokeTokens()
	if b.works(revoked) {
		t.Fatal("it is not revoked")
	}
	tokens.Discard(revoked)
	if token := b.token(tokens); !b.works(token) {
		t.Error("no new token in place of the revoked one")
	}
}

func TestIdentityToken_file_isReadAtEachRenewal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.settings.Identity = b.emulator.AdminIdentity()
	path := filepath.Join(b.options.Environment.HomeDir, "token")
	set(&b.settings.IdentityToken, "~/token")
	write := func(token string) {
		t.Helper()
		if err := os.WriteFile(path, []byte("\n"+token+"\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(b.upstream())
	tokens := b.tokens()
	b.token(tokens)

	b.clock.Advance(2 * time.Hour) // The first is over by now.
	reason, _ := b.refusal(tokens, "identity_token")
	contains(t, reason, "expired at 2026-03-01T13:00:00Z")

	b.clock.Advance(failureMemory)
	write(b.upstream())
	if !b.works(b.token(tokens)) {
		t.Error("the platform does not take the token")
	}
	if got := len(b.exchanges()); got != 2 {
		t.Errorf("%d exchanges, want 2", got)
	}
}

func TestIdentityToken_unusable(t *testing.T) {
	t.Parallel()
	const canary = "c4n4ry"
	for name, test := range map[string]struct {
		value  func(b *bench) string
		want   []string
		hidden string
	}{
		"a literal that is over": {
			value: func(*bench) string { return jwt(`{"exp":1000000000,"sub":"` + canary + `"}`) },
			want:  []string{"expired at 2001-09-09T01:46:40Z", "cannot be renewed"},
		},
		"a path at which there is nothing": {
			value: func(*bench) string { return "/var/run/secrets/tokens/chainguard" },
			want:  []string{"/var/run/secrets/tokens/chainguard", "does not exist"},
		},
		"words": {
			value:  func(*bench) string { return canary + " and " + canary },
			want:   []string{"not the path of a file", "characters that no token has", "not shown"},
			hidden: canary,
		},
		"an empty file": {
			value: func(b *bench) string {
				path := filepath.Join(t.TempDir(), "empty")
				if err := os.WriteFile(path, []byte("\n"), 0o600); err != nil {
					b.Fatal(err)
				}
				return path
			},
			want: []string{"is empty"},
		},
		"a folder": {
			value: func(*bench) string { return "/tmp" },
			want:  []string{"/tmp", "cannot be read"},
		},
		"a file of two lines": {
			value: func(b *bench) string {
				path := filepath.Join(t.TempDir(), "two")
				if err := os.WriteFile(path, []byte(canary+"\n"+canary), 0o600); err != nil {
					b.Fatal(err)
				}
				return path
			},
			want:   []string{"characters that no token has"},
			hidden: canary,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.settings.Identity = b.emulator.AdminIdentity()
			set(&b.settings.IdentityToken, test.value(b))
			// What was asked for by name is not replaced by what lies around.
			b.keep(b.folder(""), accessTokenFile, b.emulator.AdminToken())
			reason, whole := b.refusal(b.tokens(), "identity_token")
			contains(t, reason, test.want...)
			if test.hidden != "" && strings.Contains(whole, test.hidden) {
				t.Errorf("the error shows what may be a secret: %s", whole)
			}
			if got := len(b.exchanges()); got != 0 {
				t.Errorf("%d exchanges, want none", got)
			}
		})
	}
}

func TestSTS_exchange_explainsRefusals(t *testing.T) {
	t.Parallel()
	const stranger = "9999999999999999999999999999999999999999/9999999999999999"
	bound := emulator.DefaultSeed()
	bound.Identities[0].Issuer, bound.Identities[0].Subject = "https://token.actions.example", "repo:acme/other"
	for name, test := range map[string]struct {
		seed  emulator.Seed
		set   func(b *bench)
		fault *emulator.Fault
		want  []string
		calls int
	}{
		"an identity that does not exist": {
			seed:  emulator.DefaultSeed(),
			set:   func(b *bench) { b.settings.Identity = stranger },
			want:  []string{"NotFound", "Check that the identity " + stranger + " exists"},
			calls: 1,
		},
		"a subject that the identity is not bound to": {
			seed: bound,
			set:  func(b *bench) { b.settings.Identity = b.emulator.AdminIdentity() },
			want: []string{
				"PermissionDenied", "issuer, subject and audience it is bound to",
				`the issuer "https://token.actions.example", the subject "repo:acme/infra:ref:refs/heads/main"`,
			},
			calls: 1,
		},
		"nobody that the token belongs to": {
			seed:  emulator.DefaultSeed(),
			want:  []string{"NotFound", "set the provider's identity to its UIDP"},
			calls: 1,
		},
		"another audience": {
			seed: emulator.DefaultSeed(),
			set: func(b *bench) {
				set(&b.settings.IdentityToken, emulator.UpstreamToken(emulator.Upstream{
					Issuer: "https://i.example", Subject: "s", Audience: []string{"https://elsewhere.example"}, Expires: start.Add(time.Hour),
				}))
			},
			want:  []string{"Unauthenticated", `the audience "https://elsewhere.example"`},
			calls: 1,
		},
		"unavailable for good": {
			seed:  emulator.DefaultSeed(),
			fault: &emulator.Fault{Method: "Exchange", Code: codes.Unavailable, Message: "try\x1b[31m later\n"},
			want:  []string{"is unavailable: try\\u001b[31m later"},
			calls: 3,
		},
		"a fault of its own, which is not tried again": {
			seed:  emulator.DefaultSeed(),
			fault: &emulator.Fault{Method: "Exchange", Code: codes.Internal, Message: "oops"},
			want:  []string{"Internal: oops"},
			calls: 1,
		},
		"no answer": {
			seed:  emulator.DefaultSeed(),
			set:   func(b *bench) { b.settings.RequestTimeout = 50 * time.Millisecond },
			fault: &emulator.Fault{Method: "Exchange", Hang: true},
			want:  []string{"did not answer within 50ms"},
			calls: 2, // Each has half of the time.
		},
		"an answer without a token": {
			seed: emulator.DefaultSeed(),
			set:  func(b *bench) { b.settings.Identity = b.emulator.AdminIdentity() },
			fault: &emulator.Fault{Method: "Exchange", Mutate: func(m proto.Message) {
				m.(*oidc.RawToken).Token = ""
			}},
			want:  []string{"an answer without a token"},
			calls: 1,
		},
		"an answer with a token that cannot be sent": {
			seed: emulator.DefaultSeed(),
			set:  func(b *bench) { b.settings.Identity = b.emulator.AdminIdentity() },
			fault: &emulator.Fault{Method: "Exchange", Mutate: func(m proto.Message) {
				m.(*oidc.RawToken).Token += "\r\nx: y"
			}},
			want:  []string{"characters that no token has"},
			calls: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, test.seed)
			set(&b.settings.IdentityToken, b.upstream())
			if test.set != nil {
				test.set(b)
			}
			if test.fault != nil {
				b.emulator.Inject(*test.fault)
			}
			reason, _ := b.refusal(b.tokens(), "identity_token")
			contains(t, reason, b.settings.Issuer)
			contains(t, reason, test.want...)
			if strings.ContainsAny(reason, "\x1b\r\n") {
				t.Errorf("control characters: %q", reason)
			}
			if got := len(b.exchanges()); got != test.calls {
				t.Errorf("%d exchanges, want %d", got, test.calls)
			}
		})
	}
}

func TestSTS_exchange_isRepeated(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"unavailable": {Method: "Exchange", Code: codes.Unavailable, Times: 2},
		"broken":      {Method: "Exchange", Drop: true, Times: 1},
		"exhausted":   {Method: "Exchange", Code: codes.ResourceExhausted, Times: 1},
		"silent":      {Method: "Exchange", Hang: true, Times: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.settings.Identity = b.emulator.AdminIdentity()
			set(&b.settings.IdentityToken, b.upstream())
			b.settings.RequestTimeout = time.Second
			b.emulator.Inject(fault)
			if !b.works(b.token(b.tokens())) {
				t.Error("the platform does not take the token")
			}
			if got := len(b.exchanges()); got != fault.Times+1 {
				t.Errorf("%d exchanges, want %d", got, fault.Times+1)
			}
			if !b.clock.Now().After(start) {
				t.Error("there was no pause before the next try")
			}
		})
	}
}

func TestSTS_exchange_namesAnIssuerThatIsDown(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.settings.Identity = b.emulator.AdminIdentity()
	set(&b.settings.IdentityToken, b.upstream())
	if err := b.emulator.Close(); err != nil {
		t.Fatal(err)
	}
	reason, whole := b.refusal(b.tokens(), "identity_token")
	contains(t, reason, "the issuer "+b.settings.Issuer+" cannot be reached", "connection refused")
	if strings.Contains(whole, b.settings.IdentityToken.Reveal()) {
		t.Error("the error shows the token")
	}
}

func TestSTS_exchange_neverInPlaintext(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	set(&b.settings.IdentityToken, b.upstream())
	b.settings.Issuer = "http://issuer.example"
	reason, _ := b.refusal(b.tokens(), "identity_token")
	contains(t, reason, "not encrypted")
}
