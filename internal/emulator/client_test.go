package emulator_test

import (
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

func TestClient_environmentIsEnoughToCallThePlatform(t *testing.T) {
	t.Parallel()
	e := emulator.ForTest(t, emulator.Options{Audience: "https://console-api.example.com"})
	environment := e.Environment()
	for name, want := range map[string]string{"ISSUER": e.URL(), "AUDIENCE": e.Audience()} {
		if got := environment["CHAINGUARD_PLATFORM_"+name]; got != want {
			t.Errorf("CHAINGUARD_PLATFORM_%s is %q, want %q", name, got, want)
		}
	}
	groups := environment["CHAINGUARD_PLATFORM_API"] + "/iam/v2/groups"
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, groups, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+environment["CHAINGUARD_TOKEN"])
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("the platform answers %s", response.Status)
	}
}

func TestClient_tokenIsCachedWhereChainctlCachesThem(t *testing.T) {
	t.Parallel()
	e := emulator.ForTest(t, emulator.Options{Audience: "https://console-api.example.com"})
	folder := t.TempDir()
	if err := e.CacheToken(folder, emulator.AccessTokenFile, "a token"); err != nil {
		t.Fatal(err)
	}
	name := "https:--console-api.example.com"
	if runtime.GOOS == "windows" {
		name = "https---console-api.example.com"
	}
	path := filepath.Join(folder, "chainguard", name, "oidc-token")
	if content, err := os.ReadFile(path); err != nil || string(content) != "a token" {
		t.Errorf("it holds %q, %v", content, err)
	}
}
