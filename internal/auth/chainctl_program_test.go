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

func TestChainctlProgram_token(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var asked []string
	want := b.emulator.AdminToken()
	b.options.RunProgram = func(_ context.Context, program string, args ...string) ([]byte, []byte, error) {
		asked = append([]string{program}, args...)
		return []byte(want + "\n"), []byte("a warning"), nil
	}
	if got := b.token(b.tokens()); got != want {
		t.Errorf("another token")
	}
	if !slices.Equal(asked, []string{"chainctl", "auth", "token", "--audience", b.settings.Audience, "--issuer", b.settings.Issuer}) {
		t.Errorf("asked: %q", asked)
	}
}

func TestChainctlProgram_noToken(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stdout, stderr string
		err            error
		want           string
	}{
		"does not exist":       {err: &exec.Error{Name: "chainctl", Err: exec.ErrNotFound}, want: "none on the PATH"},
		"fails":                {stdout: "c4n4ry-1", stderr: "\x1b[31mnot signed in\x1b[0m c4n4ry-1\n", err: errors.New("exit status 1"), want: "failed: exit status 1: \\u001b[31mnot signed in\\u001b[0m (redacted)"},
		"shows a JWT":          {stderr: "bad token " + jwt(`{"sub":"c4n4ry"}`), err: errors.New("exit status 1"), want: "bad token (redacted)"},
		"says nothing":         {want: "printed nothing"},
		"talks":                {stdout: "c4n4ry is not a token", want: "printed something with spaces"},
		"prints another token": {stdout: jwt(`{"aud":"https://elsewhere.example","exp":4000000000,"sub":"c4n4ry"}`), want: "another audience (https://elsewhere.example)"},
		"prints no JWT":        {stdout: "c4n4ry", want: "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.options.RunProgram = func(context.Context, string, ...string) ([]byte, []byte, error) {
				return []byte(test.stdout), []byte(test.stderr), test.err
			}
			reason, whole := b.refusal(b.tokens(), "the chainctl program")
			contains(t, reason, test.want)
			if strings.Contains(whole, "c4n4ry") || strings.Contains(whole, "eyJ") || strings.Contains(whole, "\x1b") {
				t.Errorf("the error shows a secret: %q", whole)
			}
		})
	}
}

func TestChainctlProgram_isStopped(t *testing.T) {
	t.Parallel()
	// Time in the bubble advances when all goroutines are blocked.
	synctest.Test(t, func(t *testing.T) {
		source := chainctlProgram{run: func(ctx context.Context, _ string, _ ...string) ([]byte, []byte, error) {
			<-ctx.Done()
			return nil, nil, errors.New("signal: killed")
		}}
		began := time.Now()
		_, err := source.get(t.Context())
		if err == nil {
			t.Fatal("no error")
		}
		contains(t, err.Error(), "was not done after "+programTimeout.String(), "waiting for a sign-in by browser")
		if took := time.Since(began); took != programTimeout {
			t.Errorf("it was stopped after %s", took)
		}
	})
}

func TestRunProgram(t *testing.T) {
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
	run := func(ctx context.Context, args ...string) ([]byte, []byte, error) {
		return runProgram(ctx, program, args...)
	}

	stdout, stderr, err := run(t.Context(), "auth", "token")
	if err != nil || string(stdout) != "auth token auto=true input=\n" || string(stderr) != "problem\n" {
		t.Errorf("%q, %q, %v", stdout, stderr, err)
	}
	if _, _, err := run(t.Context(), "fail"); err == nil || err.Error() != "exit status 3" {
		t.Errorf("fail: %v", err)
	}
	if stdout, _, err := run(t.Context(), "flood"); err != nil || len(stdout) != maxToken {
		t.Errorf("flood: %d bytes, %v", len(stdout), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, _, err := run(ctx, "hang"); err == nil || time.Since(begin) > 30*time.Second {
		t.Errorf("hang: %v after %s", err, time.Since(begin))
	}
	if _, _, err := runProgram(t.Context(), "chainctl-that-is-not-there"); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("missing program: %v", err)
	}
}
