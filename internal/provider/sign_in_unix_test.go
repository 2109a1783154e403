//go:build unix

package provider_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// The run is interrupted while a refresh token is used: the next one is stored, and no temporary file is left.
func TestInterrupt_refreshToken(t *testing.T) {
	t.Parallel()
	for _, i := range []interruption{
		{signal: syscall.SIGINT, to: toGroup},
		{signal: syscall.SIGINT, twice: true, to: toGroup},
		{signal: syscall.SIGTERM, to: toGroup},
		{signal: syscall.SIGHUP, to: toGroup},
		{signal: syscall.SIGKILL, to: toTerraform},
	} {
		t.Run(i.String(), func(t *testing.T) {
			t.Parallel()
			w, e := acctest.NewProgramWorkspace(t)
			w.Setenv("CHAINGUARD_TOKEN", "")
			withoutChainctl(t, w)
			spent := e.RefreshToken(e.AdminIdentity(), 24*day)
			if err := e.CacheToken(w.CacheDir(), emulator.RefreshTokenFile, spent); err != nil {
				t.Fatal(err)
			}
			e.Inject(emulator.Fault{Method: "ExchangeRefreshToken", Delay: time.Second, When: emulator.AfterCommit})
			w.Configure(kimWith(acmeViewer))
			r := startRun(t, w, "apply", "-auto-approve")
			r.waitUntil("the refresh token is spent", func() bool { return e.Count("ExchangeRefreshToken") > 0 })
			r.interrupt(i)

			cached := func() (files map[string]string) {
				files = map[string]string{}
				err := filepath.WalkDir(w.CacheDir(), func(path string, entry os.DirEntry, err error) error {
					if err == nil && !entry.IsDir() {
						content, err := os.ReadFile(path)
						files[entry.Name()] = string(content)
						return err
					}
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				return files
			}
			// A provider whose CLI was killed exits shortly afterwards.
			r.waitUntil("the next refresh token is written", func() bool {
				return cached()["refresh-token"] != spent && cached()["oidc-token"] != ""
			})
			for name := range cached() {
				if !slices.Contains([]string{"refresh-token", "oidc-token", ".terraform-provider-chainguard.lock"}, name) {
					t.Errorf("%s is left behind", name)
				}
			}
			w.Run("plan")
			if got := e.Count("ExchangeRefreshToken"); got != 1 {
				t.Errorf("%d refreshes, want one", got)
			}
		})
	}
}

// withoutChainctl hides the machine's chainctl from the provider.
func withoutChainctl(t *testing.T, w *acctest.Workspace) {
	t.Helper()
	programs(t, w, nil)
}

// programs sets the PATH to a folder with only these scripts.
func programs(t *testing.T, w *acctest.Workspace, scripts map[string]string) {
	t.Helper()
	folder := t.TempDir()
	for name, script := range scripts {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.Setenv("PATH", folder)
}

// TestSecrets_everyWayToSignIn uses every non-interactive way to sign in, and makes each of them fail at the end.
func TestSecrets_everyWayToSignIn(t *testing.T) {
	t.Parallel()
	oidc := func(e *emulator.Emulator) string {
		return emulator.UpstreamToken(emulator.Upstream{
			Issuer: "https://ci.example.com", Subject: "pipeline", Audience: []string{e.URL()}, Expires: time.Now().Add(time.Hour),
		})
	}
	serve := func(t *testing.T, answer http.HandlerFunc) string {
		t.Helper()
		server := httptest.NewServer(answer)
		t.Cleanup(server.Close)
		return server.URL
	}
	for name, prepare := range map[string]func(t *testing.T, w *acctest.Workspace, e *emulator.Emulator) acctest.Canaries{
		"GitHub Actions": func(t *testing.T, w *acctest.Workspace, e *emulator.Emulator) acctest.Canaries {
			t.Helper()
			token := oidc(e)
			w.Setenv("CHAINGUARD_IDENTITY", e.AdminIdentity())
			w.Setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "jobs-own-c4n4ry")
			w.Setenv("ACTIONS_ID_TOKEN_REQUEST_URL", serve(t, func(w http.ResponseWriter, _ *http.Request) {
				_ = json.NewEncoder(w).Encode(map[string]string{"value": token})
			})+"/token")
			return acctest.Canaries{"OIDC token": token, "job's token": "jobs-own-c4n4ry"}
		},
		"HCP Terraform": func(_ *testing.T, w *acctest.Workspace, e *emulator.Emulator) acctest.Canaries {
			token := oidc(e)
			w.Setenv("CHAINGUARD_IDENTITY", e.AdminIdentity())
			w.Setenv("TFC_WORKLOAD_IDENTITY_TOKEN", token)
			return acctest.Canaries{"OIDC token": token}
		},
		"Buildkite": func(t *testing.T, w *acctest.Workspace, e *emulator.Emulator) acctest.Canaries {
			t.Helper()
			token := oidc(e)
			w.Setenv("CHAINGUARD_IDENTITY", e.AdminIdentity())
			w.Setenv("BUILDKITE", "true")
			w.Setenv("BUILDKITE_AGENT_ACCESS_TOKEN", "agents-own-c4n4ry")
			programs(t, w, map[string]string{"buildkite-agent": "echo " + token + "\necho $BUILDKITE_AGENT_ACCESS_TOKEN >&2"})
			return acctest.Canaries{"OIDC token": token, "agent's token": "agents-own-c4n4ry"}
		},
		"Google Cloud": func(t *testing.T, w *acctest.Workspace, e *emulator.Emulator) acctest.Canaries {
			t.Helper()
			token := oidc(e)
			w.Setenv("CHAINGUARD_IDENTITY", e.AdminIdentity())
			host := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, token) })
			w.Setenv("GCE_METADATA_HOST", strings.TrimPrefix(host, "http://"))
			return acctest.Canaries{"OIDC token": token}
		},
		"a token file": func(_ *testing.T, w *acctest.Workspace, e *emulator.Emulator) acctest.Canaries {
			token := oidc(e)
			w.Write("token", token)
			w.Setenv("CHAINGUARD_IDENTITY", e.AdminIdentity())
			w.Setenv("CHAINGUARD_IDENTITY_TOKEN", w.Path("token"))
			return acctest.Canaries{"OIDC token": token}
		},
		"chainctl": func(t *testing.T, w *acctest.Workspace, e *emulator.Emulator) acctest.Canaries {
			t.Helper()
			token := e.Token(e.AdminIdentity(), e.Audience(), time.Hour)
			programs(t, w, map[string]string{"chainctl": "echo " + token + "\necho " + token + " >&2"})
			return acctest.Canaries{"token": token}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, e := acctest.NewProgramWorkspace(t)
			w.Setenv("CHAINGUARD_TOKEN", "")
			withoutChainctl(t, w)
			tokens := prepare(t, w, e)
			log := trace(t, w)
			w.Configure(kimWith(acmeViewer))
			shown := w.Run("apply", "-auto-approve")
			canaries := secretsOn(e, "")
			delete(canaries, "token")
			shown += w.Run("destroy", "-auto-approve")

			// The STS repeats what it was sent.
			for _, token := range tokens {
				e.Inject(emulator.Fault{Method: "Exchange", Code: codes.Unauthenticated, Message: "bad " + token + " " +
					base64.StdEncoding.EncodeToString([]byte("Bearer "+token)), Times: 1})
				output, _ := w.Try("plan")
				shown += output
			}
			for name, secret := range tokens {
				canaries[name] = secret
			}
			canaries.ExpectNone(t, "the log", log())
			canaries.ExpectNone(t, "the output", shown)
		})
	}
}

// The run waits for a sign-in in the browser that never happens.
func TestInterrupt_browser(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"plan"}, {"apply", "-auto-approve"}} {
		t.Run(args[0], func(t *testing.T) {
			t.Parallel()
			w, e := acctest.NewProgramWorkspace(t)
			w.Setenv("CHAINGUARD_TOKEN", "")
			w.Setenv("CHAINGUARD_LOGIN", "browser")
			opened := w.Path("opened")
			programs(t, w, map[string]string{"opener": "echo \"$1\" > '" + opened + "'"})
			w.Setenv("BROWSER", "opener")
			w.Configure(kimWith(acmeViewer))
			r := startRun(t, w, args...)
			r.waitUntil("the browser is opened", func() bool {
				_, err := os.Stat(opened)
				return err == nil
			})
			r.interrupt(interruption{signal: syscall.SIGINT, to: toGroup})
			if strings.Contains(r.output.String(), "no sign-in within") {
				t.Errorf("the sign-in was waited for to the end:\n%s", r.output.String())
			}
			if page, err := os.ReadFile(opened); err != nil || !strings.HasPrefix(string(page), e.URL()+"/oauth?") {
				t.Errorf("opened %s, %v", page, err)
			}
		})
	}
}
