package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// errUsage is returned for invalid arguments, after an explanation was printed.
var errUsage = errors.New("bad usage")

// flags returns a flag set whose usage starts with the explanation.
func flags(name, explanation string) *flag.FlagSet {
	set := flag.NewFlagSet("emulator "+name, flag.ContinueOnError)
	set.Usage = func() {
		out := set.Output()
		var list strings.Builder
		set.SetOutput(&list)
		set.PrintDefaults()
		set.SetOutput(out)
		// The flag package accepts two dashes but shows one.
		fmt.Fprintf(out, "%s\n\nFlags:\n%s", explanation, strings.ReplaceAll("\n"+list.String(), "\n  -", "\n  --")[1:])
	}
	return set
}

// parse parses the flags, and checks that as many arguments as wanted, none or one, follow them.
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
