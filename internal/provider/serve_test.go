package provider_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// joinWith returns a configuration whose provisioner runs command, with an ephemeral code in INVITE_CODE.
func joinWith(command string) string {
	return `
		ephemeral "chainguard_invite_code" "kim" {
		  group = "acme.example"
		  role  = "viewer"
		}
		resource "terraform_data" "join" {
		  provisioner "local-exec" {
		    command     = "` + command + `"
		    environment = { INVITE_CODE = ephemeral.chainguard_invite_code.kim.code }
		  }
		}
	`
}

// No CLI closes an ephemeral resource after an error in something that uses it, so the provider must delete the invite.
func TestServe_deletesOpenInvitesOfARunThatFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		configuration string
		command       []string
	}{
		"in the apply": {joinWith("exit 1"), []string{"apply", "-auto-approve"}},
		"in the plan": {joinWith("true") + `
			data "chainguard_group" "none" {
			  name       = "no-such-group"
			  depends_on = [ephemeral.chainguard_invite_code.kim]
			}
		`, []string{"plan", "-out=saved.tfplan"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, e := acctest.NewProgramWorkspace(t)
			w.NeedsVersion("1.10.0", "1.11.0")
			recorded := recordCodes(e)
			w.Setenv("TF_LOG", "TRACE")
			w.Setenv("TF_LOG_PATH", w.Path("trace.log"))
			w.Configure(test.configuration)
			if output, err := w.Try(test.command...); err == nil {
				t.Errorf("it succeeded:\n%s", output)
			}
			if len(recorded()) == 0 {
				t.Error("nothing was created, so the test is void")
			}
			expectNoneAlive(t, e, "after a failure")
			recorded().ExpectNoneIn(t, w.Path("."))
		})
	}
}

func TestServe_retriesFailedDeletionsOfClose(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"refused": {Code: codes.PermissionDenied, Times: 1},
		// OpenTofu panics if Close takes more than ten seconds (opentofu/opentofu#4081).
		"no answer": {Hang: true, Times: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, e := acctest.NewProgramWorkspace(t)
			w.NeedsVersion("1.10.0", "1.11.0")
			fault.Method = "DeleteGroupInvite"
			e.Inject(fault)
			w.Configure(joinWith("true"))
			output, err := w.Try("plan")
			if err == nil || !strings.Contains(output, "chainctl iam invites delete") || strings.Contains(output, "panic") {
				t.Errorf("error %v, want one that names the invite:\n%s", err, output)
			}
			expectNoneAlive(t, e, "after the provider's end")
		})
	}
}

// After the CLI has exited, the provider can only log the failure.
func TestServe_logsFailedDeletions(t *testing.T) {
	t.Parallel()
	w, e := acctest.NewProgramWorkspace(t)
	w.NeedsVersion("1.10.0", "1.11.0")
	e.Inject(emulator.Fault{Method: "DeleteGroupInvite", Code: codes.PermissionDenied})
	w.Setenv("TF_LOG_PROVIDER", "WARN")
	w.Setenv("TF_LOG_PATH", w.Path("provider.log"))
	w.Configure(joinWith("exit 1"))
	if output, err := w.Try("apply", "-auto-approve"); err == nil {
		t.Errorf("it succeeded:\n%s", output)
	}
	log, err := os.ReadFile(w.Path("provider.log"))
	if err != nil {
		t.Fatal(err)
	}
	if live := e.Live(); len(live) == 0 {
		t.Error("it was deleted, so the test is void")
	}
	for _, invite := range e.Live() {
		if !strings.Contains(string(log), "chainctl iam invites delete "+invite.UID) {
			t.Errorf("the log does not name invite %s:\n%s", invite.UID, log)
		}
	}
}

// This happens on a full disk, or if a remote state is unreachable. SECURITY.md warns about it.
func TestState_thatCannotBeSavedIsPrintedWithItsCodes(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusInsufficientStorage)
	}))
	t.Cleanup(backend.Close)
	p := acctest.New(t)
	w := workspace(t, p, kimWith(acmeViewer))
	w.Write("backend.tf", fmt.Sprintf("terraform {\nbackend \"http\" {\naddress = %q\nretry_max = 0\n}\n}\n", backend.URL))
	if err := os.Mkdir(w.Path("errored.tfstate"), 0o700); err != nil { // A folder of this name prevents Terraform from writing the file.
		t.Fatal(err)
	}
	w.Run("init")
	output, err := w.Try("apply", "-auto-approve")
	if err == nil {
		t.Error("no error for a state that cannot be saved")
	}
	live := p.Live()
	if len(live) != 1 || !strings.Contains(output, live[0].Code) {
		t.Errorf("%d invites are valid, want one whose code is printed", len(live))
	}
}
