package auth

import (
	"context"
	"io"
	"os"
	"runtime"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// Options are the external dependencies of sign-in. Zero fields get their defaults.
type Options struct {
	// UserAgent is sent to the STS.
	UserAgent string

	// Clock decides whether tokens have expired, and waits between retries.
	Clock clock.Clock

	// Secrets collects every token that is read, received or used.
	Secrets *redact.Secrets

	// Environment has the environment variables that tokens are read from.
	Environment config.Environment

	// CacheDir is the user's cache directory, which contains chainctl's tokens.
	CacheDir string

	// RunProgram runs a program and returns its output. The error is [exec.ErrNotFound] if the program does not exist.
	RunProgram func(ctx context.Context, program string, args ...string) (stdout, stderr []byte, err error)

	// OpenBrowser opens a URL in the user's browser.
	OpenBrowser func(url string) error

	// OpenTerminal opens the user's terminal, or fails if there is none.
	OpenTerminal func() (io.WriteCloser, error)

	// mountedToken is the path of the OIDC token mounted for chainctl.
	mountedToken string
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	if o.Secrets == nil {
		o.Secrets = new(redact.Secrets)
	}
	if o.Environment.Getenv == nil {
		o.Environment = config.OSEnvironment()
	}
	if o.CacheDir == "" {
		// An empty CacheDir is reported by the source that needs it.
		o.CacheDir, _ = os.UserCacheDir()
	}
	if o.RunProgram == nil {
		o.RunProgram = runProgram
	}
	if o.OpenBrowser == nil {
		o.OpenBrowser = browserOpener(o.Environment.Getenv)
	}
	if o.OpenTerminal == nil {
		o.OpenTerminal = openTerminal
	}
	if o.mountedToken == "" {
		o.mountedToken = mountedTokenPath
	}
	return o
}

// openTerminal opens the terminal of the process. It does not use stdout and stderr, which belong to Terraform.
func openTerminal() (io.WriteCloser, error) {
	device := "/dev/tty"
	if runtime.GOOS == "windows" {
		device = "CONOUT$"
	}
	return os.OpenFile(device, os.O_WRONLY, 0)
}
