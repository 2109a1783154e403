package provider_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

func TestInviteCodeResource_import_generatedConfiguration(t *testing.T) {
	t.Parallel()
	w, e := acctest.NewProgramWorkspace(t)
	id := e.AddInvite(emulator.Invite{
		Group: e.Group("acme.example/platform"), RoleUID: e.Role("viewer"), Email: "kim@example.com", TTL: 5 * day, SingleUse: true,
	}).UID
	w.Configure(fmt.Sprintf("import {\nto = %s\nid = %q\n}\n", kim, id))
	w.Run("plan", "-generate-config-out=generated.tf")
	written, err := os.ReadFile(w.Path("generated.tf"))
	if err != nil {
		t.Fatal(err)
	}
	if output := w.Run("apply", "-auto-approve"); !strings.Contains(output, "1 imported, 0 added, 0 changed, 0 destroyed") {
		t.Errorf("%s\nwith\n%s", output, written)
	}
	if output, err := w.Try("plan", "-detailed-exitcode"); err != nil {
		t.Errorf("the plan is not empty: %v\n%s\nwith\n%s", err, output, written)
	}
}
