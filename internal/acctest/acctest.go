// Package acctest is the harness of the acceptance tests: a real Terraform CLI runs the provider against an emulated
// platform, one for each test, whose clock the test controls.
package acctest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/auth"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/provider"
)

// Start is the time on the clock of a new Platform.
var Start = time.Date(2030, time.January, 2, 3, 4, 5, 0, time.UTC)

// Platform is an emulated platform for one test, with the clock and the environment of the providers that use it.
type Platform struct {
	*emulator.Emulator
	// Clock is shared by the platform and the provider.
	Clock *clock.Fake

	cacheDir string

	mu          sync.Mutex
	environment map[string]string
}

// New starts a platform that stops when the test ends. The provider is signed in to it as its administrator.
func New(t testing.TB, options ...func(*emulator.Options)) *Platform {
	t.Helper()
	isolate()
	fake := clock.NewFake(Start)
	o := emulator.Options{Clock: fake}
	for _, option := range options {
		option(&o)
	}
	e := emulator.ForTest(t, o)
	return &Platform{Emulator: e, Clock: fake, cacheDir: t.TempDir(), environment: e.Environment()}
}

// Setenv sets an environment variable for the provider only. An empty value unsets it.
func (p *Platform) Setenv(name, value string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.environment[name] = value
}

// Getenv returns an environment variable of the provider.
func (p *Platform) Getenv(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.environment[name]
}

// CacheDir returns the folder in which the provider looks for tokens that chainctl cached.
func (p *Platform) CacheDir() string { return p.cacheDir }

// Options returns the options that make a provider use this platform.
func (p *Platform) Options() []provider.Option {
	return []provider.Option{
		provider.WithClock(p.Clock),
		provider.WithEnvironment(config.Environment{Getenv: p.Getenv, ReadFile: os.ReadFile}),
		provider.WithSignIn(func(o *auth.Options) {
			o.CacheDir = p.cacheDir
			o.RunProgram = func(context.Context, string, ...string) ([]byte, []byte, error) {
				return nil, nil, exec.ErrNotFound
			}
			o.OpenTerminal = func() (io.WriteCloser, error) { return nil, errors.New("no terminal in tests") }
			o.OpenBrowser = func(string) error { return errors.New("no browser in tests") }
		}),
	}
}

// Factories returns the provider for terraform-plugin-testing.
func (p *Platform) Factories() map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){
		"chainguard": providerserver.NewProtocol6WithError(provider.New(Version, p.Options()...)()),
	}
}

// CheckCalls returns an error unless the platform received exactly these calls, counted by short method name.
func (p *Platform) CheckCalls(want map[string]int) error {
	got := p.Counts()
	maps.DeleteFunc(got, func(_ string, count int) bool { return count == 0 })
	if !maps.Equal(got, want) {
		return fmt.Errorf("the platform was called %v, want %v", got, want)
	}
	return nil
}

// CacheToken signs the provider in with a token that chainctl cached.
func (p *Platform) CacheToken(t testing.TB, token string) {
	t.Helper()
	if err := p.Emulator.CacheToken(p.cacheDir, emulator.AccessTokenFile, token); err != nil {
		t.Fatal(err)
	}
}
