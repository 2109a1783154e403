package auth

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
)

// metadataServer simulates a machine with a metadata server, and returns the number of its calls.
func metadataServer(b *bench, answer http.HandlerFunc) *atomic.Int64 {
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		answer(w, r)
	}))
	b.Cleanup(server.Close)
	b.settings.Identity = b.emulator.AdminIdentity()
	b.variables["GCE_METADATA_HOST"] = strings.TrimPrefix(server.URL, "http://")
	return &requests
}

func TestGoogleCloud_token(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	metadataServer(b, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/computeMetadata/v1/instance/service-accounts/default/identity" || r.Header.Get("Metadata-Flavor") != "Google" ||
			r.URL.Query().Get("audience") != b.settings.Issuer || r.URL.Query().Get("format") != "full" {
			t.Errorf("asked for %s", r.URL)
		}
		w.Header().Set("Metadata-Flavor", "Google")
		_, _ = io.WriteString(w, b.upstream())
	})
	if !b.works(b.token(b.tokens())) {
		t.Error("the platform does not accept the token")
	}
	if got := b.exchanges(); len(got) != 1 || got[0].GetIdentity() != b.settings.Identity {
		t.Errorf("exchanged: %v", got)
	}
}

func TestGoogleCloud_noToken(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer   http.HandlerFunc
		set      func(b *bench)
		want     string
		requests int64
	}{
		"no service account": {
			answer:   func(w http.ResponseWriter, _ *http.Request) { http.NotFound(w, nil) },
			want:     "gave no token: HTTP status 404 Not Found",
			requests: 1,
		},
		"down": {
			answer:   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
			want:     "gave no token: HTTP status 503",
			requests: 3,
		},
		"no answer": {
			answer:   func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			set:      func(b *bench) { b.settings.RequestTimeout = 400 * time.Millisecond },
			want:     "deadline exceeded",
			requests: 2,
		},
		"a page": {
			answer:   func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<p>c4n4ry and c4n4ry</p>") },
			want:     "gave an answer with spaces",
			requests: 1,
		},
		"elsewhere": {
			set:  func(b *bench) { delete(b.variables, "GCE_METADATA_HOST") },
			want: "not a machine of Google Cloud",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			requests := metadataServer(b, test.answer)
			if test.set != nil {
				test.set(b)
			}
			reason, whole := b.refusal(b.tokens(), "Google Cloud")
			contains(t, reason, test.want)
			if strings.Contains(whole, "c4n4ry") {
				t.Errorf("the error shows a secret: %s", whole)
			}
			if requests.Load() != test.requests {
				t.Errorf("%d requests, want %d", requests.Load(), test.requests)
			}
		})
	}
}

func TestGoogleCloud_here(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		variable, product string
		want              bool
	}{
		"a virtual machine": {product: "Google Compute Engine\n", want: true},
		"Cloud Run":         {variable: "K_SERVICE", want: true},
		"a Cloud Run job":   {variable: "CLOUD_RUN_JOB", want: true},
		"another machine":   {product: "KVM\n"},
		"not Linux":         {},
	} {
		environment := config.Environment{
			Getenv: func(name string) string {
				if name == test.variable {
					return "set"
				}
				return ""
			},
			ReadFile: func(string) ([]byte, error) { return []byte(test.product), nil },
		}
		if got := (googleCloud{getenv: environment.Getenv, readFile: environment.ReadFile}).here(); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
