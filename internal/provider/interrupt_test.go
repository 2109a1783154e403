//go:build unix

package provider_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// Whoever interrupts an apply has either an invite that Terraform knows of, or none.
func TestAnInterruptDuringACreateLeavesNoInviteThatNobodyKnowsOf(t *testing.T) {
	t.Parallel()
	interrupt := func(apply *exec.Cmd) error { return apply.Process.Signal(os.Interrupt) }
	// As a CI system does that cancels a job.
	endTheJob := func(apply *exec.Cmd) error { return syscall.Kill(-apply.Process.Pid, syscall.SIGTERM) }
	for name, test := range map[string]struct {
		fault     emulator.Fault
		interrupt func(*exec.Cmd) error
	}{
		"an answer that takes its time":                        {emulator.Fault{Delay: 2 * time.Second, When: emulator.AfterCommit}, interrupt},
		"a commit that takes its time":                         {emulator.Fault{Delay: 2 * time.Second}, interrupt},
		"an answer that never comes":                           {emulator.Fault{Hang: true, When: emulator.AfterCommit, Times: 1}, interrupt},
		"an answer that takes its time, when the job is ended": {emulator.Fault{Delay: 2 * time.Second, When: emulator.AfterCommit}, endTheJob},
		"an answer that never comes, when the job is ended":    {emulator.Fault{Hang: true, When: emulator.AfterCommit, Times: 1}, endTheJob},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, e := acctest.NewProgramWorkspace(t)
			test.fault.Method = "CreateGroupInvite"
			e.Inject(test.fault)
			w.Configure(kimWith(acmeViewer))

			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			apply := w.Command(ctx, "apply", "-auto-approve")
			apply.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			var output bytes.Buffer
			apply.Stdout, apply.Stderr = &output, &output
			if err := apply.Start(); err != nil {
				t.Fatal(err)
			}
			for e.Count("CreateGroupInvite") == 0 && ctx.Err() == nil {
				time.Sleep(10 * time.Millisecond)
			}
			if err := test.interrupt(apply); err != nil {
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
