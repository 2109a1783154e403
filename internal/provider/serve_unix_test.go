//go:build unix

package provider_test

import (
	"bytes"
	"context"
	"os"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
)

func TestEphemeralInviteCodeOfARunThatIsInterruptedIsRevoked(t *testing.T) {
	t.Parallel()
	w, e := acctest.NewProgramWorkspace(t)
	w.NeedsVersion("1.10.0", "1.11.0")
	w.Configure(joinWith("exec sleep 100"))

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	apply := w.Command(ctx, "apply", "-auto-approve")
	var output bytes.Buffer
	apply.Stdout, apply.Stderr = &output, &output
	if err := apply.Start(); err != nil {
		t.Fatal(err)
	}
	// The plan's code comes and goes; the second is the apply's.
	for e.Count("CreateGroupInvite") < 2 && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	if err := apply.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := apply.Wait(); err == nil {
		t.Errorf("an interrupted apply succeeded:\n%s", output.String())
	}
	if e.Count("CreateGroupInvite") != 2 {
		t.Errorf("calls: %v\n%s", e.Counts(), output.String())
	}
	expectNoneAlive(t, e, "after an interrupt")
}
