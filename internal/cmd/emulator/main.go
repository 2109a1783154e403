// Command emulator serves a local Chainguard platform, for trying the provider and for testing modules.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `A local Chainguard platform, for trying the provider and testing modules.

Usage:
  emulator serve  [flags]        serve the platform until interrupted
  emulator token  [flags]        print a token for an identity
  emulator accept [flags] CODE   accept an invite code, as an invitee would

emulator COMMAND --help explains the flags of each.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run runs the command that the arguments name, and returns the program's exit status: 2 for bad usage, 1 for any other
// failure.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	commands := map[string]func(context.Context, []string, io.Reader, io.Writer, io.Writer) error{
		"serve":  serve,
		"token":  token,
		"accept": accept,
	}
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return 2
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, usage)
		return 0
	}
	command, ok := commands[args[0]]
	if !ok {
		fmt.Fprintf(stderr, "emulator: there is no command %q\n\n%s", args[0], usage)
		return 2
	}
	switch err := command(ctx, args[1:], stdin, stdout, stderr); {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	default:
		fmt.Fprintf(stderr, "emulator: %v\n", err)
		return 1
	}
}
