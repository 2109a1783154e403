package login

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/settings"
)

func TestQuoteMakesWordsOfOthersHarmless(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, secret, want string }{
		"plain":                     {"not found", "", "not found"},
		"lines":                     {" a\r\n\tb ", "", "a b"},
		"escapes":                   {"\x1b[31mred\x1b[0m\x07", "", "[31mred [0m"},
		"bidirectional":             {"a\u202eb", "", "a b"},
		"not UTF-8":                 {"a\xffb", "", "a\ufffdb"},
		"the secret":                {"the token s3cret is bad", "s3cret", "the token [redacted] is bad"},
		"the secret in line breaks": {"s3cret", "s3cret\n", "[redacted]"},
		"an unknown JWT":            {"bad: " + jwt(`{"a":1}`), "", "bad: [redacted]"},
		"a refresh token":           {"bad: eyJleHAiOjE4MDAwMDAwMDB9==", "", "bad: [redacted]"},
		"an escaped JWT":            {"?token=eyJhbGciOiJub25lIn0%2EeyJhIjoxfQ", "", "?token=[redacted]"},
	} {
		secrets := []string{}
		if test.secret != "" {
			secrets = append(secrets, test.secret)
		}
		if got := quote(test.text, secrets...); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	if got := quote(strings.Repeat("x", 10*maxQuote)); len(got) > maxQuote+10 {
		t.Errorf("%d characters", len(got))
	}
}

// TestNothingIsPrinted is not parallel, as it takes the standard streams away.
func TestNothingIsPrinted(t *testing.T) {
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

		b.settings.Login = settings.LoginBrowser
		p := newPerson(b)
		b.token(b.tokens())
		<-p.pages

		b.settings.Identity, b.settings.IdentityToken = b.emulator.AdminIdentity(), b.upstream()
		b.token(b.tokens())
	}()
	_ = writer.Close()
	if printed, err := io.ReadAll(reader); err != nil || len(printed) > 0 {
		t.Errorf("printed: %q, %v", printed, err)
	}
}
