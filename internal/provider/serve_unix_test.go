//go:build unix

package provider_test

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
)

// A SIGTERM is the CLI's to act on, unless there is none any more.
func TestProviderThatIsToldToEndDoesSoWhenItsCLIIsGone(t *testing.T) {
	t.Parallel()
	// The shell stands for the CLI. Both have the pipe, so that its end is the end of both.
	cli := exec.CommandContext(t.Context(), "sh", "-c", `"$PROVIDER" & echo $!; wait`)
	cli.Env = append(os.Environ(), "PROVIDER="+acctest.ProviderProgram(t),
		"TF_PLUGIN_MAGIC_COOKIE=d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
	out, err := cli.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cli.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	pid, err := strconv.Atoi(lines.Text())
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	lines.Scan() // It serves.
	go func() {
		defer close(ended)
		for lines.Scan() {
		}
	}()
	terminate := func() {
		t.Helper()
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}

	terminate()
	select {
	case <-ended:
		t.Fatal("the provider ended under its CLI")
	case <-time.After(time.Second): // Longer than it looks for its CLI.
	}
	_ = cli.Process.Kill()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		_ = syscall.Kill(pid, syscall.SIGKILL)
		t.Error("the provider outlives its CLI")
	}
	_ = cli.Wait()
}

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
