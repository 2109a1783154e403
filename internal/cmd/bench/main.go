//go:build unix

// Command bench measures what the provider costs, against the number of invites: wall time, API calls, CPU and memory,
// with a real Terraform on a platform of its own whose every call takes as long as it is told. Beside it are the same
// number of terraform_data whose state is as large, which is what Terraform takes for itself, and, if it is given, the
// official provider.
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
	"slices"
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
	bare, err := o.bareState(ctx, progress)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(progress, "Starting each provider %d times.\n", startups)
	if r.startups, err = o.measureStartups(ctx, r.providers); err != nil {
		return nil, err
	}
	runs := map[cell][]measurement{}
	for _, n := range o.numbers {
		for run := range o.runs {
			for _, s := range r.providers {
				var size int // of the state, in bytes
				for _, latency := range o.latencies {
					measured, err := o.lifeOf(ctx, progress, s, n, latency)
					if err != nil {
						return nil, err
					}
					size = measured["apply"].state.bytes
					for command, m := range measured {
						of := cell{command: command, resource: s.resource, n: n, latency: latency}
						runs[of] = append(runs[of], m)
					}
				}
				measured, err := o.lifeOf(ctx, progress, terraformData(text(max(0, size/n-bare))), n, o.latencies[0])
				if err != nil {
					return nil, err
				}
				for command, m := range measured {
					of := cell{command: command, resource: s.resource, n: n, floor: true}
					runs[of] = append(runs[of], m)
				}
			}
			fmt.Fprintf(progress, "%d of %d runs with %d resources are measured.\n", run+1, o.runs, n)
		}
	}
	for of, measured := range runs {
		r.measurements[of] = medianOf(measured)
	}
	r.attributes, err = o.measureAttributes(ctx, progress)
	return r, err
}

// bareState is how many bytes of the state a terraform_data takes that holds an empty text.
func (o options) bareState(ctx context.Context, progress io.Writer) (int, error) {
	const enough = 100 // for the head of the state file not to count
	measured, err := o.lifeOf(ctx, progress, terraformData(text(0)), enough, o.latencies[0])
	return measured["apply"].state.bytes / enough, err
}

// measureAttributes measures what Terraform takes for the largest number of resources, by how many attributes each has.
func (o options) measureAttributes(ctx context.Context, progress io.Writer) (map[int]map[string]measurement, error) {
	runs := map[int]map[string][]measurement{}
	for range o.runs {
		for _, attributes := range attributeCounts {
			measured, err := o.lifeOf(ctx, progress, terraformData(object(attributes)), slices.Max(o.numbers), o.latencies[0])
			if err != nil {
				return nil, err
			}
			if runs[attributes] == nil {
				runs[attributes] = map[string][]measurement{}
			}
			for command, m := range measured {
				runs[attributes][command] = append(runs[attributes][command], m)
			}
		}
	}
	medians := map[int]map[string]measurement{}
	for attributes, of := range runs {
		medians[attributes] = map[string]measurement{}
		for command, measured := range of {
			medians[attributes][command] = medianOf(measured)
		}
	}
	return medians, nil
}

// lifeOf is [options.life], and shows its progress.
func (o options) lifeOf(ctx context.Context, progress io.Writer, s subject, n int, latency time.Duration) (map[string]measurement, error) {
	fmt.Fprintf(progress, "%5d %-24s at %4s:", n, s.resource, latency)
	measured, err := o.life(ctx, s, n, latency)
	if err != nil {
		return nil, fmt.Errorf("%d %s at %s: %w", n, s.resource, latency, err)
	}
	for _, command := range commands {
		fmt.Fprintf(progress, "  %s %s", command.name, seconds(measured[command.name].wall))
	}
	fmt.Fprintln(progress)
	return measured, nil
}
