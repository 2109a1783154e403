//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// isolate gives a program its own process group, so that Ctrl-C reaches the demo alone, which then ends everything in
// order, and so that it can end the program with all that it started.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

func askToEnd(process *os.Process) error {
	return process.Signal(syscall.SIGTERM)
}

// endFamily kills whatever of the program's process group still runs.
func endFamily(cmd *exec.Cmd) {
	if cmd.Process != nil {
		// The only error there can be is that nothing of it is left.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
}

// endsInOrder is whether a program that is asked to end can do so with exit code 0.
const endsInOrder = true
