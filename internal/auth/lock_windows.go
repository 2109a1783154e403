package auth

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/windows"

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
		err := windows.LockFileEx(windows.Handle(file.Fd()),
			windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
		if err == nil {
			return func() { _ = file.Close() }, nil // Closing gives the lock back.
		}
		if !errors.Is(err, windows.ERROR_LOCK_VIOLATION) && !errors.Is(err, windows.ERROR_IO_PENDING) {
			_ = file.Close()
			return nil, err
		}
		if clock.Sleep(ctx, lockPoll) != nil {
			_ = file.Close()
			return nil, errLocked
		}
	}
}
