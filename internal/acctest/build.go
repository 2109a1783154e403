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

// ProviderProgram is the path of the provider, built from these sources.
func ProviderProgram(t testing.TB) string {
	t.Helper()
	return builtOr(t, buildProvider)
}

// EmulatorProgram is the path of the emulator, built from these sources.
func EmulatorProgram(t testing.TB) string {
	t.Helper()
	return builtOr(t, buildEmulator)
}

// Each program is built at most once in a process.
var (
	buildProvider = sync.OnceValues(func() (string, error) {
		return build("terraform-provider-chainguard", ".", "-ldflags", "-X main.version="+Version)
	})
	buildEmulator = sync.OnceValues(func() (string, error) {
		return build("emulator", "./internal/cmd/emulator")
	})
)

func builtOr(t testing.TB, build func() (string, error)) string {
	t.Helper()
	program, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// build builds a package of the module into .bin/test, which `make clean` removes, and returns the path of the program.
//
// Linking takes seconds, which go saves where it finds the file that it would write: so it is handed a copy of what
// there was. The file itself is touched only if it has to be another one, and then replaced in one step: other test
// processes may be running it, and go would not take a result from its cache for tests that read a newer file.
func build(name, pkg string, flags ...string) (program string, err error) {
	fail := func(err error) (string, error) { return "", fmt.Errorf("building %s: %w", name, err) }
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	_, here, _, _ := runtime.Caller(0)
	module := filepath.Join(filepath.Dir(here), "..", "..")
	program = filepath.Join(module, ".bin", "test", name)
	for _, folder := range []string{filepath.Join(module, ".bin"), filepath.Dir(program)} {
		if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return fail(err)
		}
	}
	// In a folder of its own: Terraform takes whatever begins with the name of a provider for it.
	room, err := os.MkdirTemp(filepath.Dir(program), "new-")
	if err != nil {
		return fail(err)
	}
	fresh := filepath.Join(room, name)
	defer func() {
		_ = os.Remove(fresh) // It is gone where it took its place.
		_ = os.Remove(room)
	}()

	old, err := os.ReadFile(program)
	if err == nil {
		err = os.WriteFile(fresh, old, 0o700)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail(err)
	}
	arguments := append(append([]string{"build", "-buildvcs=false", "-o", fresh}, flags...), pkg)
	command := exec.CommandContext(context.Background(), "go", arguments...)
	command.Dir = module
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
