package provider_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

func TestTheConfigurationThatTerraformWritesForAnImportPlansEmpty(t *testing.T) {
	t.Parallel()
	c := acctest.NewCLI(t)
	id := c.AddInvite(emulator.Invite{
		Group: c.Group("acme.example/platform"), RoleUID: c.Role("viewer"), Email: "kim@example.com", TTL: 5 * day, SingleUse: true,
	}).UID
	c.Configure(t, fmt.Sprintf("import {\nto = %s\nid = %q\n}\n", kim, id))
	c.MustRun(t, "plan", "-generate-config-out=generated.tf")
	written, err := os.ReadFile(filepath.Join(c.Dir, "generated.tf"))
	if err != nil {
		t.Fatal(err)
	}
	if output := c.MustRun(t, "apply", "-auto-approve"); !strings.Contains(output, "1 imported, 0 added, 0 changed, 0 destroyed") {
		t.Errorf("%s\nwith\n%s", output, written)
	}
	if output, err := c.Run(t, "plan", "-detailed-exitcode"); err != nil {
		t.Errorf("the plan is not empty: %v\n%s\nwith\n%s", err, output, written)
	}
}
