package acctest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// PutOnPath puts programs, which are POSIX shell scripts by name, before all others on the PATH of the CLI.
func (c *CLI) PutOnPath(t testing.TB, programs map[string]string) {
	t.Helper()
	folder := t.TempDir()
	for name, script := range programs {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c.Setenv("PATH", folder+string(filepath.ListSeparator)+os.Getenv("PATH"))
}

// Runs returns a script for [CLI.PutOnPath] that runs another program.
func Runs(program string) string { return "exec '" + program + "' \"$@\"" }

// Chainctl returns a script for [CLI.PutOnPath] that stands in for chainctl on an emulator: it signs in as the
// administrator, and accepts codes as the owner of an email address.
func Chainctl(t testing.TB, platform *emulator.Emulator, email string) string {
	t.Helper()
	return `case "$1 $2 ${3-}" in
'auth login ') ;;
'auth login --invite-code') printf %s "$4" | '` + EmulatorProgram(t) + `' accept --api '` + platform.URL() + `' --email ` + email + ` - ;;
'auth token '*) echo '` + platform.Token(platform.AdminIdentity(), platform.Audience(), time.Hour) + `' ;;
*) exit 1 ;;
esac`
}

// RunScript runs a script in the folder and the environment of the CLI, up to its first failure, which fails the test. It
// returns what the script has printed.
func (c *CLI) RunScript(t testing.TB, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := c.Program(ctx, "sh", "-euc", script).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out) // No code in it works with a real platform.
	}
	return string(out)
}
