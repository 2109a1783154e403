package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The test binary plays the programs that the demo runs: an emulator where it is called as one, else what this variable
// says.
const playing = "DEMO_TEST_PLAYS"

func TestMain(m *testing.M) {
	plays := os.Getenv(playing)
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		plays = "emulator that cannot serve"
	}
	switch plays {
	case "":
		os.Exit(m.Run())
	case "emulator that cannot serve":
		_, _ = fmt.Fprintln(os.Stderr, "the port is taken")
		os.Exit(1)
	case "failing":
		_, _ = fmt.Fprintln(os.Stdout, "on stdout")
		_, _ = fmt.Fprintln(os.Stderr, "on stderr")
		os.Exit(3)
	case "hanging":
		time.Sleep(time.Hour) // until it is killed
	}
}

func testTerraform(t *testing.T, plays string) *terraform {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &terraform{say: &narrator{out: new(bytes.Buffer)}, path: program, dir: t.TempDir(), env: append(cleanEnvironment(t.TempDir()), playing+"="+plays)}
}

func TestFailedCommandIsShownWithAllItPrinted(t *testing.T) {
	t.Parallel()
	_, err := testTerraform(t, "failing").run(t.Context(), "plan")
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"plan", "exit code 3", "on stdout", "on stderr"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func TestOutputOfCommandThatPrintsTheCodeIsNeverShown(t *testing.T) {
	t.Parallel()
	_, err := testTerraform(t, "failing").secret(t.Context(), "output", "-raw", "code")
	if err == nil || !strings.Contains(err.Error(), "on stderr") || strings.Contains(err.Error(), "on stdout") {
		t.Errorf("got error %v, want one with stderr and without stdout", err)
	}
}

func TestCommandEndsWithItsContext(t *testing.T) {
	t.Parallel()
	enough := errors.New("enough")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, enough)
	defer cancel()
	if _, err := testTerraform(t, "hanging").run(ctx, "apply"); !errors.Is(err, enough) {
		t.Errorf("got error %v, want %v", err, enough)
	}
}

func TestEmulatorThatEndsInsteadOfServingIsAnErrorWithItsReason(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	_, err = startPlatform(t.Context(), &narrator{out: new(bytes.Buffer)}, program, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "ended instead of serving") || !strings.Contains(err.Error(), "the port is taken") {
		t.Errorf("got error %v, want one with what the program printed", err)
	}
}

func TestSummaryOfWhatChangesIsTheLastOne(t *testing.T) {
	t.Parallel()
	const output = "Plan: 1 to add, 0 to change, 1 to destroy.\n\nApply complete! Resources: 1 added, 0 changed, 1 destroyed.\n\nOutputs:\n"
	if err := expectSummary(output, "Apply complete! Resources: 1 added, 0 changed, 1 destroyed."); err != nil {
		t.Error(err)
	}
	for _, other := range []string{"Apply complete! Resources: 1 added, 0 changed, 0 destroyed.", "Plan: 1 to add, 0 to change, 1 to destroy."} {
		if err := expectSummary(output, other); err == nil {
			t.Errorf("%q was found", other)
		}
	}
	if err := expectSummary("No changes.", ""); err == nil {
		t.Error("an output without a summary is no error")
	}
}

func TestEnvFileHoldsOneSettingALine(t *testing.T) {
	t.Parallel()
	got := parseEnvironment("A=1\nB=x=y\nnot a setting\n\n")
	if diff := cmp.Diff(map[string]string{"A": "1", "B": "x=y"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestNothingPersonalReachesTheProgramsThatAreRun(t *testing.T) {
	for _, name := range []string{"CHAINGUARD_TOKEN", "TF_CLI_ARGS", "TF_LOG", "HTTPS_PROXY"} {
		t.Setenv(name, "personal")
	}
	for _, setting := range cleanEnvironment("/empty") {
		if strings.Contains(setting, "personal") {
			t.Errorf("%s is passed on", setting)
		}
	}
}

func TestNarrationIsPlainTextWhereColourIsNotWanted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		colour bool
		want   string
	}{
		"plain":  {false, "\n 1. Plan\n    $ terraform plan\n    No changes.\n"},
		"colour": {true, "\n\x1b[1m 1. Plan\x1b[0m\n    \x1b[36m$ terraform plan\x1b[0m\n    \x1b[32mNo changes.\x1b[0m\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			n := &narrator{out: &out, colour: test.colour}
			n.step("Plan")
			n.command("terraform plan")
			n.result("No changes.")
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMissingProgramIsAnErrorThatNamesItsFlag(t *testing.T) {
	t.Parallel()
	for _, missing := range []string{"terraform", "provider", "emulator"} {
		var args []string
		for _, name := range []string{"terraform", "provider", "emulator"} {
			if name != missing {
				args = append(args, "-"+name, "program")
			}
		}
		if _, err := parse(args, new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), "-"+missing) {
			t.Errorf("without -%s: got error %v", missing, err)
		}
	}
}
