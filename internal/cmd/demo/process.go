package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// patience is how long a program gets to end by itself once it was asked to.
const patience = 10 * time.Second

// prepare makes a command that ends with ctx: asked first, and then killed with all that it started. (A provider
// outlives a Terraform that is killed, so killing that alone would leave it running.)
func prepare(ctx context.Context, dir string, env []string, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env = dir, env
	isolate(cmd)
	cmd.Cancel = func() error { return askToEnd(cmd.Process) }
	cmd.WaitDelay = patience
	return cmd
}

// finished is what a program left: its exit code, and what it printed.
type finished struct {
	exit           int
	stdout, stderr string
}

// execute runs a program to its end. Any exit code is a result; an error means that it did not run to its end.
func execute(ctx context.Context, cmd *exec.Cmd) (finished, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	endFamily(cmd)
	if ctx.Err() != nil {
		return finished{}, context.Cause(ctx)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return finished{}, fmt.Errorf("running %s: %w", cmd.Path, err)
	}
	return finished{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}, nil
}

// indent sets a program's output off from our own words.
func indent(output string) string {
	output = strings.TrimSpace(output)
	if output == "" {
		return "    (no output)"
	}
	return "    " + strings.ReplaceAll(output, "\n", "\n    ")
}
