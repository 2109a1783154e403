//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// run runs a program to its end, in a process group of its own, of which it leaves nothing behind. An exit code other
// than 0 is an error that holds the end of what it printed.
func run(ctx context.Context, dir string, env []string, program string, args ...string) (wall time.Duration, err error) {
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second

	began := time.Now()
	err = cmd.Run()
	wall = time.Since(began)
	if cmd.Process != nil {
		// The only error there can be is that nothing of it is left.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	switch {
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	case err != nil:
		const enough = 4000
		text := output.Bytes()
		return 0, fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), strings.Join(args, " "), err, text[max(0, len(text)-enough):])
	}
	return wall, nil
}

// environment is the process's own, without what is somebody's sign-in or Terraform setting.
func environment(more ...string) []string {
	var env []string
	for _, setting := range os.Environ() {
		personal := false
		for _, prefix := range []string{"CHAINGUARD_", "CHAINCTL_", "TF_", "TFC_", "TOFU_", "ACTIONS_ID_TOKEN_", "XDG_"} {
			personal = personal || strings.HasPrefix(setting, prefix)
		}
		if !personal {
			env = append(env, setting)
		}
	}
	return append(env, more...)
}
