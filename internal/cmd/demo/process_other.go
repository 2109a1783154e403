//go:build !unix

package main

import (
	"os"
	"os/exec"
)

// Without process groups and signals, a program can only be killed.

func isolate(*exec.Cmd) {}

func askToEnd(process *os.Process) error { return process.Kill() }

func endFamily(*exec.Cmd) {}

// endsInOrder is whether a program that is asked to end can do so with exit code 0.
const endsInOrder = false
