//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
)

// describeMachine says what the figures come from.
func (o options) describeMachine(ctx context.Context) (_ string, err error) {
	dir, err := os.MkdirTemp("", "chainguard-bench-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	cli, err := acctest.NewCLI(dir)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, %d cores, %s/%s; %s at -parallelism=%d; built with %s; %s", processor(ctx), runtime.NumCPU(),
		runtime.GOOS, runtime.GOARCH, cli.Product(), o.parallelism, runtime.Version(), time.Now().UTC().Format("2 January 2006")), nil
}

// processor is the processor's name, as far as the system tells.
func processor(ctx context.Context) string {
	const unknown = "a processor without a name"
	if runtime.GOOS == "darwin" {
		out, err := exec.CommandContext(ctx, "sysctl", "-n", "machdep.cpu.brand_string").Output()
		if err != nil {
			return unknown
		}
		return strings.TrimSpace(string(out))
	}
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return unknown
	}
	for line := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return unknown
}
