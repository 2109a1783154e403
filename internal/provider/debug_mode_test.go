//go:build unix

package provider_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
)

// collected collects the output of a running program.
type collected struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (c *collected) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Write(p)
}

func (c *collected) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// With -debug, the provider runs on its own, and logs to its terminal.
func TestSecrets_notPrintedInDebugMode(t *testing.T) {
	t.Parallel()
	w, e := acctest.NewProgramWorkspace(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	provider := w.Program(ctx, acctest.ProviderProgram(t), "-debug")
	provider.Env = append(provider.Env, "TF_LOG=TRACE")
	var printed collected
	provider.Stderr = &printed
	stdout, err := provider.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := provider.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = provider.Process.Signal(os.Interrupt)
		_ = provider.Wait()
	})
	reattach := ""
	lines := bufio.NewScanner(io.TeeReader(stdout, &printed))
	for reattach == "" && lines.Scan() {
		if _, value, ok := strings.Cut(lines.Text(), "TF_REATTACH_PROVIDERS='"); ok {
			reattach = strings.TrimSuffix(value, "'")
		}
	}
	if reattach == "" {
		t.Fatalf("the provider does not say how to reach it:\n%s", printed.String())
	}
	go func() { _, _ = io.Copy(&printed, stdout) }()

	// OpenTofu has its own registry.
	w.Setenv("TF_REATTACH_PROVIDERS", strings.ReplaceAll(reattach, "registry.terraform.io", w.Host()))
	w.Configure(kimWith(acmeViewer))
	shown := w.Run("apply", "-auto-approve")
	secrets := secretsOn(e, w.Getenv("CHAINGUARD_TOKEN"))
	shown += w.Run("destroy", "-auto-approve")

	secrets.ExpectNone(t, "what the provider prints", printed.String())
	secrets.ExpectNone(t, "what Terraform shows", shown)
	if !strings.Contains(printed.String(), "Called the Chainguard API") {
		t.Errorf("the provider did not log its calls, so nothing was searched:\n%s", printed.String())
	}
}
