// Package auth gets the token that the platform's API is called with, from the first source that has one: the provider
// block or the environment, a workload's OIDC token exchanged at the platform's security token service (STS), chainctl's
// cache, the chainctl program, or a person at a browser.
//
// Nothing in here prints, logs or puts into an error a token of any kind.
package auth

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
)

// failureMemory is how long a failed sign-in stands for all that ask. Hundreds of resources must not each wait for the
// same issuer that is down, or open a browser window of their own.
const failureMemory = 10 * time.Second

// Tokens hands out the token to call the platform with, and renews it before it expires. It is safe for concurrent use.
type Tokens struct {
	options  Options
	audience string
	sources  []source

	renewing sync.Mutex // held by the renewal that runs: one that was abandoned ends before the next begins

	mu           sync.Mutex
	current      token // empty without one
	renewAt      time.Time
	issuedBy     source          // that gave the latest token
	refused      map[string]bool // tokens that the platform did not accept
	renewal      *renewal        // under way, nil if there is none
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

// Token returns a token that is valid for some time to come. It is renewed shortly before it expires, once however many
// callers wait; each of them waits only as long as its own context allows. Signing in by browser takes a person's time,
// so a context for a single RPC is too short for it.
//
// The error is an *[Error] that says what was tried, or wraps that of the context.
func (t *Tokens) Token(ctx context.Context) (*oauth2.Token, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("not signing in: %w", err)
	}

	t.mu.Lock()
	now := t.options.Clock.Now()
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
	t.current = token{}
}

// Wait cancels the renewal under way, and returns when it has ended, or when ctx ends. Call it before the process ends. A
// lookup that is shared does not end with its callers, and would wait for a person to sign in. A renewal that is using a
// refresh token continues nonetheless, until the next one is written.
func (t *Tokens) Wait(ctx context.Context) {
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		t.mu.Lock()
		r := t.renewal
		t.mu.Unlock()
		if r != nil {
			r.cancel()
			<-r.done
		}
		t.renewing.Lock() // One that was abandoned.
		defer t.renewing.Unlock()
	}()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

func (t *Tokens) isRefused(accessToken string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.refused[accessToken]
}

// renewal is one walk through the sources, on behalf of all who wait for it. It is written out, as singleflight does
// not cancel the work when the last caller leaves.
type renewal struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiters int // guarded by Tokens.mu

	// The outcome, to be read when done is closed.
	token token
	err   error
}

// joinRenewal starts a renewal or joins the one under way. t.mu is held.
func (t *Tokens) joinRenewal(ctx context.Context) *renewal {
	if t.renewal == nil {
		// It does not end with the caller that happened to start it, but when the last one has left.
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		t.renewal = &renewal{done: make(chan struct{}), cancel: cancel}
		go t.renew(ctx, t.renewal)
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
		t.renewal = nil
	}
}

func (t *Tokens) renew(ctx context.Context, r *renewal) {
	t.renewing.Lock()
	defer t.renewing.Unlock()
	defer close(r.done)
	defer r.cancel()

	issued, from, err := t.obtain(ctx)
	for err == nil && t.isRefused(issued.access) {
		issued, from, err = t.obtain(ctx) // Given up while we were at it.
	}

	t.mu.Lock()
	defer t.mu.Unlock()
	if t.renewal == r {
		t.renewal = nil
	}
	now := t.options.Clock.Now()
	switch {
	case err == nil:
		t.current, t.issuedBy, t.renewAt, t.failure = issued, from, issued.renewAt(now), nil
		r.token = issued
	case t.current.access != "" && now.Before(t.current.expiry):
		// The token at hand is valid for a little longer, and the next try may succeed.
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
func (t *Tokens) obtain(ctx context.Context) (token, source, error) {
	var (
		attempts   []Attempt
		lastResort token
		lastSource source
	)
	for _, s := range t.sources {
		issued, err := s.get(ctx)
		if ctx.Err() != nil {
			return token{}, nil, fmt.Errorf("signing in: %w", ctx.Err())
		}
		t.options.Secrets.Add(issued.access)
		switch {
		case err != nil:
			attempts = append(attempts, Attempt{Source: s.name(), Reason: err.Error()})
		case t.isRefused(issued.access):
			attempts = append(attempts, Attempt{Source: s.name(), Reason: "the platform did not accept its token (Unauthenticated)"})
		case issued.expiresSoon(t.options.Clock.Now()):
			// Better than nothing, but another source may have one that is valid for longer.
			lastResort, lastSource = issued, s
		default:
			return issued, s, nil
		}
	}
	if lastResort.access != "" {
		return lastResort, lastSource, nil
	}
	return token{}, nil, &Error{Audience: t.audience, SessionEnded: t.sessionEnded(), Attempts: attempts}
}

// sessionEnded reports whether there was a token of chainctl's session in this run: it was signed in when it began.
func (t *Tokens) sessionEnded() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch t.issuedBy.(type) {
	case cachedToken, *chainctlProgram, refreshToken:
		return true
	default:
		return false
	}
}
