package rpc

import (
	"testing"
	"time"
)

var begin = time.Date(2030, time.January, 2, 3, 4, 5, 0, time.UTC)

func TestThrottle_backOff_oncePerBurst(t *testing.T) {
	t.Parallel()
	var p throttle
	for range 50 {
		p.backOff(begin, 0)
	}
	if want := begin.Add(firstBackOff); !p.until.Equal(want) {
		t.Errorf("calls wait until %s, want %s", p.until, want)
	}
	p.backOff(begin.Add(time.Second), 0)
	if want := begin.Add(time.Second + 2*firstBackOff); !p.until.Equal(want) {
		t.Errorf("after another burst calls wait until %s, want %s", p.until, want)
	}
	p.clear()
	p.backOff(begin.Add(time.Minute), 0)
	if want := begin.Add(time.Minute + firstBackOff); !p.until.Equal(want) {
		t.Errorf("after a success calls wait until %s, want %s", p.until, want)
	}
}
