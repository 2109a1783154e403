package auth

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	oidc "chainguard.dev/sdk/proto/platform/oidc/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// exchanges returns the exchange requests that the STS received.
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
		t.Error("the platform does not accept the token")
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
		t.Error("the token is not reused")
	}
}

func TestSTS_exchange_withoutAnIdentity(t *testing.T) {
	t.Parallel()
	seed := emulator.DefaultSeed()
	seed.Identities[0].Issuer, seed.Identities[0].Subject = "https://token.actions.example", "repo:acme/infra:ref:refs/heads/main"
	b := newBench(t, seed)
	set(&b.settings.IdentityToken, b.upstream())
	if !b.works(b.token(b.tokens())) {
		t.Error("the platform does not accept the token")
	}
	if got := b.exchanges(); len(got) != 1 || got[0].GetIdentity() != "" {
		t.Errorf("exchanged: %v", got)
	}
}

func TestSTS_exchange_renewsAndReplaces(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.emulator.SetBehavior(func(b *emulator.Behavior) { b.TokenLifetime = 5 * time.Second })
	b.settings.Identity = b.emulator.AdminIdentity()
	set(&b.settings.IdentityToken, b.upstream())
	tokens := b.tokens()

	for range 50 { // The apply takes ten times the lifetime of a token.
		if token := b.token(tokens); !b.works(token) {
			t.Fatal("the platform does not accept the token")
		}
		b.clock.Advance(time.Second)
	}
	if got := len(b.exchanges()); got < 10 || got > 13 {
		t.Errorf("%d exchanges in 50 s of tokens with a lifetime of 5 s", got)
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
		"no identity that the token belongs to": {
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
		"the path of a file that does not exist, written like a token": {
			seed:  emulator.DefaultSeed(),
			set:   func(b *bench) { set(&b.settings.IdentityToken, "secrets/oidc-token.jwt") },
			want:  []string{"Unauthenticated", "if it was meant as the path of a file, there is no such file"},
			calls: 1,
		},
		"unavailable for good": {
			seed:  emulator.DefaultSeed(),
			fault: &emulator.Fault{Method: "Exchange", Code: codes.Unavailable, Message: "try\x1b[31m later\n"},
			want:  []string{"is unavailable: try\\u001b[31m later"},
			calls: 3,
		},
		"an internal error, which is not retried": {
			seed:  emulator.DefaultSeed(),
			fault: &emulator.Fault{Method: "Exchange", Code: codes.Internal, Message: "oops"},
			want:  []string{"Internal: oops"},
			calls: 1,
		},
		"no answer": {
			seed:  emulator.DefaultSeed(),
			set:   func(b *bench) { b.settings.RequestTimeout = 400 * time.Millisecond },
			fault: &emulator.Fault{Method: "Exchange", Hang: true},
			want:  []string{"did not answer within 400ms"},
			calls: 2, // Each gets half of the timeout.
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
				t.Error("the platform does not accept the token")
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

// standIn replaces the emulator's issuer with one that uses this handler.
func (b *bench) standIn(answer http.HandlerFunc) {
	b.Helper()
	server := httptest.NewServer(answer)
	b.Cleanup(server.Close)
	b.settings.Issuer = server.URL
}

func TestSTS_exchange_byItsDocumentedPath(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	set(&b.settings.IdentityToken, b.upstream())
	b.settings.Identity = b.emulator.AdminIdentity()
	var got *http.Request
	b.standIn(func(w http.ResponseWriter, r *http.Request) {
		got = r
		_, _ = io.WriteString(w, `{"token":"issued","expiry":"2026-03-01T13:00:00Z"}`)
	})
	issued, err := b.tokens().Token(t.Context())
	if err != nil || issued.AccessToken != "issued" || !issued.Expiry.Equal(start.Add(time.Hour)) {
		t.Errorf("%v, %v", issued, err)
	}
	query := url.Values{"aud": {b.settings.Audience}, "identity": {b.settings.Identity}}
	if got.Method != http.MethodPost || got.URL.Path != "/sts/exchange" || got.URL.RawQuery != query.Encode() {
		t.Errorf("%s %s", got.Method, got.URL)
	}
	if got.Header.Get("Authorization") != "Bearer "+b.settings.IdentityToken.Reveal() || got.UserAgent() != b.options.UserAgent {
		t.Errorf("header: %q", got.UserAgent())
	}
	// The token is redacted from later messages.
	if cut := b.secrets.Cut("x " + b.settings.IdentityToken.Reveal()); strings.Contains(cut, "eyJ") {
		t.Error("the identity token is not among the known secrets")
	}
}

func TestSTS_exchange_responsesOfOtherServers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		body   string
		want   []string
		calls  int64
	}{
		"a proxy's page":            {http.StatusForbidden, "<html>c4n4ry</html>", []string{"HTTP status 403 Forbidden", "A proxy in between"}, 1},
		"a proxy's sign-in":         {http.StatusTemporaryRedirect, "", []string{"HTTP status 307", "A proxy in between"}, 1},
		"a load balancer's failure": {http.StatusBadGateway, "<html>", []string{"HTTP status 502 Bad Gateway"}, 3},
		"a page":                    {http.StatusOK, "<html>c4n4ry</html>", []string{"not JSON"}, 1},
		"an empty answer":           {http.StatusOK, "{}", []string{"an answer without a token"}, 1},
		"an invalid code":           {http.StatusBadRequest, `{"code":99,"message":"c4n4ry"}`, []string{"HTTP status 400"}, 1},
		"a code of another type":    {http.StatusBadRequest, `{"code":"c4n4ry"}`, []string{"HTTP status 400"}, 1},
		"more than a token":         {http.StatusOK, `{"token":"` + strings.Repeat("x", 2*maxToken), []string{"not JSON"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			set(&b.settings.IdentityToken, b.upstream())
			var calls atomic.Int64
			b.standIn(func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				w.Header().Set("Location", "https://elsewhere.example")
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			})
			reason, _ := b.refusal(b.tokens(), "identity_token")
			contains(t, reason, append(test.want, b.settings.Issuer)...)
			if strings.Contains(reason, "c4n4ry") {
				t.Errorf("a foreign page is quoted: %s", reason)
			}
			if calls.Load() != test.calls {
				t.Errorf("%d calls, want %d", calls.Load(), test.calls)
			}
		})
	}
}

// An issuer may repeat what it was sent, in any encoding.
func TestSTS_exchange_cutsWhatTheIssuerRepeats(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const secret = "c4n4ry/of+a=signed/request"
	set(&b.settings.IdentityToken, secret)
	b.standIn(func(w http.ResponseWriter, r *http.Request) {
		_, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		w.WriteHeader(http.StatusUnauthorized)
		_ = json.NewEncoder(w).Encode(map[string]any{"code": 16, "message": strings.Join([]string{
			"bad token", bearer, base64.StdEncoding.EncodeToString([]byte("Bearer " + bearer)), url.QueryEscape(bearer),
		}, " ")})
	})
	reason, _ := b.refusal(b.tokens(), "identity_token")
	contains(t, reason, "bad token (redacted)", "set the provider's identity")
	for _, part := range []string{secret, "c4n4ry", "YzRuNHJ5"} {
		if strings.Contains(reason, part) {
			t.Errorf("%s is shown: %s", part, reason)
		}
	}
}

func TestSTS_refresh_acceptsBothSpellingsOfNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"refreshToken", "refresh_token"} {
		b := newBench(t)
		b.standIn(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost || r.URL.Path != "/sts/exchange_refresh_token" || r.Header.Get("Authorization") != "Bearer spent" {
				t.Errorf("%s %s", r.Method, r.URL)
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"token": map[string]string{"token": "access"}, name: map[string]string{"token": "the-next"}})
		})
		s := sts{http: httpCaller{clock: b.clock, timeout: time.Minute}, issuer: b.settings.Issuer, audience: "a", secrets: &b.secrets}
		access, next, err := s.refresh(t.Context(), "spent")
		if err != nil || access.access != "access" || next != "the-next" {
			t.Errorf("%s: %q, %v", name, next, err)
		}
		if b.secrets.Cut("the-next") == "the-next" {
			t.Errorf("%s: it is not among the known secrets", name)
		}
	}
}
