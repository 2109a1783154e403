// Package auth gets the token that the platform's API is called with, from the first source that has one: the provider
// block or the environment, a workload's OIDC token exchanged at the platform's security token service (STS), what
// chainctl has cached, chainctl itself, or a person at a browser.
//
// Nothing in here prints, logs or puts into an error a token of any kind.
package auth

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
)

// Options are the parts of the real world that sign-in touches. What is left out is the real thing.
type Options struct {
	// UserAgent is sent to the STS.
	UserAgent string

	// Now is the clock that tokens are held against.
	Now func() time.Time

	// Environment holds the environment variables and files that tokens are read from.
	Environment config.Environment

	// CacheDir is the user's cache directory, in which chainctl keeps its tokens.
	CacheDir string

	// RunChainctl runs the chainctl program and returns what it printed.
	RunChainctl func(ctx context.Context, args ...string) (stdout, stderr []byte, err error)

	// OpenBrowser shows a URL to the user.
	OpenBrowser func(url string) error

	// Sleep waits for d between two tries, or until ctx ends, whose error it then returns.
	Sleep func(ctx context.Context, d time.Duration) error

	// httpClient, if it is set, talks to the GitHub Actions token service.
	httpClient *http.Client
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Environment.Getenv == nil {
		o.Environment = config.OSEnvironment()
	}
	if o.CacheDir == "" {
		// Without a cache directory there is no cached token, and the source says so.
		o.CacheDir, _ = os.UserCacheDir()
	}
	if o.RunChainctl == nil {
		o.RunChainctl = programRunner("chainctl")
	}
	if o.OpenBrowser == nil {
		o.OpenBrowser = openBrowser
	}
	if o.Sleep == nil {
		o.Sleep = clock.Sleep
	}
	return o
}

const (
	// renewBefore is how long before its end a token is replaced. A token that lives for less than twice that is
	// replaced when a fifth of its life is left.
	renewBefore = time.Minute

	// failureMemory is how long a failed sign-in stands for all that ask. Hundreds of resources must not each wait for
	// the same issuer that is down, or open a browser window of their own.
	failureMemory = 10 * time.Second
)

// Tokens hands out the token to call the platform with, and renews it before it ends. It is safe for concurrent use.
type Tokens struct {
	options  Options
	audience string
	sources  []source

	mu           sync.Mutex
	current      issued // empty without one
	renewAt      time.Time
	refused      map[string]bool // tokens that the platform did not accept
	renewal      *renewal        // under way, nil if there is none
	abandoned    <-chan struct{} // closed when the renewal that nobody waits for any longer has come to its end
	failure      error           // of the last renewal
	failureStand time.Time       // until when failure is the answer to all
}

// Format says nothing of the tokens, whatever the verb: %+v of a struct prints everything that is in it otherwise.
func (t *Tokens) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("tokens for " + t.audience)) }

// LogValue says nothing of the tokens.
func (t *Tokens) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(t)) }

// New prepares sign-in as the settings say. It does no I/O: the first Token does.
func New(s config.Settings, o Options) *Tokens {
	o = o.withDefaults()
	if s.RequestTimeout <= 0 {
		s.RequestTimeout = config.DefaultRequestTimeout
	}
	t := &Tokens{options: o, audience: s.Audience, refused: make(map[string]bool)}
	t.sources = sources(s, o, t.isRefused)
	return t
}

// Token returns a token that is good for some time to come. It is renewed shortly before its end, once however many
// callers wait; each of them waits only as long as its own context allows. Signing in by browser takes a person's time,
// so that a context for a single RPC is too short for it.
//
// The error is an *[Error] that says what was tried, or wraps that of the context.
func (t *Tokens) Token(ctx context.Context) (*oauth2.Token, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("not signing in: %w", err)
	}

	t.mu.Lock()
	now := t.options.Now()
	if t.current.access != "" && (t.renewAt.IsZero() || now.Before(t.renewAt)) {
		defer t.mu.Unlock()
		return t.current.oauth2(), nil
	}
	if t.failure != nil && now.Before(t.failureStand) {
		defer t.mu.Unlock()
		return nil, t.failure
	}
	r := t.joinRenewal(ctx)
	t.mu.Unlock()

	select {
	case <-r.done:
		if r.err != nil {
			return nil, r.err
		}
		return r.token.oauth2(), nil
	case <-ctx.Done():
		t.leaveRenewal(r)
		return nil, fmt.Errorf("waiting for a token: %w", ctx.Err())
	}
}

// Discard gives up a token that the platform did not accept, so that the next Token gets another. It does nothing if
// the token has been replaced already, as happens when many calls are refused at once.
func (t *Tokens) Discard(accessToken string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if accessToken == "" || accessToken != t.current.access {
		return
	}
	t.refused[accessToken] = true
	t.current = issued{}
}

func (t *Tokens) isRefused(accessToken string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.refused[accessToken]
}

// renewal is one walk through the sources, on behalf of all who wait for it.
type renewal struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiters int // guarded by Tokens.mu

	// The outcome, to be read when done is closed.
	token issued
	err   error
}

// joinRenewal starts a renewal or joins the one under way. t.mu is held.
func (t *Tokens) joinRenewal(ctx context.Context) *renewal {
	if t.renewal == nil {
		// It does not end with the caller that happened to start it, but when the last one has lost interest.
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		t.renewal = &renewal{done: make(chan struct{}), cancel: cancel}
		go t.renew(ctx, t.renewal, t.abandoned)
	}
	t.renewal.waiters++
	return t.renewal
}

func (t *Tokens) leaveRenewal(r *renewal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.waiters--
	if r.waiters > 0 {
		return
	}
	r.cancel()
	if t.renewal == r {
		t.renewal, t.abandoned = nil, r.done
	}
}

// renew carries out a renewal, after the abandoned one has ended.
func (t *Tokens) renew(ctx context.Context, r *renewal, abandoned <-chan struct{}) {
	defer close(r.done)
	defer r.cancel()
	if abandoned != nil {
		<-abandoned
	}

	token, err := t.obtain(ctx)
	for err == nil && t.isRefused(token.access) {
		token, err = t.obtain(ctx) // Given up while we were at it.
	}

	t.mu.Lock()
	defer t.mu.Unlock()
	if t.renewal == r {
		t.renewal = nil
	}
	now := t.options.Now()
	switch {
	case err == nil:
		t.current, t.renewAt, t.failure = token, token.renewAt(now), nil
		r.token = token
	case t.current.access != "" && now.Before(t.current.expiry):
		// The token at hand is good for a little longer, and so may be the next try.
		t.renewAt = now.Add(t.current.expiry.Sub(now) / 2)
		r.token = t.current
	default:
		r.err = err
		if ctx.Err() == nil {
			t.failure, t.failureStand = err, now.Add(failureMemory)
		}
	}
}

// obtain walks through the sources until one of them has a token.
func (t *Tokens) obtain(ctx context.Context) (issued, error) {
	var (
		attempts   []Attempt
		lastResort issued
	)
	for _, s := range t.sources {
		token, err := s.token(ctx)
		if ctx.Err() != nil {
			return issued{}, fmt.Errorf("signing in: %w", ctx.Err())
		}
		switch {
		case err != nil:
			attempts = append(attempts, Attempt{Source: s.name(), Reason: err.Error()})
		case t.isRefused(token.access):
			attempts = append(attempts, Attempt{Source: s.name(), Reason: "the platform did not accept its token (Unauthenticated)"})
		case token.nearlyOver(t.options.Now()):
			// Better than nothing, but another source may have one that lives longer.
			lastResort = token
		default:
			return token, nil
		}
	}
	if lastResort.access != "" {
		return lastResort, nil
	}
	return issued{}, &Error{Audience: t.audience, Attempts: attempts}
}

// issued is a token to call the platform with.
type issued struct {
	access   string
	expiry   time.Time     // by our own clock, zero if it is not known
	lifetime time.Duration // from issue to expiry, zero if it is not known
}

// newlyIssued is a token that the STS has just issued. The STS may state the expiry beside the token.
func newlyIssued(access string, stated, now time.Time) issued {
	c, err := readClaims(access)
	if err != nil || c.expiry.IsZero() {
		if stated.IsZero() {
			return issued{access: access}
		}
		return issued{access: access, expiry: stated, lifetime: stated.Sub(now)}
	}
	lifetime := c.expiry.Sub(now)
	if total := c.lifetime(); total > 0 && (lifetime <= 0 || lifetime > total) {
		// Our clock is wrong, but the token is fresh: how long it lives is what counts.
		lifetime = total
	}
	return issued{access: access, expiry: now.Add(lifetime), lifetime: lifetime}
}

func (i issued) oauth2() *oauth2.Token {
	return &oauth2.Token{AccessToken: i.access, TokenType: "Bearer", Expiry: i.expiry}
}

// margin is how long before its end the token should be replaced.
func (i issued) margin() time.Duration {
	if i.lifetime >= 2*renewBefore {
		return renewBefore
	}
	return i.lifetime / 5
}

func (i issued) nearlyOver(now time.Time) bool {
	return !i.expiry.IsZero() && i.expiry.Sub(now) <= i.margin()
}

// renewAt is when to look for another token, zero for never.
func (i issued) renewAt(now time.Time) time.Time {
	if i.expiry.IsZero() {
		return time.Time{}
	}
	margin := i.margin()
	if remaining := i.expiry.Sub(now); remaining <= margin {
		margin = remaining / 5 // There is no better one: use up most of it.
	}
	return i.expiry.Add(-margin)
}
