package clock_test

import (
	"sync"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
)

func TestFake_movesOnlyWhenTold(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	fake := clock.NewFake(start)

	if got := fake.Now(); !got.Equal(start) {
		t.Errorf("new: Now() = %s, want %s", got, start)
	}
	fake.Advance(48 * time.Hour)
	fake.Advance(-time.Hour)
	if got, want := fake.Now(), start.Add(47*time.Hour); !got.Equal(want) {
		t.Errorf("advanced: Now() = %s, want %s", got, want)
	}
	fake.Set(start)
	if got := fake.Now(); !got.Equal(start) {
		t.Errorf("set: Now() = %s, want %s", got, start)
	}
}

func TestFake_concurrentUse(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	fake := clock.NewFake(start)

	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			fake.Advance(time.Second)
			fake.Now()
		})
	}
	wg.Wait()
	if got, want := fake.Now(), start.Add(50*time.Second); !got.Equal(want) {
		t.Errorf("Now() = %s, want %s", got, want)
	}
}

func TestReal_tellsTheMachinesTime(t *testing.T) {
	t.Parallel()
	before := time.Now()
	got := clock.Real{}.Now()
	if got.Before(before) || got.After(time.Now()) {
		t.Errorf("Now() = %s, which is not between two readings of the machine's clock", got)
	}
}
