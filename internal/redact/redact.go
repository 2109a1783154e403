// Package redact keeps secrets out of output. [Secret] is a string that never prints, [Secrets] removes the known
// secrets from text, and [Text] makes text from outside safe for a terminal.
package redact

import (
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// hidden replaces secrets.
const hidden = "(redacted)"

// Secret is a token, a code, or other text that must not be shown. Formatting, logging and marshaling it returns
// "(redacted)", even in a field of a struct printed with %+v.
type Secret string

// Reveal returns the secret. The caller must not show it.
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

// maxText is the number of bytes that [Text] keeps.
const maxText = 1000

// secretLike matches text that looks like a token or an invite code, including in URLs: base64 of JSON objects.
var secretLike = regexp.MustCompile(`eyJ[A-Za-z0-9+/_=.%-]{8,}`)

// LooksSecret reports whether text contains something that looks like a token or an invite code.
func LooksSecret(text string) bool { return secretLike.MatchString(text) }

// Text makes text from outside safe to show. It removes what looks like a token or a code, escapes control characters,
// escape sequences and invisible characters, and limits the length.
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

// maxQuote is the number of characters that [Quote] keeps.
const maxQuote = 100

// Quote quotes a value from the configuration for an error, and escapes characters that do not print. It must not be
// used for sensitive values.
func Quote(text string) string {
	text = secretLike.ReplaceAllString(text, hidden)
	if runes := []rune(text); len(runes) > maxQuote {
		return strconv.Quote(string(runes[:maxQuote])) + " (shortened)"
	}
	return strconv.Quote(text)
}
