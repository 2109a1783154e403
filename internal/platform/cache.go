package platform

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
)

// cache caches results that do not change while the process runs. Concurrent callers share one call.
type cache[T any] struct {
	flights singleflight.Group

	mu      sync.Mutex
	entries map[string]entry[T]
}

type entry[T any] struct {
	value T
	err   error
	until time.Time // when an error is forgotten
}

// failureMemory is how long a failed lookup is cached: long enough for the thousand invites of a module to share it,
// and short enough to find a group that is created later in the same run.
const failureMemory = 5 * time.Second

// get returns the cached result for key, or that of find. It does not cancel find with ctx, so that a caller that gives
// up does not fail the others. find must limit its own time.
func (c *cache[T]) get(ctx context.Context, clock clock.Clock, key string, find func(context.Context) (T, error)) (T, error) {
	if known, ok := c.known(key, clock.Now()); ok {
		return known.value, known.err
	}
	return share(ctx, &c.flights, key, func(ctx context.Context) (T, error) {
		if known, ok := c.known(key, clock.Now()); ok {
			return known.value, known.err // It was stored while this flight was about to start.
		}
		value, err := find(ctx)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.entries == nil {
			c.entries = map[string]entry[T]{}
		}
		c.entries[key] = entry[T]{value: value, err: err, until: clock.Now().Add(failureMemory)}
		return value, err
	})
}

// known returns the entry for key, if there is one and it has not been forgotten.
func (c *cache[T]) known(key string, now time.Time) (entry[T], bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.entries[key]
	return known, ok && (known.err == nil || now.Before(known.until))
}

// share returns the result of find, or of a call for the same key in progress. ctx ends the wait, but not find.
func share[T any](ctx context.Context, flights *singleflight.Group, key string, find func(context.Context) (T, error)) (T, error) {
	flight := flights.DoChan(key, func() (any, error) { return find(context.WithoutCancel(ctx)) })
	select {
	case result := <-flight:
		value, _ := result.Val.(T)
		return value, result.Err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}
