// Package lean serves a provider as terraform-plugin-framework's providerserver does, for less than half of the CPU and
// the memory where Terraform asks it for a thousand resources. It works around three things of terraform-plugin-framework
// 1.19 and terraform-plugin-go 0.31: contexts that are kept when their requests are over, logs that are written though
// nobody reads them, and a garbage collector that is left to run all the time. Where they are mended, it can go.
package lean

import (
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

// Serve serves the provider with protocol version 6 until the CLI that started this process ends it. With debugging it
// runs on its own, for a debugger. The address is the provider's in a registry.
func Serve(newProvider func() provider.Provider, address string, debugging bool) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	var options []tf6server.ServeOpt
	if debugging {
		options = append(options, tf6server.WithManagedDebug())
	} else if err := silenceUnreadLogs(os.Environ(), os.Setenv); err != nil {
		return err
	}
	return tf6server.Serve(address, func() tfprotov6.ProviderServer {
		return forget(providerserver.NewProtocol6(newProvider())())
	}, options...)
}
