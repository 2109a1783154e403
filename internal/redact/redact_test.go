package redact

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestSecret_isNeverPrinted(t *testing.T) {
	t.Parallel()
	const canary = "c4n4ry-0123456789"
	holder := struct {
		Name  string
		Token Secret
		Ptr   *Secret
	}{Name: "kept", Token: canary}
	token := Secret(canary)
	holder.Ptr = &token
	asJSON, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "secret", token, "holder", holder)
	shown := []string{string(asJSON), log.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		shown = append(shown, fmt.Sprintf(verb, holder), fmt.Sprintf(verb, token), fmt.Sprintf(verb, []Secret{token}))
	}
	for _, text := range shown {
		if strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
			t.Errorf("the secret is shown: %s", text)
		}
	}
	if !strings.Contains(fmt.Sprintf("%+v", holder), "kept") {
		t.Error("the other field is redacted as well")
	}
	if token.Reveal() != canary {
		t.Error("Reveal does not return the secret")
	}
}

func TestSecrets_Cut(t *testing.T) {
	t.Parallel()
	const canary = "s3cr3t/with+odd=chars&more"
	var secrets Secrets
	secrets.Add(" " + canary + "\n")
	secrets.Add("short")
	texts := []string{
		canary,
		"a " + canary + " b",
		url.QueryEscape(canary),
		strings.ToLower(url.QueryEscape(canary)),
		url.PathEscape(canary),
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 4 {
			for after := range 4 {
				texts = append(texts, encoding.EncodeToString([]byte(strings.Repeat("x", before)+canary+strings.Repeat("y", after))))
			}
		}
	}
	for _, text := range texts {
		cut := secrets.Cut(text)
		if !strings.Contains(cut, hidden) {
			t.Errorf("not cut: %s", text)
		}
		decoded, _ := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.ReplaceAll(cut, hidden, ""), "="))
		if strings.Contains(string(decoded), "s3cr3t") {
			t.Errorf("the rest of %s decodes to the secret: %s", text, decoded)
		}
	}
	slashes := new(Secrets)
	slashes.Add("????????????") // Its base64 has slashes.
	if text := "Pz8%2fPz8%2fPz8%2fPz8%2f"; slashes.Cut(text) == text {
		t.Errorf("not cut: %s", text)
	}
	if got := secrets.Cut("a short text"); got != "a short text" {
		t.Errorf("a short text was treated as a secret: %s", got)
	}
	secrets.Remove(canary)
	if got := secrets.Cut(canary); got != canary {
		t.Errorf("still cut after Remove: %s", got)
	}
	var none *Secrets
	none.Add(canary)
	if none.Cut(canary) != canary {
		t.Error("a nil set changes text")
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                         "",
		"plain, with ünïcode 日本":   "plain, with ünïcode 日本",
		"two\nlines\tand a tab":    "two lines and a tab",
		"\x1b[31mred\x1b[0m":       `\u001b[31mred\u001b[0m`,
		"\x1b]8;;http://x\x07y":    `\u001b]8;;http://x\u0007y`,
		"\u009b31m":                `\u009b31m`,
		"bell\a and\bback\r":       `bell\u0007 and\u0008back\u000d`,
		"\u202egnp.exe":            `\u202egnp.exe`,
		"zero\u200bwidth\ufeff":    `zero\u200bwidth\ufeff`,
		"broken \xff utf-8":        `broken \ufffd utf-8`,
		strings.Repeat("a", 5000):  strings.Repeat("a", maxText+1) + "…",
		strings.Repeat("\x00", 10): strings.Repeat(`\u0000`, 10),
	} {
		if got := Text(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "plain", "\x1b[31mred", "\u202e", "a\r\nb", "\xff\xfe", "\u2028", strings.Repeat("\x00", 2000), "\U000e0041"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Text(text)
		if !utf8.ValidString(got) || len(got) > maxText+20 {
			t.Fatalf("%q became %q of %d bytes", text, got, len(got))
		}
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Fatalf("%q became %q with %U in it", text, got, r)
			}
		}
	})
}

func TestQuote(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                   `""`,
		"viewer":                             `"viewer"`,
		"two\nlines \x1b[31m\u202e\u00a0":    `"two\nlines \x1b[31m\u202e\u00a0"`,
		"größe":                              `"größe"`,
		strings.Repeat("ä", 100):             `"` + strings.Repeat("ä", 100) + `"`,
		strings.Repeat("ä", 101):             `"` + strings.Repeat("ä", 100) + `" (shortened)`,
		"x eyJhbGciOiJub25lIn0.eyJhIjoxfQ.y": `"x (redacted)"`,
	} {
		if got := Quote(text); got != want {
			t.Errorf("Quote(%q) = %s, want %s", text, got, want)
		}
	}
}

// A secret may start with another one, such as a token that was read only partially.
func TestSecrets_Cut_longestFirst(t *testing.T) {
	t.Parallel()
	for range 20 { // The iteration order of a map varies.
		var s Secrets
		s.Add("c4n4ry-begin")
		s.Add("c4n4ry-begin-end")
		if got := s.Cut("token c4n4ry-begin-end, c4n4ry-begin"); got != "token (redacted), (redacted)" {
			t.Fatalf("got %q", got)
		}
	}
}
