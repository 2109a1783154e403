package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// errUsage is the error of bad arguments, after what is wrong with them was printed.
var errUsage = errors.New("bad usage")

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
