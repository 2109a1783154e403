// Command terraform-provider-chainguard is the Terraform provider for Chainguard invite codes. Terraform starts it;
// run by hand it does nothing but say so, unless with -debug.
package main

import (
	"context"
	"flag"
	"log"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/provider"
)

// version is set by the linker (-X main.version=1.2.3).
var version = "dev"

func main() {
	debug := flag.Bool("debug", false, "run on its own, for a debugger to attach to, and print how Terraform can reach it")
	flag.Parse()

	if err := provider.Serve(context.Background(), version, *debug); err != nil {
		log.Fatal(err)
	}
}
