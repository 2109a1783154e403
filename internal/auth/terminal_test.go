package auth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
)

// terminal records what the user's terminal shows.
type terminal struct {
	mu    sync.Mutex
	shown bytes.Buffer
}

func (t *terminal) open() (io.WriteCloser, error) { return t, nil }

func (t *terminal) Close() error { return nil }

func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.shown.Write(p)
}

// url returns the URL shown, empty if there is none yet.
func (t *terminal) url() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for word := range strings.FieldsSeq(t.shown.String()) {
		if strings.HasPrefix(word, "http") {
			return word
		}
	}
	return ""
}

// TestBrowser_urlIsShown covers openers that fail, and those that succeed without opening anything.
func TestBrowser_urlIsShown(t *testing.T) {
	t.Parallel()
	for name, opened := range map[string]error{"nothing opens": nil, "opening fails": errors.New("no display")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			var screen terminal
			b.options.OpenTerminal = screen.open
			visitor := newVisitor(b)
			b.options.OpenBrowser = func(string) error { return opened }
			go func() {
				for screen.url() == "" {
					time.Sleep(time.Millisecond)
				}
				_ = visitor.open(screen.url())
			}()
			if !b.works(b.token(b.tokens())) {
				t.Error("the platform does not accept the token")
			}
			contains(t, screen.shown.String(), "for you to sign in to Chainguard at", b.settings.Issuer+"/oauth?")
		})
	}
}

func TestBrowser_noSignIn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.settings.Login = config.LoginBrowser
	b.options.OpenBrowser = func(string) error { return nil }
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for _, s := range b.tokens().sources {
		if s.name() != "the browser" {
			continue
		}
		_, err := s.get(ctx)
		if err == nil {
			t.Fatal("no error")
		}
		contains(t, err.Error(), "there was no sign-in within 2m0s", "The page to sign in at was "+b.settings.Issuer+"/oauth?")
	}
}
