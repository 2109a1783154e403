package auth

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"encoding/pem"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
)

// stsChild is set in the processes that TestSTS_environment starts. They are needed because proxies and certificates
// are read once per process.
const stsChild = "AUTH_TEST_STS_CHILD"

// child exchanges a token at an issuer and prints the result.
func child(issuer string) {
	s := sts{http: httpCaller{clock: clock.Real{}, timeout: 10 * time.Second}, issuer: issuer, audience: "https://api.example"}
	got, err := s.exchange(context.Background(), "c4n4ry-upstream")
	if err != nil {
		_, _ = os.Stdout.WriteString("error: " + err.Error())
		return
	}
	_, _ = os.Stdout.WriteString("token: " + got.access)
}

func TestMain(m *testing.M) {
	if issuer := os.Getenv(stsChild); issuer != "" {
		child(issuer)
		return
	}
	os.Exit(m.Run())
}

// TestSTS_environment uses an STS behind a proxy and with a certificate of a private CA, both configured in the
// environment.
func TestSTS_environment(t *testing.T) {
	t.Parallel()
	issuer := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer c4n4ry-upstream" || r.URL.Query().Get("aud") != "https://api.example" {
			http.Error(w, "{}", http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, `{"token":"issued"}`)
	}))
	t.Cleanup(issuer.Close)
	certificate := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issuer.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	var tunnels atomic.Int64
	proxy := httptest.NewServer(tunnel(t, issuer.Listener.Addr().String(), &tunnels))
	t.Cleanup(proxy.Close)

	for name, test := range map[string]struct {
		environment []string
		want        string
	}{
		"proxy and private CA": {
			environment: []string{"HTTPS_PROXY=" + proxy.URL, "SSL_CERT_FILE=" + certificate},
			want:        "token: issued",
		},
		"without the CA": {
			environment: []string{"HTTPS_PROXY=" + proxy.URL},
			want:        "certificate",
		},
		"a proxy that is not a URL": {
			environment: []string{"HTTPS_PROXY=http://user:c4n4ry-proxy@[::1", "SSL_CERT_FILE=" + certificate},
			want:        "HTTPS_PROXY (or https_proxy) in the environment is not the URL of a proxy",
		},
		"a proxy that is down": {
			environment: []string{"HTTPS_PROXY=http://127.0.0.1:1", "SSL_CERT_FILE=" + certificate},
			want:        "cannot be reached: by the proxy that HTTPS_PROXY (or https_proxy) names: dial tcp 127.0.0.1:1: connect: connection refused",
		},
		"an invalid proxy": {
			environment: []string{"HTTPS_PROXY=c4n4ry-%zz"},
			want:        "HTTPS_PROXY (or https_proxy) in the environment is not the URL of a proxy",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The certificate of httptest is for example.com.
			command := exec.CommandContext(t.Context(), os.Args[0])
			command.Env = append([]string{stsChild + "=https://example.com", "GODEBUG=x509usefallbackroots=0"}, test.environment...)
			output, err := command.CombinedOutput()
			if err != nil || !strings.Contains(string(output), test.want) {
				t.Errorf("want %q: %s, %v", test.want, output, err)
			}
			if strings.Contains(string(output), "c4n4ry") {
				t.Errorf("a secret is shown: %s", output)
			}
		})
	}
	t.Cleanup(func() {
		if tunnels.Load() == 0 {
			t.Error("the proxy was not used")
		}
	})
}

// tunnel returns a proxy that connects to one address, whatever was requested.
func tunnel(t *testing.T, address string, count *atomic.Int64) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "tunnels only", http.StatusMethodNotAllowed)
			return
		}
		count.Add(1)
		far, err := new(net.Dialer).DialContext(r.Context(), "tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		near, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
		go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
	}
}
