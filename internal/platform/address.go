package platform

import "strings"

// SameAddress reports whether two email addresses differ at most in the case of ASCII letters, which the platform may
// change. Unicode case folding would treat the Kelvin sign as a k.
func SameAddress(a, b string) bool { return foldAddress(a) == foldAddress(b) }

// foldAddress converts the ASCII letters of an address to lower case.
func foldAddress(address string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, address)
}
