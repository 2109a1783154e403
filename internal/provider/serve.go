package provider

import (
	"context"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/lean"
)

// Serve serves the provider to the CLI that started this process until the CLI ends it, and then revokes the ephemeral
// invites that the CLI did not close. With debug it runs on its own, for a debugger.
func Serve(ctx context.Context, version string, debug bool) error {
	opened := new(openedInvites)
	err := lean.Serve(New(version, withOpened(opened)), Address, debug)
	opened.revokeAll(ctx)
	return err
}
