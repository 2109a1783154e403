package rpc

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
)

// throttle slows the whole connection down while the server answers ResourceExhausted: fifty calls that each back off
// on their own are still fifty calls.
type throttle struct {
	mu      sync.Mutex
	until   time.Time
	strikes int
}

const (
	firstBackOff = 250 * time.Millisecond
	maxBackOff   = 30 * time.Second

	// maxRetryAfter is the longest wait that the server can ask for. A call that it puts off for longer fails at once.
	maxRetryAfter = 2 * time.Minute
)

// wait returns when calls may be sent, or with the error of ctx.
func (t *throttle) wait(ctx context.Context, c clock.Clock) error {
	for {
		t.mu.Lock()
		left := t.until.Sub(c.Now())
		t.mu.Unlock()
		if left <= 0 {
			return ctx.Err()
		}
		// Jitter is added, never subtracted, so that the waiting calls do not all resume at once.
		if err := c.Sleep(ctx, left+rand.N(left/4+1)); err != nil { //nolint:gosec // G404: jitter needs no secrecy.
			return fmt.Errorf("waiting because the API is limiting requests: %w", err)
		}
	}
}

// backOff stops all calls for after, or, where the server did not say how long, for twice as long as the last time.
func (t *throttle) backOff(now time.Time, after time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.until.After(now) && after == 0 {
		return // This call was under way when the first of its burst was refused.
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
