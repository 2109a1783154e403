// Package rpc makes gRPC calls with timeouts, retries, throttling and credentials, and reports whether the status of a
// call is the server's. It knows nothing of invites. Options that differ by call are a [grpc.CallOption].
package rpc

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
)

// Policy limits how often and for how long a call is retried.
type Policy struct {
	// Tries is the maximum number of tries, zero for no limit.
	Tries int
	// First is the wait after the first try. It doubles with each try, up to Max.
	First, Max time.Duration
	// Until, if set, is the time after which no try starts, by the clock passed to [Retry].
	Until time.Time
}

// Retry calls try until it succeeds, its error is not temporary, or the policy or ctx ends, and returns the last error.
// temporary reports whether to try again, and how long the server asks to wait, zero if it does not.
//
// It replaces gRPC's retries, which stop once headers have been received (https://github.com/grpc/grpc-go/issues/8223).
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

// jittered returns d plus or minus up to 20 %, as in gRPC's retry policy.
func jittered(d time.Duration) time.Duration {
	return d*4/5 + rand.N(d*2/5+1) //nolint:gosec // G404: jitter needs no secrecy.
}
