// Package auth provides tokens for the platform's API from the first source that has one: the provider block or the
// environment, a workload's OIDC token exchanged at the platform's security token service (STS), chainctl's cache, the
// chainctl program, or a sign-in by the user.
//
// No token of any kind is printed, logged or included in an error.
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

// failureMemory is how long all callers get the error of a failed sign-in. Otherwise each of hundreds of resources
// would wait for the same unreachable issuer, or open another browser window.
const failureMemory = 10 * time.Second

// Tokens provides the token of the platform, and renews it before it expires. It is safe for concurrent use.
type Tokens struct {
	options  Options
	audience string
	sources  []source

	renewing sync.Mutex // held while a renewal runs, so that an abandoned one ends before the next begins

	mu           sync.Mutex
	current      token // empty if there is none
	renewAt      time.Time
	issuedBy     source          // of the latest token
	refused      map[string]bool // tokens that the platform rejected
	renewal      *renewal        // nil if none is running
	failure      error           // of the last renewal
	failureStand time.Time       // when failure stops being returned to all callers
}

// Format prints no token for any verb. Without it, %+v would print all fields.
func (t *Tokens) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("tokens for " + t.audience)) }

// LogValue returns a value without tokens.
func (t *Tokens) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(t)) }

// New returns Tokens for these settings. It does no I/O: the first call of Token does.
func New(s config.Settings, o Options) *Tokens {
	o = o.withDefaults()
	if s.RequestTimeout <= 0 {
		s.RequestTimeout = config.DefaultRequestTimeout
	}
	t := &Tokens{options: o, audience: s.Audience, refused: make(map[string]bool)}
	t.sources = sources(s, o, t.isRefused)
	return t
}

// Token returns a token that does not expire soon. It renews it once for all callers, each of which waits only until
// its own ctx ends. The context of a single RPC is too short for a sign-in by browser.
//
// The error is an *[Error] with the sources tried, or wraps the error of ctx.
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

// Discard drops a token that the platform rejected, so that the next Token gets another. It does nothing if the token
// has already been replaced, because many calls may be rejected at once.
func (t *Tokens) Discard(accessToken string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if accessToken == "" || accessToken != t.current.access {
		return
	}
	t.refused[accessToken] = true
	t.current = token{}
}

// Wait cancels the current renewal, and waits until it or ctx ends. Call it before the process exits: a renewal on
// behalf of a shared lookup does not end with its callers, and could wait for the user to sign in. A renewal that is
// using a refresh token still finishes, so that the next refresh token is stored.
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
		t.renewing.Lock() // Wait for an abandoned renewal.
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

// renewal is one attempt to get a token, on behalf of all callers that wait for it. It does not use singleflight, which
// does not cancel the work when the last caller leaves.
type renewal struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiters int // guarded by Tokens.mu

	// The outcome may be read once done is closed.
	token token
	err   error
}

// joinRenewal joins the current renewal, or starts one. The caller must hold t.mu.
func (t *Tokens) joinRenewal(ctx context.Context) *renewal {
	if t.renewal == nil {
		// The renewal is canceled when the last caller leaves, not the one that started it.
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
		issued, from, err = t.obtain(ctx) // It was discarded in the meantime.
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
		// The current token is still valid for a while, and the next try may succeed.
		t.renewAt = now.Add(t.current.expiry.Sub(now) / 2)
		r.token = t.current
	default:
		r.err = err
		if ctx.Err() == nil {
			t.failure, t.failureStand = err, now.Add(failureMemory)
		}
	}
}

// obtain tries the sources in order until one has a token.
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
			// Another source may have a token that is valid for longer.
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

// sessionEnded reports whether an earlier token in this run came from a chainctl session.
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
