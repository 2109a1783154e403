package auth

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// agent simulates a Buildkite job whose agent is a shell script.
func agent(b *bench, script string) {
	b.Helper()
	if runtime.GOOS == "windows" {
		b.Skip("needs a shell")
	}
	path := filepath.Join(b.TempDir(), "buildkite-agent")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		b.Fatal(err)
	}
	b.settings.Identity = b.emulator.AdminIdentity()
	b.variables["BUILDKITE"] = "true"
	b.variables["BUILDKITE_AGENT_ACCESS_TOKEN"] = "c4n4ry-agent"
	b.options.RunProgram = func(ctx context.Context, program string, args ...string) ([]byte, []byte, error) {
		if program != "buildkite-agent" {
			return nil, nil, exec.ErrNotFound
		}
		return runProgram(ctx, path, args...)
	}
}

func TestBuildkite_token(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	host := strings.TrimPrefix(b.settings.Issuer, "http://")
	agent(b, `[ "$*" = "oidc request-token --audience `+host+`" ] && echo '`+b.upstream()+`'`)
	if !b.works(b.token(b.tokens())) {
		t.Error("the platform does not accept the token")
	}
	if got := b.exchanges(); len(got) != 1 || got[0].GetIdentity() != b.settings.Identity {
		t.Errorf("exchanged: %v", got)
	}
}

func TestBuildkite_noToken(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		script string
		set    func(b *bench)
		want   string
	}{
		"fails":     {script: "echo c4n4ry-stdout; echo no job c4n4ry-agent c4n4ry-stdout >&2; exit 4", want: "failed: exit status 4: no job (redacted) (redacted)"},
		"silent":    {script: "exit 0", want: "printed something without a token"},
		"talks":     {script: "echo a token: c4n4ry", want: "printed something with spaces"},
		"elsewhere": {set: func(b *bench) { delete(b.variables, "BUILDKITE") }, want: "not a Buildkite job"},
		"no agent": {
			set: func(b *bench) {
				b.options.RunProgram = func(context.Context, string, ...string) ([]byte, []byte, error) { return nil, nil, exec.ErrNotFound }
			},
			want: "no buildkite-agent on the PATH",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			agent(b, test.script)
			if test.set != nil {
				test.set(b)
			}
			reason, whole := b.refusal(b.tokens(), "Buildkite")
			contains(t, reason, test.want)
			if strings.Contains(whole, "c4n4ry") {
				t.Errorf("the error shows a secret: %s", whole)
			}
		})
	}
}

func TestBuildkite_isStopped(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	source := buildkite{
		getenv: func(string) string { return "true" },
		run: func(context.Context, string, ...string) ([]byte, []byte, error) {
			return nil, nil, errors.New("signal: killed")
		},
	}
	if _, err := source.identityToken(ctx); err == nil || !strings.Contains(err.Error(), "was not done after") {
		t.Errorf("%v", err)
	}
}
