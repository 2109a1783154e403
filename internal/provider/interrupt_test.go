//go:build unix

package provider_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// interruption is a way to interrupt a run.
type interruption struct {
	signal syscall.Signal
	twice  bool
	to     target
}

// target selects the processes that get a signal.
type target string

const (
	toGroup     target = "the process group" // as from a terminal and most CI systems
	toTerraform target = "Terraform"
	toProvider  target = "the provider"
)

func (i interruption) String() string {
	name := map[syscall.Signal]string{
		syscall.SIGINT: "SIGINT", syscall.SIGTERM: "SIGTERM", syscall.SIGHUP: "SIGHUP", syscall.SIGKILL: "SIGKILL",
	}[i.signal]
	if i.twice {
		name += " twice"
	}
	return name + " to " + string(i.to)
}

// interruptions returns all interruptions, or a few with -short. A second SIGHUP or SIGKILL makes no difference.
func interruptions() []interruption {
	if testing.Short() {
		return []interruption{
			{signal: syscall.SIGINT, to: toGroup}, {signal: syscall.SIGHUP, to: toGroup}, {signal: syscall.SIGKILL, to: toTerraform},
		}
	}
	var all []interruption
	for _, to := range []target{toGroup, toTerraform, toProvider} {
		for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGKILL} {
			all = append(all, interruption{signal: signal, to: to})
			if signal == syscall.SIGINT || signal == syscall.SIGTERM {
				all = append(all, interruption{signal: signal, twice: true, to: to})
			}
		}
	}
	return all
}

// endsTerraformAtOnce reports whether Terraform has no chance to write its state.
func (i interruption) endsTerraformAtOnce() bool {
	return i.to != toProvider && (i.twice || i.signal == syscall.SIGHUP || i.signal == syscall.SIGKILL)
}

// killsProvider reports whether the provider has no chance to clean up.
func (i interruption) killsProvider() bool {
	return i.signal == syscall.SIGKILL && i.to != toTerraform
}

// run is a run of Terraform in its own process group.
type run struct {
	t      *testing.T
	ctx    context.Context
	cmd    *exec.Cmd
	ended  chan struct{}
	output collected
}

// startRun starts Terraform. It kills all processes that still exist at the end of the test.
func startRun(t *testing.T, w *acctest.Workspace, args ...string) *run {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	r := &run{t: t, ctx: ctx, cmd: w.Command(ctx, args...), ended: make(chan struct{})}
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	r.cmd.Stdout, r.cmd.Stderr = &r.output, &r.output
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(r.ended)
		_ = r.cmd.Wait() // Whether it fails depends on when it handles the interrupt.
	}()
	t.Cleanup(func() {
		cancel()
		<-r.ended
		_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL) // An error means that there is none left.
	})
	return r
}

// waitUntil waits for something to happen in the run.
func (r *run) waitUntil(what string, happened func() bool) {
	r.t.Helper()
	for !happened() {
		if r.ctx.Err() != nil {
			r.t.Fatalf("waiting until %s took too long:\n%s", what, r.output.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// interrupt interrupts the run and waits until Terraform and its providers have exited.
func (r *run) interrupt(i interruption) {
	r.t.Helper()
	r.kill(i)
	if i.twice {
		if i.to != toProvider {
			r.waitUntil("the first signal is received", func() bool {
				return strings.Contains(r.output.String(), "nterrupt received") || r.hasEnded()
			})
		}
		r.kill(i)
	}
	r.waitUntil("Terraform ends", r.hasEnded)
	r.waitUntil("the provider ends", func() bool { return len(r.providers()) == 0 })
	if strings.Contains(r.output.String(), "panic") {
		r.t.Error(r.output.String())
	}
}

func (r *run) hasEnded() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// kill sends a signal. It ignores processes that have exited.
func (r *run) kill(i interruption) {
	r.t.Helper()
	pids := []int{r.cmd.Process.Pid}
	switch i.to {
	case toGroup:
		pids[0] = -pids[0]
	case toProvider:
		pids = r.providers()
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, i.signal); err != nil && err != syscall.ESRCH {
			r.t.Fatal(err)
		}
	}
}

// providers returns the process IDs of the run's providers.
func (r *run) providers() []int {
	r.t.Helper()
	list, err := exec.Command("ps", "-axo", "pid=,pgid=,stat=,comm=").Output()
	if err != nil {
		r.t.Fatal(err)
	}
	var pids []int
	for line := range strings.Lines(string(list)) {
		fields := strings.Fields(line)
		// Linux truncates the name. A process that has exited stays a zombie until its parent waits for it.
		if len(fields) < 4 || fields[1] != strconv.Itoa(r.cmd.Process.Pid) || strings.HasPrefix(fields[2], "Z") || !strings.Contains(fields[3], "terraform-prov") {
			continue
		}
		pid, err := strconv.Atoi(fields[0])
		if err != nil {
			r.t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// liveIDs returns the UIDPs of the valid invites.
func liveIDs(e *emulator.Emulator) []string {
	var ids []string
	for _, invite := range e.Live() {
		ids = append(ids, invite.UID)
	}
	return ids
}

// knownIDs returns the UIDPs of the invites in the state.
func knownIDs(w *acctest.Workspace) []string {
	if text, err := os.ReadFile(w.Path("terraform.tfstate")); err == nil && len(text) == 0 {
		return nil // Terraform leaves no state if it is killed during its first apply.
	}
	return w.StateIDs()
}

// without returns the elements of a that are not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(id string) bool { return slices.Contains(b, id) })
}

// A create, both kinds of replacement and a destroy are pending when the run is interrupted: the creates are committed
// but have no response, and the deletes are not committed.
func TestInterrupt_apply(t *testing.T) {
	t.Parallel()
	for _, i := range interruptions() {
		t.Run(i.String(), func(t *testing.T) {
			t.Parallel()
			w, e := acctest.NewProgramWorkspace(t)
			invite := func(name, more string) string {
				return fmt.Sprintf("resource %q %q {\n%s\n%s\n}\n", inviteCode, name, acmeViewer, more)
			}
			w.Configure(invite("replaced", `ttl = "5d"`) + invite("destroyed", "") +
				invite("created_before", "ttl = \"5d\"\nlifecycle {\ncreate_before_destroy = true\n}"))
			w.Run("apply", "-auto-approve")
			e.Inject(emulator.Fault{Method: "CreateGroupInvite", When: emulator.AfterCommit, Delay: 1500 * time.Millisecond})
			e.Inject(emulator.Fault{Method: "DeleteGroupInvite", Delay: 1500 * time.Millisecond})
			w.Configure(invite("replaced", `ttl = "6d"`) + invite("created", "") +
				invite("created_before", "ttl = \"6d\"\nlifecycle {\ncreate_before_destroy = true\n}"))

			r := startRun(t, w, "apply", "-auto-approve")
			r.waitUntil("creates and deletes are pending", func() bool {
				return len(e.Live()) == 5 && e.Count("DeleteGroupInvite") == 2
			})
			r.interrupt(i)

			live, known := liveIDs(e), knownIDs(w)
			orphans := 0
			if i.killsProvider() {
				orphans = 2 // those of the creates, which no program can prevent
			}
			if unknown := without(live, known); len(unknown) != orphans {
				t.Errorf("%d valid invites are in no state, want %d\n%s", len(unknown), orphans, r.output.String())
			}
			if gone := without(known, live); len(gone) > 0 && !i.endsTerraformAtOnce() {
				t.Errorf("the state has %d invites that are not valid\n%s", len(gone), r.output.String())
			}
		})
	}
}

// The create is committed late, or its response never arrives.
func TestInterrupt_unansweredCreate(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"late commit": {Method: "CreateGroupInvite", Delay: 2 * time.Second},
		"no answer":   {Method: "CreateGroupInvite", Hang: true, When: emulator.AfterCommit, Times: 1},
	} {
		for _, i := range []interruption{
			{signal: syscall.SIGINT, to: toTerraform},
			{signal: syscall.SIGTERM, to: toGroup},
			{signal: syscall.SIGHUP, to: toGroup},
			{signal: syscall.SIGKILL, to: toTerraform},
		} {
			t.Run(name+", "+i.String(), func(t *testing.T) {
				t.Parallel()
				w, e := acctest.NewProgramWorkspace(t)
				e.Inject(fault)
				w.Configure(kimWith(acmeViewer))
				r := startRun(t, w, "apply", "-auto-approve")
				r.waitUntil("the create is pending", func() bool { return e.Count("CreateGroupInvite") > 0 })
				r.interrupt(i)
				if live, known := liveIDs(e), knownIDs(w); !slices.Equal(live, known) {
					t.Errorf("the valid invites are %v, and the state has %v\n%s", live, known, r.output.String())
				}
			})
		}
	}
}

// The create of an ephemeral resource is committed but has no response when the run is interrupted.
func TestInterrupt_ephemeralOpen(t *testing.T) {
	t.Parallel()
	for _, i := range interruptions() {
		t.Run(i.String(), func(t *testing.T) {
			t.Parallel()
			w, e := acctest.NewProgramWorkspace(t)
			w.NeedsVersion("1.10.0", "1.11.0")
			e.Inject(emulator.Fault{
				Method: "CreateGroupInvite", When: emulator.AfterCommit, Delay: 1500 * time.Millisecond, Match: notTheFirst(),
			})
			w.Configure(joinWith("true"))
			// The first one is for the plan.
			r := startRun(t, w, "apply", "-auto-approve")
			r.waitUntil("a create is pending", func() bool { return e.Count("CreateGroupInvite") == 2 && len(e.Live()) == 1 })
			r.interrupt(i)
			expectLeft(t, e, i, r)
		})
	}
}

// An ephemeral resource is in use when the run is interrupted.
func TestInterrupt_ephemeralUse(t *testing.T) {
	t.Parallel()
	for _, i := range interruptions() {
		t.Run(i.String(), func(t *testing.T) {
			t.Parallel()
			if i.to == toProvider && i.signal != syscall.SIGKILL {
				t.Skip("the provider has no pending request, so the run continues")
			}
			w, e := acctest.NewProgramWorkspace(t)
			w.NeedsVersion("1.10.0", "1.11.0")
			w.Configure(joinWith("touch used; exec sleep 5"))
			r := startRun(t, w, "apply", "-auto-approve")
			r.waitUntil("the code is in use", func() bool { _, err := os.Stat(w.Path("used")); return err == nil })
			r.interrupt(i)
			expectLeft(t, e, i, r)
		})
	}
}

// expectLeft fails the test unless the ephemeral invite is deleted, or its provider was killed.
func expectLeft(t *testing.T, e *emulator.Emulator, i interruption, r *run) {
	t.Helper()
	want := 0
	if i.killsProvider() {
		want = 1
	}
	if live := liveIDs(e); len(live) != want {
		t.Errorf("%d invites are valid, want %d\n%s", len(live), want, r.output.String())
	}
}

// A lookup hangs while `apply` plans, when Terraform does not pass on an interrupt.
func TestInterrupt_dataSource(t *testing.T) {
	t.Parallel()
	for _, i := range interruptions() {
		t.Run(i.String(), func(t *testing.T) {
			t.Parallel()
			w, e := acctest.NewProgramWorkspace(t)
			e.Inject(emulator.Fault{Method: "ListGroups", Hang: true})
			w.Setenv("CHAINGUARD_REQUEST_TIMEOUT", "10m")
			w.Configure(`data "chainguard_group" "acme" { name = "acme.example" }`)
			interruptHanging(t, w, e, i, "ListGroups")
		})
	}
}

// A sign-in hangs while `apply` plans.
func TestInterrupt_signIn(t *testing.T) {
	t.Parallel()
	for _, i := range interruptions() {
		t.Run(i.String(), func(t *testing.T) {
			t.Parallel()
			w, e := acctest.NewProgramWorkspace(t)
			e.Inject(emulator.Fault{Method: "Exchange", Hang: true})
			w.Setenv("CHAINGUARD_REQUEST_TIMEOUT", "10m")
			w.Setenv("CHAINGUARD_TOKEN", "")
			w.Setenv("CHAINGUARD_IDENTITY", e.AdminIdentity())
			w.Setenv("CHAINGUARD_IDENTITY_TOKEN", emulator.UpstreamToken(emulator.Upstream{
				Issuer: "https://ci.example.com", Subject: "pipeline", Audience: []string{e.URL()}, Expires: time.Now().Add(time.Hour),
			}))
			w.Configure(kimWith(acmeViewer))
			interruptHanging(t, w, e, i, "Exchange")
		})
	}
}

// interruptHanging interrupts a run whose plan hangs in a call of a method.
func interruptHanging(t *testing.T, w *acctest.Workspace, e *emulator.Emulator, i interruption, method string) {
	t.Helper()
	if i.to == toTerraform && !i.endsTerraformAtOnce() {
		t.Skip("Terraform waits for the call's own end")
	}
	r := startRun(t, w, "apply", "-auto-approve")
	r.waitUntil("the call hangs", func() bool { return e.Count(method) > 0 })
	r.interrupt(i)
	if e.Count("CreateGroupInvite") > 0 {
		t.Errorf("an invite was created\n%s", r.output.String())
	}
}
