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
	err := bench(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	terraform, provider, measured, official string

	numbers     []int
	latencies   []time.Duration
	groups      int
	parallelism int
	runs        int

	out      string
	document string
}

func parse(args []string, usage io.Writer) (options, error) {
	o := options{numbers: []int{1, 10, 100, 1000}, latencies: []time.Duration{0, 50 * time.Millisecond}}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.StringVar(&o.terraform, "terraform", "", "the Terraform or OpenTofu `program` to run")
	flags.StringVar(&o.provider, "provider", "", "the provider's `program`")
	flags.StringVar(&o.measured, "measured", "", "the `program` that runs a provider and measures it")
	flags.StringVar(&o.official, "official", "", "the `program` of the official provider, to be measured too")
	flags.Func("n", "how many invites: a `list`, rising (default 1,10,100,1000)", list(&o.numbers, strconv.Atoi))
	flags.Func("latency", "how long each call takes: a `list`, rising (default 0s,50ms)", list(&o.latencies, time.ParseDuration))
	flags.IntVar(&o.groups, "groups", 1, "over how many groups the invites are spread")
	flags.IntVar(&o.parallelism, "parallelism", 10, "Terraform's -parallelism")
	flags.IntVar(&o.runs, "runs", 1, "how often each is measured; the median counts")
	flags.StringVar(&o.out, "out", ".", "the `folder` to write results to")
	flags.StringVar(&o.document, "document", "", "a Markdown `file` to put the results into, between its markers")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if o.groups < 1 || o.parallelism < 1 || o.runs < 1 || slices.Min(o.numbers) < 1 || slices.Min(o.latencies) < 0 {
		return o, errors.New("-n, -groups, -parallelism and -runs start at 1, and -latency at 0")
	}
	for name, path := range map[string]*string{"terraform": &o.terraform, "provider": &o.provider, "measured": &o.measured, "official": &o.official} {
		if *path == "" && name != "official" {
			return o, fmt.Errorf("-%s is missing; `make bench` builds all there is to build and sets it", name)
		}
		if *path == "" {
			continue
		}
		// Terraform runs in another folder.
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

func bench(ctx context.Context, args []string) error {
	o, err := parse(args, os.Stderr)
	if err != nil {
		return err
	}
	machine, err := o.describeMachine(ctx)
	if err != nil {
		return err
	}
	results, err := o.measure(ctx, os.Stderr)
	if err != nil {
		return err
	}
	results.machine = machine

	tables := results.markdown()
	fmt.Fprint(os.Stdout, tables)
	if err := os.MkdirAll(o.out, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(o.out, "results.md"), []byte(tables), 0o600); err != nil {
		return err
	}
	for _, extension := range []string{"png", "svg"} {
		if err := results.plot(filepath.Join(o.out, "results."+extension)); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "\nThe tables and their plot are in %s, as results.md, results.png and results.svg.\n", o.out)
	if o.document != "" {
		return results.document(o.document)
	}
	return nil
}

// results are all that was measured.
type results struct {
	options
	machine      string
	startups     []startup
	measurements []measurement
}

func (o options) measure(ctx context.Context, progress io.Writer) (*results, error) {
	providers := []subject{ours(o.provider)}
	if o.official != "" {
		providers = append(providers, official(o.official))
	}
	r := &results{options: o}
	fmt.Fprintf(progress, "Starting each provider %d times.\n", startups)
	var err error
	if r.startups, err = o.measureStartups(ctx, providers); err != nil {
		return nil, err
	}
	for _, n := range o.numbers {
		for _, s := range append([]subject{floor()}, providers...) {
			latencies := o.latencies
			if s.provider == "" {
				latencies = latencies[:1] // It makes no calls.
			}
			for _, latency := range latencies {
				measured, err := o.repeat(ctx, s, n, latency)
				if err != nil {
					return nil, fmt.Errorf("%d %s at %s: %w", n, s.resource, latency, err)
				}
				fmt.Fprintf(progress, "%5d %-24s at %4s:", n, s.resource, latency)
				for _, m := range measured {
					fmt.Fprintf(progress, "  %s %s", m.command, seconds(m.wall))
				}
				fmt.Fprintln(progress)
				r.measurements = append(r.measurements, measured...)
			}
		}
	}
	return r, nil
}

// repeat measures a life as often as it is to be measured.
func (o options) repeat(ctx context.Context, s subject, n int, latency time.Duration) ([]measurement, error) {
	var runs [][]measurement
	for range o.runs {
		measured, err := o.life(ctx, s, n, latency)
		if err != nil {
			return nil, err
		}
		runs = append(runs, measured)
	}
	return median(runs), nil
}

// find is one measurement. The floor is the same at every latency.
func (r *results) find(command, resource string, n int, latency time.Duration) (measurement, bool) {
	for _, m := range r.measurements {
		if m.command == command && m.resource == resource && m.n == n && (m.latency == latency || resource == floor().resource) {
			return m, true
		}
	}
	return measurement{}, false
}

// resources are those that were measured.
func (r *results) resources() []string {
	var resources []string
	for _, m := range r.measurements {
		if !slices.Contains(resources, m.resource) {
			resources = append(resources, m.resource)
		}
	}
	return resources
}

// slowest is the greatest latency.
func (r *results) slowest() time.Duration { return slices.Max(r.latencies) }
