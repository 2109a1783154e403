package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// describeMachine says what the figures come from.
func (o options) describeMachine(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, o.terraform, "version")
	cmd.Env = environment("CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE="+os.DevNull)
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s is not a Terraform or OpenTofu that runs here: %w", o.terraform, err)
	}
	terraform, _, _ := strings.Cut(string(out), "\n")
	return fmt.Sprintf("%s, %d cores, %s/%s; %s at -parallelism=%d; built with %s; %s", processor(ctx), runtime.NumCPU(),
		runtime.GOOS, runtime.GOARCH, terraform, o.parallelism, runtime.Version(), time.Now().UTC().Format("2 January 2006")), nil
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
