package examples_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/auth"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/provider"
)

// signIn sets the scene of one way to sign in: where the token comes from.
type signIn struct {
	prepare func(*testing.T, *acctest.Platform, *acctest.Workspace)
	needs   [2]string // Terraform, OpenTofu
}

var signIns = map[string]signIn{
	"provider.tf": {prepare: func(t *testing.T, p *acctest.Platform, _ *acctest.Workspace) {
		t.Helper()
		p.CacheToken(t, p.Token(p.AdminIdentity(), p.Audience(), time.Hour))
	}},
	"provider_browser.tf": {prepare: func(*testing.T, *acctest.Platform, *acctest.Workspace) {}},
	"provider_github_actions.tf": {prepare: func(t *testing.T, p *acctest.Platform, _ *acctest.Workspace) {
		t.Helper()
		// GitHub's token service takes the job's own token, and the audience of the one to issue.
		service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer the-job" || r.URL.Query().Get("audience") != p.URL() {
				http.Error(w, "no", http.StatusUnauthorized)
				return
			}
			_ = json.NewEncoder(w).Encode(map[string]string{"value": upstreamToken(p)})
		}))
		t.Cleanup(service.Close)
		p.Setenv("ACTIONS_ID_TOKEN_REQUEST_URL", service.URL+"/token?api-version=2")
		p.Setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "the-job")
	}},
	"provider_buildkite.tf": {prepare: func(_ *testing.T, p *acctest.Platform, _ *acctest.Workspace) {
		p.Setenv("BUILDKITE", "true")
	}},
	"provider_google_cloud.tf": {prepare: func(t *testing.T, p *acctest.Platform, _ *acctest.Workspace) {
		t.Helper()
		// What the metadata server does: it issues a token of the service account for the audience that is asked for.
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Metadata-Flavor") != "Google" || r.URL.Query().Get("audience") != p.URL() {
				http.Error(w, "no", http.StatusForbidden)
				return
			}
			_, _ = io.WriteString(w, upstreamToken(p))
		}))
		t.Cleanup(server.Close)
		p.Setenv("GCE_METADATA_HOST", strings.TrimPrefix(server.URL, "http://"))
	}},
	"provider_gitlab.tf": {prepare: func(_ *testing.T, p *acctest.Platform, _ *acctest.Workspace) {
		p.Setenv("CHAINGUARD_IDENTITY_TOKEN", upstreamToken(p))
	}},
	"provider_hcp_terraform.tf": {prepare: func(_ *testing.T, p *acctest.Platform, _ *acctest.Workspace) {
		p.Setenv("TFC_WORKLOAD_IDENTITY_TOKEN_CHAINGUARD", upstreamToken(p))
	}},
	"provider_kubernetes.tf": {prepare: func(_ *testing.T, p *acctest.Platform, w *acctest.Workspace) {
		w.Write("token", upstreamToken(p)+"\n")
	}},
	"provider_token.tf": {needs: [2]string{"1.10", "1.11"}, prepare: func(_ *testing.T, p *acctest.Platform, w *acctest.Workspace) {
		w.Setenv("TF_VAR_chainguard_token", p.Token(p.AdminIdentity(), p.Audience(), time.Hour))
	}},
}

func TestExamples_provider_signsIn(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("provider/*.tf")
	if err != nil || len(files) != len(signIns) {
		t.Fatalf("there are %d examples and %d tests of them, error %v", len(files), len(signIns), err)
	}
	requirement, _, _ := strings.Cut(read(t, "provider/provider.tf"), "\n#") // Without the provider block and its comment.
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			way, ok := signIns[filepath.Base(path)]
			if !ok {
				t.Fatal("there is no test of it")
			}
			platform := acctest.New(t)
			platform.Setenv("CHAINGUARD_TOKEN", "")
			w := acctest.NewWorkspace(t, "", map[string]acctest.ServerFactory{
				acctest.OurSource: providerserver.NewProtocol6WithError(
					provider.New(acctest.Version, append(platform.Options(), withMachine(platform))...)()),
			})
			if way.needs[0] != "" {
				w.NeedsVersion(way.needs[0], way.needs[1])
			}
			way.prepare(t, platform, w)

			example := read(t, path)
			if !strings.Contains(example, "required_providers") {
				example = requirement + "\n" + example
			}
			example = strings.ReplaceAll(example, exampleID, platform.AdminIdentity())
			example = strings.ReplaceAll(example, "/var/run/secrets/chainguard/token", filepath.ToSlash(w.Path("token")))
			w.Write("provider.tf", example)
			w.Write("main.tf", read(t, inviteCodeExamples+"resource.tf"))
			w.Run("init")
			w.Run("apply", "-auto-approve")
			if len(platform.Live()) != 1 {
				t.Errorf("%d invites are live, want one", len(platform.Live()))
			}
		})
	}
}

// withMachine is a machine with a browser, at which a person signs in, and with the agent of a CI system.
func withMachine(p *acctest.Platform) provider.Option {
	return provider.WithSignIn(func(o *auth.Options) {
		o.CacheDir = p.CacheDir()
		o.RunProgram = func(_ context.Context, program string, args ...string) ([]byte, []byte, error) {
			host := strings.TrimPrefix(p.URL(), "http://")
			if program == "buildkite-agent" && slices.Equal(args, []string{"oidc", "request-token", "--audience", host}) {
				return []byte(upstreamToken(p) + "\n"), nil, nil
			}
			return nil, nil, exec.ErrNotFound
		}
		o.OpenTerminal = func() (io.WriteCloser, error) { return nil, errors.New("no terminal") }
		o.OpenBrowser = func(url string) error {
			go func() {
				response, err := http.Get(url)
				if err == nil {
					_ = response.Body.Close()
				}
			}()
			return nil
		}
	})
}

func upstreamToken(p *acctest.Platform) string {
	return emulator.UpstreamToken(emulator.Upstream{
		Issuer: "https://workload.example.com", Subject: "workload", Audience: []string{p.URL()},
		Expires: p.Clock.Now().Add(time.Hour),
	})
}
