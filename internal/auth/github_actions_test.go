package auth

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/loopback"
)

// gitHub stands in for GitHub's token service.
type gitHub struct {
	*httptest.Server
	requests atomic.Int64
}

const gitHubBearer = "c4n4ry-github-bearer"

// newGitHub starts the service and simulates a job that may call it.
func newGitHub(b *bench, answer http.HandlerFunc) *gitHub {
	g := &gitHub{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.requests.Add(1)
		answer(w, r)
	}))
	b.Cleanup(g.Close)
	b.variables["ACTIONS_ID_TOKEN_REQUEST_URL"] = g.URL + "/idtoken?api-version=2.0&job=c4n4ry-job"
	b.variables["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = gitHubBearer
	b.settings.Identity = b.emulator.AdminIdentity()
	return g
}

func TestGitHubActions_tokenForTheIssuer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var audience, version, authorization string
	g := newGitHub(b, func(w http.ResponseWriter, r *http.Request) {
		audience, version, authorization = r.URL.Query().Get("audience"), r.URL.Query().Get("api-version"), r.Header.Get("Authorization")
		_ = json.NewEncoder(w).Encode(map[string]any{"count": 1, "value": b.upstream()})
	})
	tokens := b.tokens()
	if !b.works(b.token(tokens)) {
		t.Error("the platform does not accept the token")
	}
	if audience != b.settings.Issuer || version != "2.0" || authorization != "Bearer "+gitHubBearer {
		t.Errorf("asked for the audience %q with version %q and authorization %q", audience, version, authorization)
	}
	if got := b.exchanges(); len(got) != 1 || got[0].GetIdentity() != b.settings.Identity {
		t.Errorf("exchanged: %v", got)
	}

	b.clock.Advance(time.Hour)
	b.token(tokens)
	if g.requests.Load() != 2 {
		t.Errorf("%d tokens of GitHub, want a new one for each renewal", g.requests.Load())
	}
}

func TestGitHubActions_isRepeated(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var g *gitHub
	g = newGitHub(b, func(w http.ResponseWriter, _ *http.Request) {
		if g.requests.Load() < 3 {
			http.Error(w, "overloaded", http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"value": b.upstream()})
	})
	if !b.works(b.token(b.tokens())) {
		t.Error("the platform does not accept the token")
	}
}

func TestGitHubActions_noToken(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the bearer was led elsewhere")
	}))
	t.Cleanup(elsewhere.Close)

	for name, test := range map[string]struct {
		answer   http.HandlerFunc
		set      func(b *bench)
		want     string
		requests int64
	}{
		"refused": {
			answer: func(w http.ResponseWriter, r *http.Request) {
				http.Error(w, r.Header.Get("Authorization"), http.StatusForbidden)
			},
			want:     "status 403 Forbidden",
			requests: 1,
		},
		"redirected": {
			answer: func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
			},
			want:     "status 307 Temporary Redirect",
			requests: 1,
		},
		"down for good": {
			answer:   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
			want:     "status 502 Bad Gateway",
			requests: 3,
		},
		"not JSON": {
			answer:   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
			want:     "its answer holds none",
			requests: 1,
		},
		"no token in it": {
			answer:   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"value":""}`)) },
			want:     "its answer holds none",
			requests: 1,
		},
		"more than a token": {
			answer: func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte(`{"value":"` + strings.Repeat("x", 1<<20)))
			},
			want:     "its answer holds none",
			requests: 1,
		},
		"no answer": {
			answer:   func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			set:      func(b *bench) { b.settings.RequestTimeout = 400 * time.Millisecond },
			want:     "deadline exceeded",
			requests: 2,
		},
		"without the permission": {
			set: func(b *bench) {
				b.variables = map[string]string{"GITHUB_ACTIONS": "true"}
			},
			want: "id-token: write",
		},
		"elsewhere": {
			set:  func(b *bench) { b.variables = map[string]string{} },
			want: "not a GitHub Actions job",
		},
		"half the variables": {
			set:  func(b *bench) { delete(b.variables, "ACTIONS_ID_TOKEN_REQUEST_URL") },
			want: "not both set",
		},
		"plaintext": {
			set:  func(b *bench) { b.variables["ACTIONS_ID_TOKEN_REQUEST_URL"] = "http://github.example/x?c4n4ry" },
			want: "github.example is not encrypted",
		},
		"not a URL": {
			set:  func(b *bench) { b.variables["ACTIONS_ID_TOKEN_REQUEST_URL"] = "c4n4ry" },
			want: "it is not a URL",
		},
		"no server": {
			set:  func(b *bench) { b.variables["ACTIONS_ID_TOKEN_REQUEST_URL"] = "http://127.0.0.1:1/?c4n4ry" },
			want: "connection refused",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			g := newGitHub(b, test.answer)
			if test.set != nil {
				test.set(b)
			}
			reason, whole := b.refusal(b.tokens(), "GitHub Actions")
			contains(t, reason, test.want)
			if strings.Contains(whole, "c4n4ry") {
				t.Errorf("the error shows a secret: %s", whole)
			}
			if got := g.requests.Load(); got != test.requests {
				t.Errorf("%d requests, want %d", got, test.requests)
			}
		})
	}
}

func TestBearerClient_plaintextStaysOnThisMachine(t *testing.T) {
	t.Parallel()
	transport := func(rawURL string) *http.Transport {
		t.Helper()
		u, err := url.Parse(rawURL)
		if err != nil {
			t.Fatal(err)
		}
		client, err := bearerClient(u)
		if err != nil {
			t.Fatal(err)
		}
		return client.Transport.(*http.Transport)
	}
	plain := transport("http://localhost")
	if plain.Proxy != nil {
		t.Error("a proxy would see the bearer")
	}
	if reflect.ValueOf(plain.DialContext).Pointer() != reflect.ValueOf(loopback.Dial).Pointer() {
		t.Error("a name that resolves to another machine would be dialled")
	}
	if transport("https://github.example").Proxy == nil {
		t.Error("the proxy that is configured is not used")
	}
	for _, refused := range []string{"http://github.example", "ftp://localhost", "//x", "x"} {
		u, err := url.Parse(refused)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bearerClient(u); err == nil {
			t.Errorf("%s: no error", refused)
		}
	}
}

func TestHCPTerraform_token(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.settings.Identity = b.emulator.AdminIdentity()
	subject := func(subject string) string {
		return emulator.UpstreamToken(emulator.Upstream{
			Issuer: "https://app.terraform.io", Subject: subject, Audience: []string{b.settings.Issuer}, Expires: start.Add(time.Hour),
		})
	}
	b.variables["TFC_WORKLOAD_IDENTITY_TOKEN"] = subject("for anyone")
	if !b.works(b.token(b.tokens())) {
		t.Error("the platform does not accept the token")
	}

	// The tagged token takes precedence, so it does not matter that the general one has expired.
	b.variables["TFC_WORKLOAD_IDENTITY_TOKEN"] = jwt(`{"exp":1000000000}`)
	b.variables["TFC_WORKLOAD_IDENTITY_TOKEN_CHAINGUARD"] = subject("for us")
	if !b.works(b.token(b.tokens())) {
		t.Error("the platform does not accept the token")
	}
	if got := len(b.exchanges()); got != 2 {
		t.Errorf("%d exchanges, want 2", got)
	}
}

func TestHCPTerraform_noToken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.settings.Identity = b.emulator.AdminIdentity()
	reason, _ := b.refusal(b.tokens(), "HCP Terraform")
	contains(t, reason, "TFC_WORKLOAD_IDENTITY_TOKEN", "TFC_WORKLOAD_IDENTITY_AUDIENCE_CHAINGUARD to "+b.settings.Issuer)

	b.variables["TFC_WORKLOAD_IDENTITY_TOKEN"] = jwt(`{"exp":1000000000}`)
	reason, _ = b.refusal(b.tokens(), "HCP Terraform")
	contains(t, reason, "TFC_WORKLOAD_IDENTITY_TOKEN expired at 2001-09-09T01:46:40Z")
}
