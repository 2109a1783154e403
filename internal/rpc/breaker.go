package rpc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
)

// breaker fails calls at once while the server does not answer at all, so that hundreds of resources do not each wait
// for a server that is down. A single answer, of whatever kind, closes it again.
type breaker struct {
	mu     sync.Mutex
	silent int   // calls in a row that were not answered
	first  error // of the first of them
	since  time.Time
	probed time.Time // when a call was last let through
}

const (
	// maxSilent is how many calls in a row go unanswered before the others fail at once.
	maxSilent = 3

	// probeInterval is how often a call is let through to find out whether the server answers again.
	probeInterval = 10 * time.Second
)

// UnresponsiveError is a call that was not sent because the calls before it were not answered. It does not wrap the first
// error, which says how far another call came.
type UnresponsiveError struct {
	// First is the error of the first call that was not answered.
	First error
	// Since is when that call ended, by the machine's clock.
	Since time.Time
}

// Error implements error. It refers to the first error instead of repeating it.
func (e *UnresponsiveError) Error() string {
	return fmt.Sprintf("the call was not sent, because the API has not answered since %s; see the error that has the cause", e.Since.UTC().Format(time.RFC3339))
}

// allow returns an error if a call is not to be sent.
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

// record takes note of how a call ended.
func (b *breaker) record(now time.Time, ctx context.Context, err error) { //nolint:revive // context-as-argument: ctx is what ended.
	var e *Error
	switch {
	case err == nil, errors.As(err, &e) && e.Answered:
		b.mu.Lock()
		defer b.mu.Unlock()
		b.silent, b.first = 0, nil
	case e == nil || errors.Is(ctx.Err(), context.Canceled):
		// Nothing was sent, or the caller gave up: this says nothing of the server.
	case e.Code() == codes.DeadlineExceeded || e.Code() == codes.Unavailable && !e.Sent:
		// A connection that breaks is not among these: it ends all of its calls at once, and the next may do.
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.silent == 0 {
			b.first, b.since = err, now
		}
		b.silent++
		b.probed = now
	}
}
