package rpc

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
)

func TestRetry_policy(t *testing.T) {
	t.Parallel()
	var (
		start     = time.Date(2030, time.January, 1, 0, 0, 0, 0, time.UTC)
		temporary = errors.New("temporary")
		final     = errors.New("final")
		policy    = Policy{Tries: 3, First: 100 * time.Millisecond, Max: time.Second}
	)
	for name, test := range map[string]struct {
		policy Policy
		errs   []error // of the tries, followed by success
		after  time.Duration
		cancel bool
		want   error
		tries  int
	}{
		"success":               {policy: policy, tries: 1},
		"success after a retry": {policy: policy, errs: []error{temporary}, tries: 2},
		"too many tries":        {policy: policy, errs: []error{temporary, temporary, temporary}, want: temporary, tries: 3},
		"final error":           {policy: policy, errs: []error{temporary, final}, want: final, tries: 2},
		"no time left": {
			policy: Policy{First: time.Second, Max: time.Second, Until: start.Add(1500 * time.Millisecond)},
			errs:   []error{temporary, temporary, temporary, temporary}, want: temporary, tries: 2,
		},
		"asked to wait for too long": {
			policy: Policy{First: time.Second, Max: time.Second, Until: start.Add(10 * time.Second)},
			errs:   []error{temporary}, after: time.Minute, want: temporary, tries: 1,
		},
		"caller gone": {policy: policy, errs: []error{temporary}, cancel: true, want: temporary, tries: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			tries := 0
			err := Retry(ctx, clock.NewFake(start), test.policy,
				func(err error) (bool, time.Duration) { return errors.Is(err, temporary), test.after },
				func() error {
					if test.cancel {
						cancel()
					}
					tries++
					if tries > len(test.errs) {
						return nil
					}
					return test.errs[tries-1]
				})
			if !errors.Is(err, test.want) || tries != test.tries {
				t.Errorf("%d tries, error %v; want %d, %v", tries, err, test.tries, test.want)
			}
		})
	}
}
