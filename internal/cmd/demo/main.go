// Command demo shows the life of an invite code from `terraform init` to `terraform destroy`: a real Terraform (or
// OpenTofu) drives the provider against the emulator, so neither an account nor the internet is needed.
//
// It is a test as much as a show: each step is checked, on Terraform's side and on the platform's, and the first that
// does not do what it should ends it with an error.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// A demo takes well under a minute. One that takes this long is stuck, and must not hold up a CI run.
const limit = 5 * time.Minute

func main() {
	// SIGPIPE is among them so that `make demo | head` cleans up as well, where it would else just die.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "\n%v\n", err)
		os.Exit(1)
	}
}

// programs are the three that the demo runs, built beforehand.
type programs struct {
	terraform, provider, providerVersion, emulator string
}

func parse(args []string, usage io.Writer) (programs, error) {
	var p programs
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.StringVar(&p.terraform, "terraform", "", "the Terraform or OpenTofu `program` to run")
	flags.StringVar(&p.provider, "provider", "", "the provider's `program`")
	flags.StringVar(&p.providerVersion, "provider-version", "0.0.1", "the `version` it is installed as")
	flags.StringVar(&p.emulator, "emulator", "", "the emulator's `program`")
	if err := flags.Parse(args); err != nil {
		return p, err
	}
	if flags.NArg() > 0 {
		return p, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	for name, path := range map[string]*string{"terraform": &p.terraform, "provider": &p.provider, "emulator": &p.emulator} {
		if *path == "" {
			return p, fmt.Errorf("-%s is missing; `make demo` builds all there is to build and sets it", name)
		}
		// The demo runs them in another folder.
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return p, err
		}
		*path = absolute
	}
	return p, nil
}

func run(ctx context.Context, args []string, out *os.File, usage io.Writer) error {
	programs, err := parse(args, usage)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the demo was not done within %s", limit))
	defer cancel()

	began := time.Now()
	say := newNarrator(out)
	if err := tellInFolder(ctx, say, programs); err != nil {
		return err
	}
	say.line("")
	say.title(fmt.Sprintf("Done in %.0f seconds. The platform is stopped, and the folder it all happened in is gone.", time.Since(began).Seconds()))
	return nil
}

// tellInFolder tells the story in a temporary folder, and leaves neither that nor anything running behind.
func tellInFolder(ctx context.Context, say *narrator, programs programs) (err error) {
	room, err := os.MkdirTemp("", "chainguard-demo-")
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, os.RemoveAll(room))
	}()
	s := &story{say: say, programs: programs, room: room}
	defer func() {
		err = errors.Join(err, s.close())
	}()
	return s.tell(ctx)
}
