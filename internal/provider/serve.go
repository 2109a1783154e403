package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/lean"
)

// Serve serves the provider to the CLI that started this process until the CLI ends it, and then revokes the ephemeral
// invites that the CLI did not close. With debug it runs on its own, for a debugger.
func Serve(ctx context.Context, version string, debug bool) error {
	opened := new(openedInvites)
	err := lean.Serve(ctx, New(version, withOpened(opened)), providerserver.ServeOpts{
		Address: Address,
		Debug:   debug,
	})
	opened.revokeAll(ctx)
	return err
}
