package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// start is the time at which tests begin, in whole seconds as in tokens.
var start = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// bench is an emulated platform and a machine to sign in from, with an empty environment.
type bench struct {
	*testing.T
	emulator  *emulator.Emulator
	clock     *clock.Fake
	variables map[string]string
	settings  config.Settings
	options   Options
	secrets   redact.Secrets
}

func newBench(t *testing.T, seed ...emulator.Seed) *bench {
	t.Helper()
	b := &bench{T: t, clock: clock.NewFake(start), variables: map[string]string{}}
	o := emulator.Options{Clock: b.clock}
	if len(seed) > 0 {
		o.Seed = seed[0]
	}
	b.emulator = emulator.ForTest(t, o)
	b.settings = config.Settings{
		API:             b.emulator.URL(),
		Audience:        b.emulator.Audience(),
		Issuer:          b.emulator.URL(),
		Login:           config.LoginNever,
		UseRefreshToken: true,
		RequestTimeout:  5 * time.Second,
	}
	b.options = Options{
		UserAgent: "terraform-provider-chainguard/test",
		Clock:     b.clock,
		Secrets:   &b.secrets,
		Environment: config.Environment{
			Getenv:   func(name string) string { return b.variables[name] },
			ReadFile: os.ReadFile,
			WorkDir:  t.TempDir(),
			HomeDir:  t.TempDir(),
		},
		CacheDir: t.TempDir(),
		RunProgram: func(context.Context, string, ...string) ([]byte, []byte, error) {
			return nil, nil, exec.ErrNotFound
		},
		OpenBrowser:  func(string) error { return errors.New("there is no screen") },
		OpenTerminal: func() (io.WriteCloser, error) { return nil, errors.New("there is no terminal") },
		mountedToken: filepath.Join(t.TempDir(), "mounted"),
	}
	return b
}

func (b *bench) tokens() *Tokens { return New(b.settings, b.options) }

// token returns a token, and fails the test on an error.
func (b *bench) token(t *Tokens) string {
	b.Helper()
	token, err := t.Token(b.Context())
	if err != nil {
		b.Fatalf("no token: %v", err)
	}
	if token.TokenType != "Bearer" {
		b.Errorf("a token of the type %q", token.TokenType)
	}
	return token.AccessToken
}

// refusal fails the test unless there is no token, and returns the reason of the source and the whole error.
func (b *bench) refusal(t *Tokens, source string) (reason, whole string) {
	b.Helper()
	_, err := t.Token(b.Context())
	var e *Error
	if !errors.As(err, &e) {
		b.Fatalf("want a sign-in error, got: %v", err)
	}
	for _, a := range e.Attempts {
		if a.Source == source {
			return a.Reason, err.Error()
		}
	}
	b.Fatalf("the source %q is not in the error: %v", source, err)
	return "", ""
}

// upstream returns an OIDC token of a CI job.
func (b *bench) upstream() string {
	return emulator.UpstreamToken(emulator.Upstream{
		Issuer:   "https://token.actions.example",
		Subject:  "repo:acme/infra:ref:refs/heads/main",
		Audience: []string{b.emulator.URL()},
		Expires:  b.clock.Now().Add(time.Hour),
	})
}

// folder returns chainctl's folder for the tokens of the audience, or of an identity.
func (b *bench) folder(identity string) string {
	c := cache{dir: b.options.CacheDir, tokenRequirements: tokenRequirements{audience: b.settings.Audience, identity: identity}}
	folders, err := c.folders()
	if err != nil {
		b.Fatal(err)
	}
	return folders[0]
}

// keep stores a token in chainctl's cache.
func (b *bench) keep(folder, file, token string) {
	b.Helper()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, file), []byte(token), 0o600); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) kept(folder, file string) string {
	b.Helper()
	data, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil {
		b.Fatal(err)
	}
	return string(data)
}

// works reports whether the platform accepts the token.
func (b *bench) works(token string) bool {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, b.emulator.URL()+"/iam/v2/groups", nil)
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// jwt returns an unsigned token.
func jwt(payload string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none"}`)) + "." + encode([]byte(payload)) + "." + encode([]byte("signature"))
}

// fakeSource is a source whose tokens and errors a test decides.
type fakeSource struct {
	label string
	give  func(ctx context.Context) (token, error)

	mu    sync.Mutex
	calls int
}

func (f *fakeSource) name() string { return f.label }

func (f *fakeSource) get(ctx context.Context) (token, error) {
	f.mu.Lock()
	f.calls++
	f.mu.Unlock()
	return f.give(ctx)
}

func (f *fakeSource) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// counted returns a source of token-1, token-2 and so on, each with this lifetime.
func counted(c *clock.Fake, lifetime time.Duration) *fakeSource {
	f := &fakeSource{label: "counted"}
	f.give = func(context.Context) (token, error) {
		i := token{access: fmt.Sprintf("token-%d", f.count())}
		if lifetime > 0 {
			i.expiry, i.lifetime = c.Now().Add(lifetime), lifetime
		}
		return i, nil
	}
	return f
}

// from returns Tokens with these sources.
func from(c *clock.Fake, sources ...source) *Tokens {
	t := New(config.Settings{Audience: "https://api.example"}, Options{Clock: c})
	t.sources = sources
	return t
}

// set assigns text to a setting of any string type.
func set[S ~string](setting *S, text string) { *setting = S(text) }

func contains(t *testing.T, text string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}
