package platform

import "strings"

// SameAddress reports whether two email addresses are the same but for the case of ASCII letters, which the platform may
// change. Unicode's folding would take the Kelvin sign for a k.
func SameAddress(a, b string) bool { return foldAddress(a) == foldAddress(b) }

// foldAddress returns the address in lower case, as far as it is ASCII.
func foldAddress(address string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, address)
}
