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
	"strings"
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

// errUsage is the error of bad arguments, after what is wrong with them was printed.
var errUsage = errors.New("bad usage")

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

// flags makes a flag set that explains itself: on stdout when it is asked to, on stderr when it must.
func flags(name, explanation string) *flag.FlagSet {
	set := flag.NewFlagSet("emulator "+name, flag.ContinueOnError)
	set.Usage = func() {
		out := set.Output()
		var list strings.Builder
		set.SetOutput(&list)
		set.PrintDefaults()
		set.SetOutput(out)
		// The flag package takes two dashes as well as one, but only shows one.
		fmt.Fprintf(out, "%s\n\nFlags:\n%s", explanation, strings.ReplaceAll("\n"+list.String(), "\n  -", "\n  --")[1:])
	}
	return set
}

// parse reads the arguments, and checks that as many are left as are wanted: none or one.
func parse(set *flag.FlagSet, args []string, wanted int, stdout, stderr io.Writer) error {
	set.SetOutput(io.Discard)
	err := set.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		set.SetOutput(stdout)
		set.Usage()
		return flag.ErrHelp
	}
	if err == nil && set.NArg() != wanted {
		err = fmt.Errorf("it takes %s after its flags, not %q", [...]string{"nothing", "one argument"}[wanted], set.Args())
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\nTry %s --help.\n", set.Name(), err, set.Name())
		return errUsage
	}
	return nil
}
