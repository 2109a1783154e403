package auth

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sdkheadless "chainguard.dev/sdk/auth/headless"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// headlessIssuer starts an issuer at which the user signs in after the pending responses. Other requests go to the
// emulator.
func headlessIssuer(b *bench, idToken func() string, camel bool, pending ...http.HandlerFunc) *terminal {
	b.Helper()
	api, err := url.Parse(b.emulator.URL())
	if err != nil {
		b.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(api)
	screen := new(terminal)
	var polls atomic.Int64
	b.standIn(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/sts/headless_sessions" {
			proxy.ServeHTTP(w, r)
			return
		}
		if n := int(polls.Add(1)); n <= len(pending) {
			pending[n-1](w, r)
			return
		}
		page, err := url.Parse(screen.url())
		if err != nil || page.Query().Get("headless_code") != r.URL.Query().Get("code") {
			b.Errorf("the page is %s, and asked for was %s", page, r.URL)
		}
		code := sdkheadless.Code(r.URL.Query().Get("code"))
		session, err := code.NewSession([]byte(idToken()))
		if err != nil {
			b.Error(err)
			return
		}
		answer := map[string][]byte{"ecdhPublicKey": session.GetEcdhPublicKey(), "encryptedIdtoken": session.GetEncryptedIdtoken()}
		if !camel {
			answer = map[string][]byte{"ecdh_public_key": session.GetEcdhPublicKey(), "encrypted_idtoken": session.GetEncryptedIdtoken()}
		}
		_ = json.NewEncoder(w).Encode(answer)
	})
	b.settings.Login = config.LoginHeadless
	b.options.OpenTerminal = screen.open
	return screen
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code); _, _ = io.WriteString(w, body) }
}

func TestHeadless_signIn(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		idToken   func(b *bench) string
		camel     bool
		exchanges int
	}{
		"a token for the platform": {
			idToken: func(b *bench) string {
				return emulator.IssueToken(b.settings.Issuer, b.settings.Audience, b.emulator.AdminIdentity(), start, time.Hour)
			},
			camel: true,
		},
		"a token to be exchanged": {
			idToken:   func(b *bench) string { return b.upstream() },
			exchanges: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seed := emulator.DefaultSeed()
			seed.Identities[0].Issuer, seed.Identities[0].Subject = "https://token.actions.example", "repo:acme/infra:ref:refs/heads/main"
			b := newBench(t, seed)
			b.settings.OrgName = "acme.example"
			// The issuer's status before the sign-in is undocumented.
			screen := headlessIssuer(b, func() string { return test.idToken(b) }, test.camel, status(http.StatusNotFound, `{"code":5,"message":"none"}`),
				status(http.StatusOK, "{}"), status(http.StatusBadRequest, `{"code":9,"message":"not yet"}`), status(http.StatusServiceUnavailable, ""))
			token := b.token(b.tokens())
			if len(b.exchanges()) != test.exchanges {
				t.Errorf("%d exchanges, want %d", len(b.exchanges()), test.exchanges)
			}
			page, err := url.Parse(screen.url())
			if err != nil || page.Path != "/oauth" || page.Query().Get("idp_id") != "acme.example" {
				t.Errorf("shown: %s", screen.url())
			}
			if b.kept(b.folder(""), accessTokenFile) != token {
				t.Error("the token is not kept")
			}
			if !b.clock.Now().After(start.Add(3 * headlessPoll)) {
				t.Error("it is asked without a pause")
			}
		})
	}
}

func TestHeadless_fails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		set  func(b *bench)
		want string
	}{
		"switched off": {
			set:  func(b *bench) { b.settings.Login = config.LoginNever },
			want: `login is not "headless"`,
		},
		"no terminal": {
			set: func(b *bench) {
				b.options.OpenTerminal = func() (io.WriteCloser, error) { return nil, errors.New("no such device") }
			},
			want: "has no terminal to show a URL on. Run `chainctl auth login --headless --audience ",
		},
		"refused": {
			set:  func(b *bench) { b.standIn(status(http.StatusForbidden, `{"code":7,"message":"no headless sign-in"}`)) },
			want: "refused: PermissionDenied: no headless sign-in",
		},
		"no sign-in": {
			set:  func(b *bench) { b.standIn(status(http.StatusNotFound, `{"code":5,"message":"none"}`)) },
			want: "there was no sign-in within 2m0s. The page to sign in at was ",
		},
		"unavailable": {
			set:  func(b *bench) { b.standIn(status(http.StatusServiceUnavailable, `{"code":14,"message":"try later"}`)) },
			want: "is unavailable: try later",
		},
		"unreachable": {
			set: func(b *bench) {
				b.standIn(func(w http.ResponseWriter, _ *http.Request) {
					conn, _, err := http.NewResponseController(w).Hijack()
					if err == nil {
						_ = conn.Close()
					}
				})
			},
			want: "cannot be reached: ",
		},
		"a token for another key": {
			set: func(b *bench) {
				b.standIn(status(http.StatusOK, `{"ecdhPublicKey":"dUZLMFR5VWFaQ01CNlFCR0MtSFZLR0pLcUk0LVU5cTVyVjlrOElfWVVRNA==","encryptedIdtoken":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`))
			},
			want: "a token that cannot be read",
		},
		"not a key": {
			set:  func(b *bench) { b.standIn(status(http.StatusOK, `{"ecdhPublicKey":"AAAA","encryptedIdtoken":"AAAA"}`)) },
			want: "a token that cannot be read",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			headlessIssuer(b, func() string { return "x" }, true)
			test.set(b)
			reason, whole := b.refusal(b.tokens(), "headless sign-in")
			contains(t, reason, test.want)
			if strings.Contains(whole, "\x1b") {
				t.Errorf("%q", whole)
			}
		})
	}
}
