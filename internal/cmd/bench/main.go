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
	"syscall"
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
