package rpc

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
)

// throttle delays all calls of a connection while the server returns ResourceExhausted. If fifty calls each back off on
// their own, the server still gets fifty calls.
type throttle struct {
	mu      sync.Mutex
	until   time.Time
	strikes int
}

const (
	firstBackOff = 250 * time.Millisecond
	maxBackOff   = 30 * time.Second

	// maxRetryAfter is the longest wait the server can ask for. Calls fail at once if it asks for more.
	maxRetryAfter = 2 * time.Minute
)

// wait waits until calls may be sent, or returns the error of ctx.
func (t *throttle) wait(ctx context.Context, c clock.Clock) error {
	for {
		t.mu.Lock()
		left := t.until.Sub(c.Now())
		t.mu.Unlock()
		if left <= 0 {
			return ctx.Err()
		}
		// Add jitter, so that waiting calls do not resume all at once, but never shorten the wait.
		if err := c.Sleep(ctx, left+rand.N(left/4+1)); err != nil { //nolint:gosec // G404: jitter needs no secrecy.
			return fmt.Errorf("waiting because the API is limiting requests: %w", err)
		}
	}
}

// backOff delays all calls for after or, if that is zero, for twice as long as the last time.
func (t *throttle) backOff(now time.Time, after time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.until.After(now) && after == 0 {
		return // This call was sent before the first of its burst was rejected.
	}
	if after == 0 {
		after = min(firstBackOff<<min(t.strikes, 16), maxBackOff)
		t.strikes++
	}
	if until := now.Add(after); until.After(t.until) {
		t.until = until
	}
}

// clear resets the backoff after a success.
func (t *throttle) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.strikes = 0
}
