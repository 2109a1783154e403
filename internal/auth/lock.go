package auth

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
)

const (
	// lockFile protects a folder of the cache from concurrent use by other processes of this provider, because a
	// refresh token can be used only once.
	lockFile = ".terraform-provider-chainguard.lock"

	// lockTimeout is how long to wait for a lock, in addition to the time that a call of the STS may take.
	lockTimeout = 5 * time.Second

	// lockPoll is how often to try to lock.
	lockPoll = 20 * time.Millisecond
)

var errLocked = errors.New("another process has held the lock for too long")

// acquireLock locks the file at path against other processes and other goroutines, waiting until ctx ends. It does not
// remove the file, because others may be waiting for it. The operating system releases the lock if the process dies.
func acquireLock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		locked, err := tryLock(file)
		if locked {
			return func() { _ = file.Close() }, nil // Closing releases the lock.
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
