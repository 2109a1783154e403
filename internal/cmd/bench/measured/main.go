//go:build unix

// Command measured stands in for a provider: it runs the real one, whose path is in BENCH_PROVIDER, on its own standard
// streams, and when that ends, adds a line with what it used to the file BENCH_USAGE.
//
// It must stay as small as it is, and import little: on Linux, the peak memory that is accounted to a program includes
// that of the one that started it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
)

func main() {
	provider := exec.CommandContext(context.Background(), os.Getenv("BENCH_PROVIDER"), os.Args[1:]...)
	provider.Stdin, provider.Stdout, provider.Stderr = os.Stdin, os.Stdout, os.Stderr

	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	if err := provider.Start(); err != nil {
		fail(err)
	}
	go func() {
		for received := range signals {
			_ = provider.Process.Signal(received) // An error means that it has ended.
		}
	}()
	_ = provider.Wait() // What counts is the state that it leaves.

	if err := report(provider.ProcessState); err != nil {
		fail(err)
	}
	os.Exit(provider.ProcessState.ExitCode())
}

// report appends "CPU peak", in nanoseconds and in bytes. It is one write, so that lines of providers that end at the
// same time do not mix.
func report(ended *os.ProcessState) error {
	peak := int64(ended.SysUsage().(*syscall.Rusage).Maxrss) //nolint:unconvert,forcetypeassert // Not an int64 on every system, and always of this type on unix.
	if runtime.GOOS != "darwin" {
		peak *= 1024
	}
	file, err := os.OpenFile(os.Getenv("BENCH_USAGE"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	line := fmt.Sprintf("%d %d\n", ended.UserTime()+ended.SystemTime(), peak)
	if _, err := file.WriteString(line); err != nil {
		return err
	}
	return file.Close()
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "measured:", err)
	os.Exit(1)
}
