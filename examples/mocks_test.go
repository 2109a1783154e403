package examples_test

import (
	"strings"
	"testing"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
)

// The mocks of the guide work without a platform, in Terraform as in OpenTofu.
func TestMocks(t *testing.T) {
	t.Parallel()
	platform := acctest.New(t)
	w := acctest.NewWorkspace(t, "mocks", platform.ServerOf())
	w.NeedsVersion("1.7", "1.8")
	w.Run("init")
	if out := w.Run("test"); !strings.Contains(out, "2 passed, 0 failed") {
		t.Errorf("the mocks do not work:\n%s", out)
	}
	if err := platform.CheckCalls(nil); err != nil {
		t.Error(err)
	}
}
