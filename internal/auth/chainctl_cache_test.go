package auth

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chainguard.dev/sdk/uidp"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

const otherIdentity = "2222222222222222222222222222222222222222/2222222222222222"

func TestChainctlCache_folder(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ audience, goos, want string }{
		{"https://console-api.enforce.dev", "linux", "https:--console-api.enforce.dev"},
		{"https://console-api.enforce.dev", "darwin", "https:--console-api.enforce.dev"},
		{"https://console-api.enforce.dev", "windows", "https---console-api.enforce.dev"},
		{"cgr.dev", "linux", "cgr.dev"},
	} {
		if got := cacheFolderName(test.audience, test.goos); got != test.want {
			t.Errorf("%s on %s: %s, want %s", test.audience, test.goos, got, test.want)
		}
	}
}

func TestChainctlCache_token(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(b *bench) string{
		"stored by chainctl": func(b *bench) string {
			token := b.emulator.Token(b.emulator.AdminIdentity(), b.settings.Audience, time.Hour)
			b.keep(b.folder(""), accessTokenFile, token)
			return token
		},
		"with a line break after it": func(b *bench) string {
			token := b.emulator.Token(b.emulator.AdminIdentity(), b.settings.Audience, time.Hour)
			b.keep(b.folder(""), accessTokenFile, token+"\n")
			return token
		},
		"of the identity, stored by the official provider": func(b *bench) string {
			b.settings.Identity = b.emulator.AdminIdentity()
			token := b.emulator.Token(b.settings.Identity, b.settings.Audience, time.Hour)
			b.keep(b.folder(b.settings.Identity), accessTokenFile, token)
			b.keep(b.folder(""), accessTokenFile, b.emulator.Token(otherIdentity, b.settings.Audience, time.Hour))
			return token
		},
		"of the latest sign-in, for the identity": func(b *bench) string {
			b.settings.Identity = b.emulator.AdminIdentity()
			token := b.emulator.Token(b.settings.Identity, b.settings.Audience, time.Hour)
			b.keep(b.folder(""), accessTokenFile, token)
			return token
		},
		"an issuer with a trailing slash": func(b *bench) string {
			token := jwt(`{"iss":"` + b.settings.Issuer + `/","aud":["x","` + b.settings.Audience + `"],"exp":4000000000}`)
			b.keep(b.folder(""), accessTokenFile, token)
			return token
		},
		"expiring soon, without an alternative": func(b *bench) string {
			token := b.emulator.Token(b.emulator.AdminIdentity(), b.settings.Audience, time.Hour)
			b.keep(b.folder(""), accessTokenFile, token)
			b.clock.Advance(59*time.Minute + 30*time.Second)
			return token
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			if want := test(b); b.token(b.tokens()) != want {
				t.Error("another token")
			}
			if got := len(b.exchanges()); got != 0 {
				t.Errorf("%d exchanges, want none", got)
			}
		})
	}
}

func TestChainctlCache_token_unusable(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		token func(b *bench) string
		set   func(b *bench)
		want  string
	}{
		"for another audience": {
			token: func(b *bench) string {
				return b.emulator.Token(b.emulator.AdminIdentity(), "https://elsewhere.example", time.Hour)
			},
			want: "for another audience (https://elsewhere.example)",
		},
		"from another issuer": {
			token: func(b *bench) string {
				return emulator.IssueToken("https://elsewhere.example", b.settings.Audience, b.emulator.AdminIdentity(), start, time.Hour)
			},
			want: "from another issuer (https://elsewhere.example instead of",
		},
		"over": {
			token: func(b *bench) string {
				return b.emulator.Token(b.emulator.AdminIdentity(), b.settings.Audience, -time.Second)
			},
			want: "expired at 2026-03-01T11:59:59Z",
		},
		"of another identity": {
			token: func(b *bench) string { return b.emulator.Token(otherIdentity, b.settings.Audience, time.Hour) },
			set:   func(b *bench) { b.settings.Identity = b.emulator.AdminIdentity() },
			want:  "that of another identity (" + otherIdentity + ")",
		},
		"malformed":                 {token: func(*bench) string { return "c4n4ry.c4n4ry.c4n4ry" }, want: "malformed: it is not a JWT"},
		"not one token":             {token: func(*bench) string { return "c4n4ry and c4n4ry" }, want: "malformed: a file with spaces"},
		"binary":                    {token: func(*bench) string { return "c4n4ry\x00\x1b" }, want: "malformed: a file with spaces"},
		"empty":                     {token: func(*bench) string { return "\n" }, want: "is empty"},
		"without an expiry":         {token: func(b *bench) string { return jwt(`{"aud":"` + b.settings.Audience + `"}`) }, want: "does not say when it expires"},
		"without an audience":       {token: func(*bench) string { return jwt(`{"exp":4000000000}`) }, want: "for another audience ()"},
		"with an audience of codes": {token: func(*bench) string { return jwt(`{"aud":"\u001b[31mred","exp":4000000000}`) }, want: "(\\u001b[31mred)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			if test.set != nil {
				test.set(b)
			}
			token := test.token(b)
			b.keep(b.folder(""), accessTokenFile, token)
			reason, whole := b.refusal(b.tokens(), "chainctl's cached token")
			contains(t, reason, test.want, filepath.Join(b.folder(""), accessTokenFile))
			if strings.Contains(whole, strings.TrimSpace(token)) && strings.TrimSpace(token) != "" || strings.Contains(whole, "c4n4ry") {
				t.Errorf("the error shows the token: %s", whole)
			}
			if strings.ContainsAny(whole, "\x00\x1b") {
				t.Errorf("control characters: %q", whole)
			}
		})
	}
}

func TestChainctlCache_token_refused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.keep(b.folder(""), accessTokenFile, b.emulator.AdminToken())
	tokens := b.tokens()
	tokens.Discard(b.token(tokens))
	reason, _ := b.refusal(tokens, "chainctl's cached token")
	contains(t, reason, "did not accept the token (Unauthenticated)")

	// The user signs in again.
	b.clock.Advance(failureMemory)
	b.keep(b.folder(""), accessTokenFile, b.emulator.AdminToken())
	if !b.works(b.token(tokens)) {
		t.Error("the new token is not used")
	}
}

func TestChainctlCache_readingLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.settings.Identity = b.emulator.AdminIdentity()
	b.refusal(b.tokens(), "chainctl's cached token")
	entries, err := os.ReadDir(b.options.CacheDir)
	if err != nil || len(entries) > 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestChainctlCache_withoutADirectory(t *testing.T) {
	t.Parallel()
	c := cache{}
	for _, s := range []source{cachedToken{c}, refreshToken{cache: c, program: &chainctlProgram{missing: true}, allowed: true}} {
		if _, err := s.get(t.Context()); err == nil || !strings.Contains(err.Error(), "no cache directory") {
			t.Errorf("%s: %v", s.name(), err)
		}
	}
	if err := c.save(t.Context(), "a", "b"); err == nil {
		t.Error("saved nowhere")
	}
}

func TestChainctlCache_unreadable(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if err := os.MkdirAll(filepath.Join(b.folder(""), accessTokenFile), 0o700); err != nil {
		t.Fatal(err)
	}
	reason, _ := b.refusal(b.tokens(), "chainctl's cached token")
	contains(t, reason, "cannot be read: is a directory")
}

func TestChainctlCache_foldersOfIdentities(t *testing.T) {
	t.Parallel()
	if !uidp.Valid(otherIdentity) {
		t.Fatal("not a UIDP")
	}
	folders, err := cache{dir: "/c", tokenRequirements: tokenRequirements{audience: "a", identity: otherIdentity}}.folders()
	want := filepath.Join("/c", "chainguard", "a", strings.ReplaceAll(otherIdentity, "/", "_"))
	if err != nil || len(folders) != 2 || folders[0] != want || folders[1] != filepath.Dir(want) {
		t.Errorf("%q, %v", folders, err)
	}
}
