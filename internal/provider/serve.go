package provider

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/lean"
)

// Serve serves the provider to the CLI that started this process until the CLI ends it, and then revokes the ephemeral
// invites that the CLI did not close. With debug it runs on its own, for a debugger.
func Serve(ctx context.Context, version string, debug bool) error {
	if !debug {
		leaveTermination(os.Getppid())
	}
	opened := new(openedInvites)
	err := lean.Serve(New(version, withOpened(opened)), Address, debug)
	opened.revokeAll(ctx)
	return err
}

// leaveTermination leaves it to the CLI what a SIGTERM does. Who cancels a job often sends one to all of its processes:
// the CLI then waits for what is under way, which must be brought to its end here, or codes stay alive that nobody knows
// of. Only a provider whose CLI is gone ends by itself.
func leaveTermination(cli int) {
	terminations := make(chan os.Signal, 1)
	signal.Notify(terminations, syscall.SIGTERM)
	go func() {
		for range terminations {
			for os.Getppid() == cli {
				time.Sleep(orphanPoll)
			}
			os.Exit(1)
		}
	}()
}

// orphanPoll is how often a provider that was told to end looks whether its CLI is still there.
const orphanPoll = 500 * time.Millisecond
