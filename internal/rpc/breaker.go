package rpc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
)

// breaker fails calls at once while the server does not respond, so that hundreds of resources do not each wait for a
// server that is down. A single response of any kind closes it.
type breaker struct {
	mu     sync.Mutex
	silent int   // consecutive calls without a response
	first  error // of the first of them
	since  time.Time
	probed time.Time // when the last probe was allowed
}

const (
	// maxSilent is the number of consecutive calls without a response that opens the breaker.
	maxSilent = 3

	// probeInterval is how often one call is allowed, to find out whether the server responds again.
	probeInterval = 10 * time.Second
)

// UnresponsiveError reports a call that was not sent because earlier calls got no response. It does not wrap the first
// error, whose [Outcome] is that of another call.
type UnresponsiveError struct {
	// First is the error of the first call without a response.
	First error
	// Since is when that call ended, by the local clock.
	Since time.Time
}

// Error implements [error]. It refers to the first error instead of repeating it.
func (e *UnresponsiveError) Error() string {
	return fmt.Sprintf("the call was not sent, because the API has not answered since %s; see the error that has the cause", e.Since.UTC().Format(time.RFC3339))
}

// allow returns an error if a call must not be sent.
func (b *breaker) allow(now time.Time, o options) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.silent < maxSilent || o.persist > 0 {
		return nil
	}
	if now.Sub(b.probed) >= probeInterval {
		b.probed = now
		return nil
	}
	return &UnresponsiveError{First: b.first, Since: b.since}
}

// record records how a call ended.
func (b *breaker) record(now time.Time, ctx context.Context, err error) { //nolint:revive // context-as-argument: ctx is the context that ended.
	var e *Error
	switch {
	case err == nil, errors.As(err, &e) && e.Answered:
		b.mu.Lock()
		defer b.mu.Unlock()
		b.silent, b.first = 0, nil
	case e == nil || errors.Is(ctx.Err(), context.Canceled):
		// The call was not sent, or the caller gave up, which says nothing about the server.
	case e.Code() == codes.DeadlineExceeded || e.Code() == codes.Unavailable && !e.Sent:
		// A broken connection does not count. It ends many calls at once, and the next call may succeed.
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.silent == 0 {
			b.first, b.since = err, now
		}
		b.silent++
		b.probed = now
	}
}
