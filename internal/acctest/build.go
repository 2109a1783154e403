package acctest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

const (
	// InstallVersion is the version the provider is installed as. Terraform does not select pre-releases by itself.
	InstallVersion = "0.1.0"
	// Version is the version the provider under test reports.
	Version = InstallVersion + "-test"
)

// ProviderProgram builds the provider and returns its path.
func ProviderProgram(t testing.TB) string {
	t.Helper()
	return built(t, buildProvider)
}

// EmulatorProgram builds the emulator and returns its path.
func EmulatorProgram(t testing.TB) string {
	t.Helper()
	return built(t, buildEmulator)
}

func built(t testing.TB, build func() (string, error)) string {
	t.Helper()
	program, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// Each program is built at most once per process.
var (
	buildProvider = sync.OnceValues(func() (string, error) {
		return Build("terraform-provider-chainguard", ".", "-ldflags", "-X main.version="+Version)
	})
	buildEmulator = sync.OnceValues(func() (string, error) {
		return Build("emulator", "./internal/cmd/emulator")
	})
)

// root is the top of the checkout.
var root = func() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..")
}()

// Build builds a package of the module into .bin/test, which `make clean` removes, and returns the path of the program.
//
// Linking takes seconds, but "go build" skips it if its output is up to date, so it gets a copy of the previous program
// to compare with. The program itself is replaced atomically, because other test processes may be running it, and only
// if it changed, because a newer file would invalidate the cached results of tests that read it.
func Build(name, pkg string, flags ...string) (program string, err error) {
	fail := func(err error) (string, error) { return "", fmt.Errorf("building %s: %w", name, err) }
	program = filepath.Join(root, ".bin", "test", executable(name))
	if err := os.MkdirAll(filepath.Dir(program), 0o700); err != nil {
		return fail(err)
	}
	// Use a separate folder: Terraform takes any file whose name starts with a provider's name for that provider.
	room, err := os.MkdirTemp(filepath.Dir(program), "new-")
	if err != nil {
		return fail(err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(room)) }()
	fresh := filepath.Join(room, filepath.Base(program))

	old, err := os.ReadFile(program)
	if err == nil {
		err = os.WriteFile(fresh, old, 0o700)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail(err)
	}
	arguments := append(append([]string{"build", "-buildvcs=false", "-o", fresh}, flags...), pkg)
	command := exec.CommandContext(context.Background(), "go", arguments...)
	command.Dir = root
	command.Env = append(os.Environ(), "GOWORK=off")
	if out, err := command.CombinedOutput(); err != nil {
		return fail(fmt.Errorf("%w\n%s", err, bytes.TrimSpace(out)))
	}
	built, err := os.ReadFile(fresh)
	if err != nil {
		return fail(err)
	}
	if bytes.Equal(built, old) {
		return program, nil
	}
	if err := os.Rename(fresh, program); err != nil {
		return fail(err)
	}
	return program, nil
}

// executable returns the file name of a program.
func executable(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}
