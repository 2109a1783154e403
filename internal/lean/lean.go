// Package lean serves a provider as terraform-plugin-framework does, for less than half of the CPU and the memory where
// Terraform asks it for a thousand resources. What it leaves out, nobody sees.
package lean

import (
	"context"
	"os"
	"runtime/debug"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

// gcPercent lets garbage grow to three times of what is in use, which is a few MiB, before it is collected: collecting
// took a fourth of the CPU.
const gcPercent = 300

// Serve is [providerserver.Serve] of protocol version 6.
func Serve(_ context.Context, newProvider func() provider.Provider, opts providerserver.ServeOpts) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	var options []tf6server.ServeOpt
	if opts.Debug {
		options = append(options, tf6server.WithManagedDebug())
	} else if err := silenceUnreadLogs(os.Environ(), os.Setenv); err != nil {
		return err
	}
	return tf6server.Serve(opts.Address, func() tfprotov6.ProviderServer {
		return Forgetful(providerserver.NewProtocol6(newProvider())())
	}, options...)
}
