package auth

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestChainctlIsAskedForATokenOfTheAudienceAndTheIssuer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var asked []string
	want := b.emulator.AdminToken()
	b.options.RunChainctl = func(_ context.Context, args ...string) ([]byte, []byte, error) {
		asked = args
		return []byte(want + "\n"), []byte("a warning"), nil
	}
	if got := b.token(b.tokens()); got != want {
		t.Errorf("another token")
	}
	if !slices.Equal(asked, []string{"auth", "token", "--audience", b.settings.Audience, "--issuer", b.settings.Issuer}) {
		t.Errorf("asked: %q", asked)
	}
}

func TestChainctlThatGivesNoToken(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stdout, stderr string
		err            error
		want           string
	}{
		"is not there":        {err: &exec.Error{Name: "chainctl", Err: exec.ErrNotFound}, want: "none on the PATH"},
		"fails":               {stdout: "c4n4ry", stderr: "\x1b[31mnot signed in\x1b[0m c4n4ry\n", err: errors.New("exit status 1"), want: "failed: exit status 1: \\u001b[31mnot signed in\\u001b[0m (secret)"},
		"shows a JWT":         {stderr: "bad token " + jwt(`{"sub":"c4n4ry"}`), err: errors.New("exit status 1"), want: "bad token (secret)"},
		"says nothing":        {want: "printed nothing"},
		"talks":               {stdout: "c4n4ry is not a token", want: "printed something with spaces"},
		"gives another token": {stdout: jwt(`{"aud":"https://elsewhere.example","exp":4000000000,"sub":"c4n4ry"}`), want: "another audience (https://elsewhere.example)"},
		"gives no JWT":        {stdout: "c4n4ry", want: "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.options.RunChainctl = func(context.Context, ...string) ([]byte, []byte, error) {
				return []byte(test.stdout), []byte(test.stderr), test.err
			}
			reason, whole := b.refusal(b.tokens(), "the chainctl program")
			contains(t, reason, test.want)
			if strings.Contains(whole, "c4n4ry") || strings.Contains(whole, "eyJ") || strings.Contains(whole, "\x1b") {
				t.Errorf("the error shows what it must not: %q", whole)
			}
		})
	}
}

func TestChainctlThatDoesNotEndIsStopped(t *testing.T) {
	t.Parallel()
	// In here time passes as soon as all that there is to do is to wait.
	synctest.Test(t, func(t *testing.T) {
		source := chainctlProgram{run: func(ctx context.Context, _ ...string) ([]byte, []byte, error) {
			<-ctx.Done()
			return nil, nil, errors.New("signal: killed")
		}}
		began := time.Now()
		_, err := source.token(t.Context())
		if err == nil {
			t.Fatal("no error")
		}
		contains(t, err.Error(), "was not done after "+chainctlPatience.String(), "waiting for somebody to sign in by browser")
		if took := time.Since(began); took != chainctlPatience {
			t.Errorf("it was stopped after %s", took)
		}
	})
}

func TestAProgramIsRunWithoutInputAndItsOutputIsKept(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	program := filepath.Join(t.TempDir(), "chainctl")
	script := "#!/bin/sh\n" +
		"echo \"$@ auto=$CHAINGUARD_DEFAULT_SKIP_AUTO_LOGIN input=$(cat)\"\n" +
		"echo problem >&2\n" +
		"if [ \"$1\" = fail ]; then exit 3; fi\n" +
		"if [ \"$1\" = flood ]; then head -c 1000000 /dev/zero; fi\n" +
		"if [ \"$1\" = hang ]; then exec sleep 60; fi\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	run := programRunner(program)

	stdout, stderr, err := run(t.Context(), "auth", "token")
	if err != nil || string(stdout) != "auth token auto=true input=\n" || string(stderr) != "problem\n" {
		t.Errorf("%q, %q, %v", stdout, stderr, err)
	}
	if _, _, err := run(t.Context(), "fail"); err == nil || err.Error() != "exit status 3" {
		t.Errorf("fail: %v", err)
	}
	if stdout, _, err := run(t.Context(), "flood"); err != nil || len(stdout) != maxProgramOutput {
		t.Errorf("flood: %d bytes, %v", len(stdout), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, _, err := run(ctx, "hang"); err == nil || time.Since(begin) > 30*time.Second {
		t.Errorf("hang: %v after %s", err, time.Since(begin))
	}
	if _, _, err := programRunner("chainctl-that-is-not-there")(t.Context()); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("not there: %v", err)
	}
}
