//go:build unix

// Command bench measures what the provider costs, against the number of invites: wall time, API calls, CPU and memory,
// with a real Terraform on a platform of its own whose every call takes as long as it is told. Beside it are the same
// number of terraform_data, which is what Terraform takes for itself, and, if it is given, the official provider.
//
// It is a program and no test: how long something takes depends on the machine. Tests count calls.
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
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := bench(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, args []string, out, progress io.Writer) error {
	o, err := parse(args, progress)
	if err != nil {
		return err
	}
	results, err := o.measure(ctx, progress)
	if err != nil {
		return err
	}
	text := results.markdown()
	fmt.Fprint(out, text)
	if o.document == "" {
		return nil
	}
	return os.WriteFile(o.document, []byte(text), 0o600)
}

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

// results are all that was measured.
type results struct {
	options
	machine      string
	providers    []subject
	startups     []startup
	measurements map[cell]measurement
}

// cell is what a measurement is of.
type cell struct {
	command, resource string
	n                 int
	latency           time.Duration
}

// measure measures each cell the configured number of times. All take turns, so that a machine whose speed
// drifts is as fast for each.
func (o options) measure(ctx context.Context, progress io.Writer) (_ *results, err error) {
	r := &results{options: o, providers: []subject{ours(o.provider)}, measurements: map[cell]measurement{}}
	if o.official != "" {
		r.providers = append(r.providers, official(o.official))
	}
	if r.machine, err = o.describeMachine(ctx); err != nil {
		return nil, err
	}
	fmt.Fprintf(progress, "Starting each provider %d times.\n", startups)
	if r.startups, err = o.measureStartups(ctx, r.providers); err != nil {
		return nil, err
	}
	runs := map[cell][]measurement{}
	for _, n := range o.numbers {
		for run := range o.runs {
			for _, s := range append([]subject{floor()}, r.providers...) {
				latencies := o.latencies
				if s.provider == "" {
					latencies = latencies[:1] // It makes no calls.
				}
				for _, latency := range latencies {
					fmt.Fprintf(progress, "run %d of %d: %5d %-24s at %4s:", run+1, o.runs, n, s.resource, latency)
					measured, err := o.life(ctx, s, n, latency)
					if err != nil {
						return nil, fmt.Errorf("%d %s at %s: %w", n, s.resource, latency, err)
					}
					for _, command := range commands {
						of, m := cell{command.name, s.resource, n, latency}, measured[command.name]
						runs[of] = append(runs[of], m)
						fmt.Fprintf(progress, "  %s %s", command.name, seconds(m.wall))
					}
					fmt.Fprintln(progress)
				}
			}
		}
	}
	for of, measured := range runs {
		r.measurements[of] = medianOf(measured)
	}
	return r, nil
}
