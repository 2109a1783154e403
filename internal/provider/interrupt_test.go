//go:build unix

package provider_test

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// Whoever interrupts an apply has either an invite that Terraform knows of, or none.
func TestAnInterruptDuringACreateLeavesNoInviteThatNobodyKnowsOf(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"an answer that takes its time": {Delay: 2 * time.Second, When: emulator.AfterCommit},
		"a commit that takes its time":  {Delay: 2 * time.Second},
		"an answer that never comes":    {Hang: true, When: emulator.AfterCommit, Times: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, e := acctest.NewProgramWorkspace(t)
			fault.Method = "CreateGroupInvite"
			e.Inject(fault)
			w.Configure(kimWith(acmeViewer))

			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			apply := w.Command(ctx, "apply", "-auto-approve")
			var output bytes.Buffer
			apply.Stdout, apply.Stderr = &output, &output
			if err := apply.Start(); err != nil {
				t.Fatal(err)
			}
			for e.Count("CreateGroupInvite") == 0 && ctx.Err() == nil {
				time.Sleep(10 * time.Millisecond)
			}
			if err := apply.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			_ = apply.Wait() // It fails, or it was done before it noticed.

			var live []string
			for _, invite := range e.Live() {
				live = append(live, invite.UID)
			}
			if known := w.StateIDs(); !slices.Equal(live, known) {
				t.Errorf("live are %v, and the state knows of %v\n%s", live, known, output.String())
			}
			if strings.Contains(output.String(), "panic") {
				t.Error(output.String())
			}
		})
	}
}
