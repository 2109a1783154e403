// Package redact keeps secrets out of what is shown. [Secret] is a string that no verb, log or marshaller prints,
// [Secrets] cuts the secrets that the process knows out of text, and [Text] makes text from outside safe for a terminal.
package redact

import (
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// hidden is what is shown in place of a secret.
const hidden = "(redacted)"

// Secret is a token, a code, or another text that must not be shown. Formatting, logging or marshalling it gives
// "(redacted)", also where it is a field of a struct that is printed with %+v.
type Secret string

// Reveal returns the secret itself. The caller must not show it.
func (s Secret) Reveal() string { return string(s) }

// String implements [fmt.Stringer].
func (s Secret) String() string { return hidden }

// GoString implements [fmt.GoStringer].
func (s Secret) GoString() string { return hidden }

// Format implements [fmt.Formatter], for the verbs that ignore String, such as %x.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue implements [slog.LogValuer].
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText implements [encoding.TextMarshaler], which encoding/json uses as well.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// maxText is the number of bytes after which [Text] cuts off.
const maxText = 1000

// secretLike matches what tokens and invite codes look like, in a URL too: the base64 of a JSON object, or several.
var secretLike = regexp.MustCompile(`eyJ[A-Za-z0-9+/_=.%-]{8,}`)

// LooksSecret reports whether text contains something that looks like a token or an invite code.
func LooksSecret(text string) bool { return secretLike.MatchString(text) }

// Text makes text from outside safe to show: whatever looks like a token or a code is replaced, control characters,
// escape sequences and invisible characters are spelled out, and the length is bounded.
func Text(text string) string {
	text = secretLike.ReplaceAllString(text, hidden)
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || r == '\t':
			b.WriteRune(' ')
		case r == unicode.ReplacementChar || !unicode.IsPrint(r):
			fmt.Fprintf(&b, "\\u%04x", r)
		default:
			b.WriteRune(r)
		}
		if b.Len() > maxText {
			b.WriteString("…")
			break
		}
	}
	return b.String()
}

// maxQuote is the number of characters after which [Quote] cuts off.
const maxQuote = 100

// Quote quotes a value of the user's own for an error, with escapes for whatever does not print. It must not be used for
// a value that is sensitive.
func Quote(text string) string {
	text = secretLike.ReplaceAllString(text, hidden)
	if runes := []rune(text); len(runes) > maxQuote {
		return strconv.Quote(string(runes[:maxQuote])) + " (shortened)"
	}
	return strconv.Quote(text)
}
