package platform

import (
	"sync"
	"time"
)

// offset is how far the platform's clock is ahead of ours. An invite that was lost is known by when it was made, and
// that is told by the platform's clock, which may be minutes off. Every answer that bears a time narrows it down: the
// platform took that time between the sending of the request and the coming of the answer.
type offset struct {
	mu       sync.Mutex
	observed bool
	min, max time.Duration
}

const (
	// inSync is how well clocks agree that are set by the network. Where the platform's may be right, it is taken to be.
	inSync = 100 * time.Millisecond

	// maxDoubt bounds what an answer that took long makes of an offset.
	maxDoubt = time.Second

	// unobserved is how far a clock may be off that tells nothing of itself, and doubtful what is allowed for on top
	// of what is known: a platform has many clocks.
	unobserved = 15 * time.Minute
	doubtful   = time.Second
)

// observe takes note of a time that the platform took while a call was under way. The later of two that cannot both
// be right is believed: clocks are set.
func (o *offset) observe(theirs, sent, received time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	least, most := theirs.Sub(received), theirs.Add(precision(theirs)).Sub(sent)
	if o.observed && max(least, o.min) <= min(most, o.max) {
		least, most = max(least, o.min), min(most, o.max)
	}
	o.observed, o.min, o.max = true, least, most
}

// precision is by how much a time of the platform may be later than it says.
func precision(t time.Time) time.Duration {
	if t.Nanosecond() == 0 {
		return time.Second
	}
	return time.Millisecond
}

// estimate is an offset to reckon with.
type estimate struct {
	ahead time.Duration // how far the platform's clock is ahead, most likely
	sure  time.Duration // what it may be off by without raising a doubt
	wide  time.Duration // what it may be off by at all
}

// estimate is what the observations make likely.
func (o *offset) estimate() estimate {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case !o.observed:
		return estimate{sure: inSync, wide: unobserved}
	case o.min <= 0 && o.max >= 0:
		doubt := max(-o.min, o.max)
		return estimate{sure: min(doubt, inSync), wide: doubt + doubtful}
	default:
		doubt := (o.max - o.min) / 2
		return estimate{ahead: o.min + doubt, sure: min(doubt, maxDoubt), wide: doubt + doubtful}
	}
}
