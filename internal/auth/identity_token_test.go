package auth

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestIdentityToken_file_isReadAtEachRenewal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.settings.Identity = b.emulator.AdminIdentity()
	path := filepath.Join(b.options.Environment.HomeDir, "token")
	set(&b.settings.IdentityToken, "~/token")
	write := func(token string) {
		t.Helper()
		if err := os.WriteFile(path, []byte("\n"+token+"\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(b.upstream())
	tokens := b.tokens()
	b.token(tokens)

	b.clock.Advance(2 * time.Hour) // The first has expired.
	reason, _ := b.refusal(tokens, "identity_token")
	contains(t, reason, "expired at 2026-03-01T13:00:00Z")

	b.clock.Advance(failureMemory)
	write(b.upstream())
	if !b.works(b.token(tokens)) {
		t.Error("the platform does not accept the token")
	}
	if got := len(b.exchanges()); got != 2 {
		t.Errorf("%d exchanges, want 2", got)
	}
}

func TestIdentityToken_unusable(t *testing.T) {
	t.Parallel()
	const canary = "c4n4ry"
	for name, test := range map[string]struct {
		value  func(b *bench) string
		want   []string
		hidden string
	}{
		"a literal that has expired": {
			value: func(*bench) string { return jwt(`{"exp":1000000000,"sub":"` + canary + `"}`) },
			want:  []string{"expired at 2001-09-09T01:46:40Z", "cannot be renewed"},
		},
		"a path that does not exist": {
			value: func(*bench) string { return "/var/run/secrets/tokens/chainguard" },
			want:  []string{"/var/run/secrets/tokens/chainguard", "does not exist"},
		},
		"words": {
			value:  func(*bench) string { return canary + " and " + canary },
			want:   []string{"not the path of a file", "characters that no token has", "not shown"},
			hidden: canary,
		},
		"an empty file": {
			value: func(b *bench) string {
				path := filepath.Join(t.TempDir(), "empty")
				if err := os.WriteFile(path, []byte("\n"), 0o600); err != nil {
					b.Fatal(err)
				}
				return path
			},
			want: []string{"is empty"},
		},
		"a folder": {
			value: func(*bench) string { return "/tmp" },
			want:  []string{"/tmp", "cannot be read"},
		},
		"a file of two lines": {
			value: func(b *bench) string {
				path := filepath.Join(t.TempDir(), "two")
				if err := os.WriteFile(path, []byte(canary+"\n"+canary), 0o600); err != nil {
					b.Fatal(err)
				}
				return path
			},
			want:   []string{"characters that no token has"},
			hidden: canary,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.settings.Identity = b.emulator.AdminIdentity()
			set(&b.settings.IdentityToken, test.value(b))
			// A cached token must not replace the configured one.
			b.keep(b.folder(""), accessTokenFile, b.emulator.AdminToken())
			reason, whole := b.refusal(b.tokens(), "identity_token")
			contains(t, reason, test.want...)
			if test.hidden != "" && strings.Contains(whole, test.hidden) {
				t.Errorf("the error shows what may be a secret: %s", whole)
			}
			if got := len(b.exchanges()); got != 0 {
				t.Errorf("%d exchanges, want none", got)
			}
		})
	}
}

func TestIdentityToken_anyLiteral(t *testing.T) {
	t.Parallel()
	for name, literal := range map[string]string{
		"a signed request":          "eyJ1cmwiOiJodHRwczovL3N0cy5hbWF6b25hd3MuY29tIn0=",
		"base64 with a slash":       "/9j/4AAQSkZJRgABAQEAYABgAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0a",
		"opaque":                    "c4n4ry-opaque",
		"a JWT without a part":      strings.Join(strings.Split(jwt(`{"sub":"x"}`), ".")[:2], "."),
		"longer than a path may be": strings.Repeat("A1b2", 5000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			set(&b.settings.IdentityToken, literal)
			b.standIn(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer "+literal {
					t.Error("another token was sent")
				}
				_, _ = io.WriteString(w, `{"token":"issued"}`)
			})
			if got := b.token(b.tokens()); got != "issued" {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestIdentityToken_file_isEndless(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/zero"); err != nil {
		t.Skip("there is no such file")
	}
	b := newBench(t)
	set(&b.settings.IdentityToken, "/dev/zero")
	reason, _ := b.refusal(b.tokens(), "identity_token")
	contains(t, reason, "/dev/zero", "holds more than 64 KiB, which no token does")
}
