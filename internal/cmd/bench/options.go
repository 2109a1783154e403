package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options are what the command line says.
type options struct {
	provider, measured, official string // programs

	numbers     []int
	latencies   []time.Duration
	groups      int
	parallelism int
	runs        int
	document    string
}

func parse(args []string, usage io.Writer) (options, error) {
	o := options{numbers: []int{1, 10, 100, 1000}, latencies: []time.Duration{0, 50 * time.Millisecond}}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.StringVar(&o.provider, "provider", "", "the provider's `program`")
	flags.StringVar(&o.measured, "measured", "", "the `program` that runs a provider and measures it")
	flags.StringVar(&o.official, "official", "", "the `program` of the official provider, to be measured too")
	flags.Func("n", "how many invites: a `list`, rising (default 1,10,100,1000)", list(&o.numbers, strconv.Atoi))
	flags.Func("latency", "how long each call takes: a `list`, rising (default 0s,50ms)", list(&o.latencies, time.ParseDuration))
	flags.IntVar(&o.groups, "groups", 1, "over how many groups the invites are spread")
	flags.IntVar(&o.parallelism, "parallelism", 10, "Terraform's -parallelism")
	flags.IntVar(&o.runs, "runs", 3, "how often each is measured; the median counts")
	flags.StringVar(&o.document, "document", "BENCHMARKS.md", "the Markdown `file` to write, or nothing to write none")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if o.groups < 1 || o.parallelism < 1 || o.runs < 1 || slices.Min(o.numbers) < 1 || slices.Min(o.latencies) < 0 {
		return o, errors.New("-n, -groups, -parallelism and -runs start at 1, and -latency at 0")
	}
	if o.provider == "" || o.measured == "" {
		return o, errors.New("-provider or -measured is missing; `make bench` builds both and sets them")
	}
	// Terraform runs in another folder.
	for _, path := range []*string{&o.provider, &o.measured, &o.official} {
		if *path == "" {
			continue
		}
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return o, err
		}
		*path = absolute
	}
	return o, nil
}

// list is a flag of values that are parsed one by one.
func list[T any](into *[]T, parse func(string) (T, error)) func(string) error {
	return func(text string) error {
		*into = nil
		for part := range strings.SplitSeq(text, ",") {
			value, err := parse(part)
			if err != nil {
				return err
			}
			*into = append(*into, value)
		}
		return nil
	}
}
