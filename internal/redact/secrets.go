package redact

import (
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// minSecret is the minimum length of a secret. Shorter texts would match ordinary words.
const minSecret = 8

// Secrets is the set of secrets that the process knows. The zero value is ready to use, and a nil set is empty. It is
// safe for concurrent use.
type Secrets struct {
	mu    sync.Mutex
	known map[string][]string // the encodings of each secret, nil until needed
}

// Add adds a secret for [Secrets.Cut] to remove. It ignores texts of less than eight bytes.
func (s *Secrets) Add(secret string) {
	secret = strings.TrimSpace(secret)
	if s == nil || len(secret) < minSecret {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string][]string{}
	}
	if _, ok := s.known[secret]; !ok {
		s.known[secret] = nil // Most secrets are never searched for.
	}
}

// Remove removes a secret that must not stay in memory.
func (s *Secrets) Remove(secret string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, strings.TrimSpace(secret))
}

// Cut replaces each known secret in text, including its base64 and URL encodings.
func (s *Secrets) Cut(text string) string {
	if s == nil {
		return text
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// If a secret starts with another one, cutting the shorter one first would leave its end.
	longestFirst := slices.SortedFunc(maps.Keys(s.known), func(a, b string) int { return len(b) - len(a) })
	for _, secret := range longestFirst {
		all := s.known[secret]
		if all == nil {
			all = forms(secret)
			s.known[secret] = all
		}
		for _, form := range all {
			text = strings.ReplaceAll(text, form, hidden)
		}
	}
	return text
}

// Text applies [Secrets.Cut] and then [Text].
func (s *Secrets) Text(text string) string { return Text(s.Cut(text)) }

// forms returns the encodings of a secret: plain, URL-encoded, and as part of base64.
func forms(secret string) []string {
	query, path := url.QueryEscape(secret), url.PathEscape(secret)
	all := []string{secret}
	for _, form := range []string{query, path, lowerHex(query), lowerHex(path)} {
		if form != secret {
			all = append(all, form)
		}
	}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for offset := range 3 {
			if form := withinBase64(encoding, secret, offset); len(form) >= minSecret {
				all = append(all, form, url.QueryEscape(form), lowerHex(url.QueryEscape(form)))
			}
		}
	}
	return all
}

// withinBase64 returns the part of a base64 text that depends only on the secret in it, if the secret starts offset
// bytes after a multiple of three.
func withinBase64(encoding *base64.Encoding, secret string, offset int) string {
	encoded := encoding.EncodeToString([]byte(strings.Repeat("\x00", offset) + secret))
	first := (offset*8 + 5) / 6            // Earlier characters share bits with the bytes before the secret.
	last := (offset + len(secret)) * 8 / 6 // The next character shares bits with the bytes after the secret.
	return encoded[first:min(last, len(encoded))]
}

// lowerHex converts the escapes of URL-encoded text to lower case.
func lowerHex(encoded string) string {
	var b strings.Builder
	for i := 0; i < len(encoded); i++ {
		if encoded[i] == '%' && i+2 < len(encoded) {
			b.WriteString(strings.ToLower(encoded[i : i+3]))
			i += 2
			continue
		}
		b.WriteByte(encoded[i])
	}
	return b.String()
}
