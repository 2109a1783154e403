// Package rpc makes calls: it dials, bounds, retries and throttles them, and tells whose status a call ended with. It
// knows no invite, and what differs by call is a typed [grpc.CallOption].
package rpc

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
)

// Policy bounds how often and for how long a call is tried again.
type Policy struct {
	// Tries is how often the call is made at most. Zero is as often as there is time.
	Tries int
	// First is the wait after the first try. Each further one is twice as long, up to Max.
	First, Max time.Duration
	// Until, if it is set, is when no try may begin any more, by the clock that is passed to [Retry].
	Until time.Time
}

// Retry calls try until it succeeds, fails with an error that is not temporary, or the policy or ctx ends it, and
// returns the last error of try. temporary says whether an error may be gone at the next try, and how long the other
// side asks to wait, zero if it does not say.
//
// It is used in place of gRPC's own retries, which stop once headers have arrived
// (https://github.com/grpc/grpc-go/issues/8223).
func Retry(ctx context.Context, c clock.Clock, p Policy, temporary func(error) (again bool, after time.Duration), try func() error) error {
	for n := 0; ; n++ {
		err := try()
		if err == nil {
			return nil
		}
		again, after := temporary(err)
		if !again || p.Tries > 0 && n+1 >= p.Tries {
			return err
		}
		wait := max(after, jittered(min(p.First<<min(n, 16), p.Max)))
		if !p.Until.IsZero() && !c.Now().Add(wait).Before(p.Until) || c.Sleep(ctx, wait) != nil {
			return err
		}
	}
}

// jittered is d, give or take a fifth, as in gRPC's own retry policy.
func jittered(d time.Duration) time.Duration {
	return d*4/5 + rand.N(d*2/5+1) //nolint:gosec // G404: jitter needs no secrecy.
}
