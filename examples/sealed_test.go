package examples_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

func TestSealedExample_onlyTheInviteeReadsTheCode(t *testing.T) {
	t.Parallel()
	platform := acctest.New(t)
	key, another := acctest.NewSSHKey(t), acctest.NewSSHKey(t)
	w := acctest.NewWorkspace(t, "sealed", platform.ServerOf())
	w.Setenv("TF_VAR_public_key_file", "kim.pub")
	w.Run("init")
	w.Write("kim.pub", key.Public+" kim@laptop\n")
	apply(t, w, "1 added, 0 changed, 0 destroyed")
	acctest.Canaries{"code": platform.Live()[0].Code}.ExpectNoneIn(t, w.Path("."))

	w.Write("kim.pub", key.Public+" kim@desktop\n")
	apply(t, w, "0 added, 0 changed, 0 destroyed")
	w.Write("kim.pub", another.Public+"\n")
	apply(t, w, "1 added, 0 changed, 1 destroyed")

	var encrypted string
	w.Output("kim", &encrypted)
	if err := platform.AcceptAs(another.Decrypt(t, encrypted), "kim@acme.example"); err != nil {
		t.Fatal(err)
	}
	w.Write("kim.pub", key.Public+"\n")
	apply(t, w, "0 added, 1 changed, 0 destroyed")
	destroy(t, w, platform)
}

// The whole way with the programs that people have: ssh-keygen, age, and a platform that is a program.
func TestSealedExample_walkthrough(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("walkthrough.sh needs a POSIX shell")
	}
	for _, program := range []string{"age", "ssh-keygen"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s on PATH", program)
		}
	}
	platform := emulator.ForTest(t, emulator.Options{})
	w := acctest.NewWorkspace(t, "sealed", nil)
	w.InstallBuiltProvider()
	w.SetPlatform(platform)
	w.Setenv("EMULATOR", acctest.EmulatorProgram(t))
	w.Setenv("TERRAFORM", w.Executable)
	w.Write("platform.env", fmt.Sprintf("CHAINGUARD_PLATFORM_API='%s'\n", platform.URL()))
	out, err := w.Program(t.Context(), "sh", "walkthrough.sh", "./platform.env").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "kim@acme.example joined the group") {
		t.Errorf("%v\n%s", err, out)
	}
	if live := platform.Live(); len(live) != 0 {
		t.Error("the invite is not accepted")
	}
}

// What the module's README shows for a forge, with the page on a server of the test's own.
func TestModule_encryptsToTheKeysOnAForgesPage(t *testing.T) {
	t.Parallel()
	platform := acctest.New(t)
	key := acctest.NewSSHKey(t)
	forge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ada.keys" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t\n%s\n", key.Public)
	}))
	t.Cleanup(forge.Close)

	readme := read(t, "modules/onboarding/README.md")
	_, example, _ := strings.Cut(readme, "```terraform\nvariable \"logins\"")
	example, _, _ = strings.Cut(example, "```")
	config := "variable \"logins\"" + example + "output \"codes\" {\n  value = module.platform_team.encrypted_codes\n}\n"
	config = strings.ReplaceAll(config, "github.com/chainguard-invites/terraform-provider-chainguard//examples/modules/onboarding", "./onboarding")
	config = strings.ReplaceAll(config, "https://github.com/", forge.URL+"/")

	w := acctest.NewWorkspace(t, "", platform.Stubs().Serve())
	if err := os.CopyFS(w.Path("onboarding"), os.DirFS("modules/onboarding")); err != nil {
		t.Fatal(err)
	}
	w.Write("main.tf", config)
	w.Run("init")
	apply(t, w, "1 added, 0 changed, 0 destroyed")
	encrypted := map[string]string{}
	w.Output("codes", &encrypted)
	if got := key.Decrypt(t, encrypted["ada@acme.example"]); got != platform.Live()[0].Code {
		t.Error("it is not the code that is encrypted")
	}
}
