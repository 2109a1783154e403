package docs_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// What a page has for a CI system, or for Kubernetes, is what that reads, and fits the configuration beside it.
func TestDocs_yaml_isWhatItsReaderTakes(t *testing.T) {
	t.Parallel()
	github, gitlab, kubernetes := 0, 0, 0
	for name, p := range pages(t) {
		for _, text := range p.blocksOf("yaml") {
			var top map[string]any
			if err := yaml.Unmarshal([]byte(text), &top); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			switch {
			case top["permissions"] != nil || top["steps"] != nil:
				github++
				checkWorkflow(t, name, text)
			case top["invites"] != nil:
				gitlab++
				checkGitLab(t, name, p, text)
			case top["spec"] != nil:
				kubernetes++
				checkPod(t, name, p, text)
			case top["organizations"] != nil: // A seed, which the module's own tests start the emulator with.
			default:
				t.Errorf("%s: nothing is known to read this:\n%s", name, text)
			}
		}
	}
	if github < 3 || gitlab < 2 || kubernetes < 1 {
		t.Errorf("found %d blocks for GitHub, %d for GitLab and %d for Kubernetes", github, gitlab, kubernetes)
	}
}

// checkWorkflow completes what is shown of a workflow, and lets actionlint check it. `make lint` builds actionlint and runs
// this test with it.
func checkWorkflow(t *testing.T, name, text string) {
	t.Helper()
	var workflow struct {
		Permissions map[string]string
		Jobs        map[string]any
		Steps       []any
	}
	if err := yaml.Unmarshal([]byte(text), &workflow); err != nil {
		t.Fatal(err)
	}
	if workflow.Permissions != nil && (workflow.Permissions["id-token"] != "write" || workflow.Permissions["contents"] != "read") {
		t.Errorf("%s: a job with these permissions cannot both check out the code and ask for an OIDC token:\n%s", name, text)
	}
	switch {
	case workflow.Steps != nil:
		text = "jobs:\n  test:\n    runs-on: ubuntu-latest\n    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ") + "\n"
	case workflow.Jobs == nil:
		text += "jobs:\n  test:\n    runs-on: ubuntu-latest\n    steps: [{run: terraform plan}]\n"
	}
	program, err := filepath.Abs(filepath.Join(root, ".bin", "actionlint"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		return
	}
	cmd := exec.CommandContext(t.Context(), program, "-shellcheck=", "-pyflakes=", "-")
	cmd.Stdin = strings.NewReader("on: push\n" + text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", name, err, out)
	}
}

// checkGitLab holds the job's token against the variable that the provider reads, and its audience against the identity.
func checkGitLab(t *testing.T, name string, p page, text string) {
	t.Helper()
	var pipeline map[string]struct {
		IDTokens map[string]struct{ Aud string } `yaml:"id_tokens"`
		Script   []string
	}
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&pipeline); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	const audience = "https://gitlab.com"
	if got := pipeline["invites"].IDTokens["CHAINGUARD_IDENTITY_TOKEN"].Aud; got != audience {
		t.Errorf("%s: the job's token is for %q", name, got)
	}
	if identity := strings.Join(p.blocksOf("terraform"), ""); strings.Contains(identity, "claim_match") &&
		!strings.Contains(identity, `audience = "`+audience+`"`) {
		t.Errorf("%s: the identity is for another audience than the job's token", name)
	}
}

// checkPod holds the place of the projected token against the path that the provider is given.
func checkPod(t *testing.T, name string, p page, text string) {
	t.Helper()
	var pod struct {
		Spec struct {
			Containers []struct {
				Name         string
				VolumeMounts []struct {
					Name      string
					MountPath string `yaml:"mountPath"`
				} `yaml:"volumeMounts"`
			}
			Volumes []struct {
				Name      string
				Projected struct {
					Sources []struct {
						ServiceAccountToken struct {
							Audience, Path    string
							ExpirationSeconds int `yaml:"expirationSeconds"`
						} `yaml:"serviceAccountToken"`
					}
				}
			}
		}
	}
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&pod); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	mount, volume := pod.Spec.Containers[0].VolumeMounts[0], pod.Spec.Volumes[0]
	token := volume.Projected.Sources[0].ServiceAccountToken
	path := `identity_token = "` + mount.MountPath + "/" + token.Path + `"`
	if mount.Name != volume.Name || !strings.Contains(strings.Join(p.blocksOf("terraform"), ""), path) {
		t.Errorf("%s: the provider is not given the path of the token, %s", name, path)
	}
	// The API server takes nothing shorter.
	if token.Audience != "issuer.enforce.dev" || token.ExpirationSeconds < 600 {
		t.Errorf("%s: the token is for %q and %d s", name, token.Audience, token.ExpirationSeconds)
	}
}
