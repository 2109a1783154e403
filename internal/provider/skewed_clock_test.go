package provider_test

import (
	"sync"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// skewedClock is the platform's clock where it differs from the provider's.
type skewedClock struct {
	mu   sync.Mutex
	ours func() time.Time
	by   time.Duration
}

func newSkewedClock() *skewedClock {
	return &skewedClock{ours: func() time.Time { return acctest.Start }}
}

// set is an option of [acctest.New].
func (c *skewedClock) set(o *emulator.Options) { o.Clock = c }

// skew has the platform's clock go that much ahead of the provider's.
func (c *skewedClock) skew(p *acctest.Platform, by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ours, c.by = p.Clock.Now, by
}

// Now implements clock.Clock.
func (c *skewedClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ours().Add(c.by)
}
