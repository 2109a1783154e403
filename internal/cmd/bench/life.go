//go:build unix

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// commands are what a person does with a configuration, in the order in which they are measured. With the exit code that
// is asked for, a plan with changes fails.
var commands = []struct {
	name string // as it is called in tables
	args []string
}{
	{"apply", []string{"apply", "-auto-approve"}},
	{"plan", []string{"plan", "-detailed-exitcode"}},
	{"destroy", []string{"destroy", "-auto-approve"}},
}

// measurement is what one command took.
type measurement struct {
	wall  time.Duration
	calls map[string]int // by method
	cpu   time.Duration  // of all the provider's processes
	peak  int64          // bytes, of the largest of them; 0 where there is none
	state state          // as it is afterwards
}

// state is the size of what Terraform's state file holds.
type state struct {
	bytes      int
	attributes int // of a resource
}

// medianOf takes the median of each figure by itself. The calls and the state are those of the first run.
func medianOf(runs []measurement) measurement {
	return measurement{
		calls: runs[0].calls,
		state: runs[0].state,
		wall:  median(runs, func(m measurement) time.Duration { return m.wall }),
		cpu:   median(runs, func(m measurement) time.Duration { return m.cpu }),
		peak:  median(runs, func(m measurement) int64 { return m.peak }),
	}
}

func median[T any, N cmp.Ordered](of []T, figure func(T) N) N {
	var figures []N
	for _, one := range of {
		figures = append(figures, figure(one))
	}
	slices.Sort(figures)
	return figures[(len(figures)-1)/2]
}

// life measures the commands on n resources, from nothing to nothing.
func (o options) life(ctx context.Context, s subject, n int, latency time.Duration) (measured map[string]measurement, err error) {
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

	cli, err := o.prepare(dir, s, platform, n)
	if err != nil {
		return nil, err
	}
	measured = map[string]measurement{}
	for _, c := range commands {
		platform.ResetRequests()
		m := measurement{}
		if m.wall, err = run(cli.Command(ctx, append(c.args, fmt.Sprintf("-parallelism=%d", o.parallelism))...)); err != nil {
			return nil, err
		}
		m.calls = platform.Counts()
		if m.cpu, m.peak, err = takeUsage(usageFile(dir)); err != nil {
			return nil, err
		}
		if m.state, err = readState(filepath.Join(dir, "terraform.tfstate")); err != nil {
			return nil, err
		}
		measured[c.name] = m
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

// prepare writes the configuration. Instead of the provider, Terraform starts the program that measures it.
func (o options) prepare(dir string, s subject, platform *emulator.Emulator, n int) (*acctest.CLI, error) {
	cli, err := acctest.NewCLI(dir)
	if err != nil {
		return nil, err
	}
	cli.Setenv("BENCH_PROVIDER", s.provider)
	cli.Setenv("BENCH_USAGE", usageFile(dir))
	if s.source != "" {
		plugin := filepath.Join(dir, "plugins", "terraform-provider-chainguard")
		err = errors.Join(
			os.Mkdir(filepath.Dir(plugin), 0o700),
			os.Symlink(o.measured, plugin),
			cli.OverrideProvider(s.source, plugin),
			s.signIn(platform, cli),
		)
	}
	return cli, errors.Join(err,
		os.WriteFile(filepath.Join(dir, "main.tf"), []byte(s.configuration(platform, n, o.groups)), 0o600))
}

// run runs Terraform to its end, in a process group of its own, of which it leaves nothing behind. An exit code other
// than 0 is an error that holds the end of what it printed.
func run(cmd *exec.Cmd) (wall time.Duration, err error) {
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }

	began := time.Now()
	err = cmd.Run()
	wall = time.Since(began)
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // The only error there can be is that nothing is left.
	}
	if err != nil {
		const enough = 4000
		text := output.Bytes()
		return 0, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, text[max(0, len(text)-enough):])
	}
	return wall, nil
}

func readState(path string) (state, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return state{}, err
	}
	var file struct {
		Resources []struct {
			Instances []struct {
				Attributes map[string]json.RawMessage `json:"attributes"`
			} `json:"instances"`
		} `json:"resources"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return state{}, fmt.Errorf("reading the state: %w", err)
	}
	s := state{bytes: len(text)}
	for _, resource := range file.Resources {
		for _, instance := range resource.Instances {
			s.attributes = len(instance.Attributes)
		}
	}
	return s, nil
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
