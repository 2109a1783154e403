// Package release_test tries out what a release consists of. `make release-check` builds this machine's part of one and
// says in RELEASE_DIST and RELEASE_VERSION where and which it is.
package release_test

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

const project = "terraform-provider-chainguard"

// dist is the folder with the files of a release, and its version.
func dist(t *testing.T) (folder, version string) {
	t.Helper()
	folder, version = os.Getenv("RELEASE_DIST"), os.Getenv("RELEASE_VERSION")
	if folder == "" || version == "" {
		t.Skip("there is no release to try out: `make release-check` builds one")
	}
	return folder, version
}

func platform() string { return runtime.GOOS + "_" + runtime.GOARCH }

func TestRelease_manifest_namesTheProtocol(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../terraform-registry-manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Version  int
		Metadata struct {
			Protocols []string `json:"protocol_versions"`
		}
	}
	if err := json.Unmarshal(text, &manifest); err != nil || manifest.Version != 1 || !slices.Equal(manifest.Metadata.Protocols, []string{"6.0"}) {
		t.Errorf("the manifest says %+v, error %v", manifest, err)
	}
}

func TestRelease_checksums_coverWhatTheRegistryAsksFor(t *testing.T) {
	t.Parallel()
	folder, version := dist(t)
	sums := map[string]string{}
	for line := range strings.Lines(read(t, filepath.Join(folder, project+"_"+version+"_SHA256SUMS"))) {
		sum, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok {
			t.Fatalf("SHA256SUMS has the line %q", line)
		}
		sums[name] = sum
	}
	for name, file := range map[string]string{
		project + "_" + version + "_" + platform() + ".zip":          "",
		"chainguard-emulator_" + version + "_" + platform() + ".zip": "",
		project + "_" + version + "_manifest.json":                   "../../terraform-registry-manifest.json",
	} {
		if file == "" {
			file = filepath.Join(folder, name)
		}
		sum := sha256.Sum256([]byte(read(t, file)))
		if sums[name] != hex.EncodeToString(sum[:]) {
			t.Errorf("SHA256SUMS has %q for %s", sums[name], name)
		}
	}
}

func TestRelease_provider_installsFromItsArchive(t *testing.T) {
	t.Parallel()
	folder, version := dist(t)
	e := emulator.ForTest(t, emulator.Options{})

	w := acctest.NewWorkspace(t, "../../examples/onboarding", nil)
	// A mirror takes archives as they are in a release.
	mirror := t.TempDir()
	mirrored := filepath.Join(mirror, w.Host(), filepath.FromSlash(acctest.OurSource))
	if err := os.MkdirAll(mirrored, 0o700); err != nil {
		t.Fatal(err)
	}
	archive := project + "_" + version + "_" + platform() + ".zip"
	if err := os.WriteFile(filepath.Join(mirrored, archive), []byte(read(t, filepath.Join(folder, archive))), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := w.UseMirror(mirror); err != nil {
		t.Fatal(err)
	}
	w.SetPlatform(e)

	if out := w.Run("init"); !strings.Contains(out, acctest.OurSource+" v"+version) {
		t.Errorf("init installs something else:\n%s", out)
	}
	w.Run("apply", "-auto-approve")
	if len(e.Live()) != 3 {
		t.Errorf("%d invites are live, want 3", len(e.Live()))
	}
	for _, request := range e.Requests() {
		if !strings.HasPrefix(request.UserAgent, project+"/"+version+" ") {
			t.Errorf("%s comes from %q", request.Method, request.UserAgent)
		}
	}
	w.Run("destroy", "-auto-approve")
	if len(e.Live()) != 0 {
		t.Errorf("%d invites are left", len(e.Live()))
	}
}

func TestRelease_emulator_servesFromItsArchive(t *testing.T) {
	t.Parallel()
	folder, version := dist(t)
	room := t.TempDir()
	program := unpack(t, filepath.Join(folder, "chainguard-emulator_"+version+"_"+platform()+".zip"), "emulator", room)
	envFile := filepath.Join(room, "platform.env")
	serve := exec.CommandContext(t.Context(), program, "serve", "--env-file", envFile)
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = serve.Process.Kill()
		_ = serve.Wait()
	}()
	for range 200 {
		if content, err := os.ReadFile(envFile); err == nil {
			if !strings.Contains(string(content), "CHAINGUARD_TOKEN=") {
				t.Errorf("the environment lacks a token")
			}
			return
		}
		time.Sleep(50 * time.Millisecond) // it is another program, with a clock of its own
	}
	t.Error("it does not serve")
}

func unpack(t *testing.T, archive, name, to string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	reader, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	file, err := reader.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(to, name)
	if err := os.WriteFile(program, content, 0o700); err != nil {
		t.Fatal(err)
	}
	return program
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
