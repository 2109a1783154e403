package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// command is what a person does with a configuration, in the order in which it is measured.
type command struct {
	name string // as it is called in tables
	args []string
}

// commands are the three that cost something. With the exit code that is asked for, a plan with changes fails.
var commands = []command{
	{"apply", []string{"apply", "-auto-approve"}},
	{"plan (refresh)", []string{"plan", "-detailed-exitcode"}},
	{"destroy", []string{"destroy", "-auto-approve"}},
}

// shown are the same commands in the order in which results are shown, the most frequent first.
var shown = []string{commands[1].name, commands[0].name, commands[2].name}

// measurement is what one command took.
type measurement struct {
	resource string
	command  string
	latency  time.Duration // of each call, meaningless for the floor
	n        int

	wall  time.Duration
	calls map[string]int // by method
	cpu   time.Duration  // of all the provider's processes
	peak  int64          // bytes, of the largest of them; 0 where there is none
}

func (m measurement) totalCalls() int {
	total := 0
	for _, n := range m.calls {
		total += n
	}
	return total
}

// life measures the commands on n resources, from nothing to nothing.
func (o options) life(ctx context.Context, s subject, n int, latency time.Duration) (measured []measurement, err error) {
	dir, err := os.MkdirTemp("", "chainguard-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	platform, err := startPlatform(o.groups, latency)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, platform.Close()) }()

	env, err := o.prepare(dir, s, platform, n)
	if err != nil {
		return nil, err
	}
	for _, c := range commands {
		platform.ResetRequests()
		args := append(slices.Clone(c.args), "-input=false", "-no-color", fmt.Sprintf("-parallelism=%d", o.parallelism))
		wall, err := run(ctx, dir, env, o.terraform, args...)
		if err != nil {
			return nil, err
		}
		m := measurement{resource: s.resource, command: c.name, latency: latency, n: n, wall: wall, calls: platform.Counts()}
		if m.cpu, m.peak, err = takeUsage(usageFile(dir)); err != nil {
			return nil, err
		}
		measured = append(measured, m)
	}
	return measured, nil
}

// startPlatform starts a platform with so many groups, each call of which takes a while.
func startPlatform(groups int, latency time.Duration) (*emulator.Emulator, error) {
	seed := emulator.DefaultSeed()
	for i := range groups {
		seed.Organizations[0].Folders = append(seed.Organizations[0].Folders, emulator.SeedGroup{Name: groupName(i)})
	}
	e, err := emulator.New(emulator.Options{Seed: seed})
	if err != nil {
		return nil, err
	}
	if latency > 0 {
		e.Inject(emulator.Fault{Delay: latency})
	}
	return e, e.Start()
}

// prepare writes the configuration, and returns the environment to run Terraform in. Instead of the provider, Terraform
// starts the program that measures it.
func (o options) prepare(dir string, s subject, platform *emulator.Emulator, n int) ([]string, error) {
	plugins := filepath.Join(dir, "plugins")
	settings := ""
	if s.source != "" {
		settings = fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n  }\n  direct {}\n}\n", s.source, plugins)
	}
	err := errors.Join(
		os.Mkdir(plugins, 0o700),
		os.Symlink(o.measured, filepath.Join(plugins, "terraform-provider-chainguard")),
		os.WriteFile(filepath.Join(dir, "terraform.rc"), []byte(settings), 0o600),
		os.WriteFile(filepath.Join(dir, "main.tf"), []byte(s.configuration(platform, n, o.groups)), 0o600),
	)
	if err != nil {
		return nil, err
	}
	signIn, err := s.signIn(platform, dir)
	return environment(append(signIn,
		"TF_CLI_CONFIG_FILE="+filepath.Join(dir, "terraform.rc"), "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1",
		"BENCH_PROVIDER="+s.provider, "BENCH_USAGE="+usageFile(dir))...), err
}

func usageFile(dir string) string { return filepath.Join(dir, "usage") }

// takeUsage adds up what the processes used that ended since it was last called.
func takeUsage(path string) (cpu time.Duration, peak int64, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil // There was none.
	}
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		var oneCPU time.Duration
		var onePeak int64
		if _, err := fmt.Sscan(line, &oneCPU, &onePeak); err != nil {
			return 0, 0, fmt.Errorf("reading what a provider used: %w", err)
		}
		cpu += oneCPU
		peak = max(peak, onePeak)
	}
	return cpu, peak, os.Remove(path)
}

// median takes the median of several runs of the same commands, by wall time: each from one run, so that its figures
// belong together.
func median(runs [][]measurement) []measurement {
	var medians []measurement
	for i := range runs[0] {
		var same []measurement
		for _, run := range runs {
			same = append(same, run[i])
		}
		slices.SortFunc(same, func(a, b measurement) int { return int(a.wall - b.wall) })
		medians = append(medians, same[(len(same)-1)/2])
	}
	return medians
}
