package auth

import (
	"io"
	"os"
	"testing"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

func TestQuote(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, secret, want string }{
		"plain":                     {"not found", "", "not found"},
		"lines":                     {" a\r\n\tb ", "", "a b"},
		"escapes":                   {"\x1b[31mred\x1b[0m\x07", "", `\u001b[31mred\u001b[0m\u0007`},
		"bidirectional":             {"a\u202eb", "", `a\u202eb`},
		"not UTF-8":                 {"a\xffb", "", `a\ufffdb`},
		"the secret":                {"the token s3cret-1 is bad", "s3cret-1", "the token (redacted) is bad"},
		"the secret in line breaks": {"s3cret-1", "s3cret-1\n", "(redacted)"},
		"an unknown JWT":            {"bad: " + jwt(`{"a":1}`), "", "bad: (redacted)"},
		"a refresh token":           {"bad: eyJleHAiOjE4MDAwMDAwMDB9==", "", "bad: (redacted)"},
		"an escaped JWT":            {"?token=eyJhbGciOiJub25lIn0%2EeyJhIjoxfQ", "", "?token=(redacted)"},
	} {
		var secrets redact.Secrets
		secrets.Add(test.secret)
		if got := quote(&secrets, test.text); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// TestTokens_printNothing is not parallel, because it replaces the standard streams.
func TestTokens_printNothing(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = writer, writer
	func() {
		defer func() { os.Stdout, os.Stderr = stdout, stderr }()
		b := newBench(t)
		b.keep(b.folder(""), accessTokenFile, "malformed")
		b.keep(b.folder(""), refreshTokenFile, "malformed")
		b.refusal(b.tokens(), "chainctl's refresh token")

		b.settings.Login = config.LoginBrowser
		p := newVisitor(b)
		b.token(b.tokens())
		<-p.pages

		b.settings.Identity = b.emulator.AdminIdentity()
		set(&b.settings.IdentityToken, b.upstream())
		b.token(b.tokens())
	}()
	_ = writer.Close()
	if printed, err := io.ReadAll(reader); err != nil || len(printed) > 0 {
		t.Errorf("printed: %q, %v", printed, err)
	}
}
