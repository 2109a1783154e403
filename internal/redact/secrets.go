package redact

import (
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// minSecret is the length below which a text is not treated as a secret: it would match in ordinary words.
const minSecret = 8

// Secrets is the set of secrets that the process knows. The zero value is empty and ready to use, and a nil set knows
// none. It is safe for concurrent use.
type Secrets struct {
	mu    sync.Mutex
	known map[string][]string // the forms in which each secret may show up, nil until they are needed
}

// Add has [Secrets.Text] cut the secret from now on. A text shorter than eight bytes is ignored.
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

// Remove forgets a secret that must not stay in memory.
func (s *Secrets) Remove(secret string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, strings.TrimSpace(secret))
}

// Cut replaces each known secret in text, also where it is base64- or URL-encoded.
func (s *Secrets) Cut(text string) string {
	if s == nil {
		return text
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// A secret may begin with another one, which would leave its end uncut.
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

// Text is [Secrets.Cut] followed by [Text].
func (s *Secrets) Text(text string) string { return Text(s.Cut(text)) }

// forms lists how a secret may be written: as it is, URL-encoded, and within the base64 of a longer text.
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

// withinBase64 returns the part of the base64 of a text that depends on nothing but the secret in it, where the secret
// begins offset bytes after a multiple of three.
func withinBase64(encoding *base64.Encoding, secret string, offset int) string {
	encoded := encoding.EncodeToString([]byte(strings.Repeat("\x00", offset) + secret))
	first := (offset*8 + 5) / 6            // The characters before share bits with what precedes the secret.
	last := (offset + len(secret)) * 8 / 6 // The one after shares bits with what follows.
	return encoded[first:min(last, len(encoded))]
}

// lowerHex writes the escapes of a URL-encoded text in lower case.
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
