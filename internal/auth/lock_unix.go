//go:build !windows

package auth

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
)

// acquireLock waits until no other process, and no other goroutine of this one, holds the lock, or until ctx ends. The file
// stays: to remove it would take it away under those who wait. The system gives a lock back when its holder dies.
func acquireLock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil // Closing gives the lock back.
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			_ = file.Close()
			return nil, err
		}
		if clock.Sleep(ctx, lockPoll) != nil {
			_ = file.Close()
			return nil, errLocked
		}
	}
}
