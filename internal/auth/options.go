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

// Options are the parts of the real world that sign-in touches. What is left out is the real thing.
type Options struct {
	// UserAgent is sent to the STS.
	UserAgent string

	// Clock is what tokens are held against, and waits between two tries.
	Clock clock.Clock

	// Secrets gets every token that is read, received or used.
	Secrets *redact.Secrets

	// Environment holds the environment variables that tokens are read from.
	Environment config.Environment

	// CacheDir is the user's cache directory, in which chainctl keeps its tokens.
	CacheDir string

	// RunProgram runs a program and returns what it printed. The error is [exec.ErrNotFound] if there is none of that name.
	RunProgram func(ctx context.Context, program string, args ...string) (stdout, stderr []byte, err error)

	// OpenBrowser shows a URL to the user.
	OpenBrowser func(url string) error

	// OpenTerminal opens the terminal that the user sits at, or fails if there is none.
	OpenTerminal func() (io.WriteCloser, error)

	// mountedToken is the path of the file that chainctl's credentials are mounted as.
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
		// Without a cache directory there is no cached token, and the source says so.
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

// openTerminal opens the terminal of this process, which stdout and stderr are not: they belong to Terraform.
func openTerminal() (io.WriteCloser, error) {
	device := "/dev/tty"
	if runtime.GOOS == "windows" {
		device = "CONOUT$"
	}
	return os.OpenFile(device, os.O_WRONLY, 0)
}
