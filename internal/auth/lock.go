package auth

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
)

const (
	// lockFile guards a folder of the cache against other processes of ours: the refresh token in it can be spent only
	// once.
	lockFile = ".terraform-provider-chainguard.lock"

	// lockTimeout is how much longer than a call of the STS to wait for another process that has the lock.
	lockTimeout = 5 * time.Second

	// lockPoll is how often to look whether a lock has become free.
	lockPoll = 20 * time.Millisecond
)

var errLocked = errors.New("another process has held the lock for too long")

// acquireLock waits until no other process, and no other goroutine of this one, holds the lock, or until ctx ends. The
// file stays: to remove it would take it away under those who wait. The system gives a lock back when its holder dies.
func acquireLock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		locked, err := tryLock(file)
		if locked {
			return func() { _ = file.Close() }, nil // Closing gives the lock back.
		}
		if err == nil && clock.Sleep(ctx, lockPoll) != nil {
			err = errLocked
		}
		if err != nil {
			_ = file.Close()
			return nil, err
		}
	}
}
