// Package refs validates references to groups and roles without calling the platform.
package refs

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"chainguard.dev/sdk/uidp"
)

const (
	// Group describes a valid reference to a group.
	Group = `a group's name, names joined by "/", or a UIDP`
	// Role describes a valid reference to a role.
	Role = "a role's name or a UIDP"
	// UIDP describes a UIDP.
	UIDP = "a UIDP: 40 hexadecimal digits, then for each level below a slash and 16 more"
)

// IsUIDP reports whether text is a UIDP and not a name.
func IsUIDP(text string) bool { return uidp.Valid(text) }

// IsInviteUIDP reports whether text can be the UIDP of an invite, which is always below a group.
func IsInviteUIDP(text string) bool { return uidp.Valid(text) && !uidp.InRoot(text) }

// name matches the names that the SDK's validation.ValidateName accepts. It is not used, because it depends on a
// Markdown renderer and an HTML sanitizer.
var name = regexp.MustCompile(`^[a-z0-9 ._-]+$`)

// CheckGroup returns an error if text cannot refer to a group. The error completes a sentence that starts with the
// text, as in "must be ...".
func CheckGroup(text string) error {
	return check(text, canBeGroup, "must be "+Group+". A name has lower case letters, digits, spaces and . _ - only; a UIDP has "+
		"40 hexadecimal digits, then for each folder a slash and 16 more")
}

// CheckRole returns an error if text cannot refer to a role, in the form of CheckGroup.
func CheckRole(text string) error {
	return check(text, canBeRole, "must be "+Role+`. A name, such as "viewer", has lower case letters, digits, spaces and . _ - only`)
}

func check(text string, can func(string) bool, rule string) error {
	if can(text) {
		return nil
	}
	if err := CheckVisible(text); err != nil {
		return err
	}
	return errors.New(rule + lookalike(text) + didYouMean(text, can))
}

func canBeGroup(text string) bool {
	for part := range strings.SplitSeq(text, "/") {
		if !name.MatchString(part) {
			return IsUIDP(text)
		}
	}
	return true
}

func canBeRole(text string) bool { return IsUIDP(text) || name.MatchString(text) }

// lookalike describes the first character outside of ASCII, which may look like an ASCII one, as the Kelvin sign looks
// like a K.
func lookalike(text string) string {
	position := 0
	for _, r := range text {
		position++
		if r > unicode.MaxASCII {
			return fmt.Sprintf(". The character %U at position %d is none of them", r, position)
		}
	}
	return ""
}

// maxSuggestion is the maximum length of a suggestion. Longer texts are not misspelled names.
const maxSuggestion = 100

// didYouMean suggests text in lower case and without leading and trailing slashes and spaces, if that makes it valid.
func didYouMean(text string, can func(string) bool) string {
	meant := strings.Trim(strings.Map(lowerASCII, text), "/ ")
	if !can(meant) || len(meant) > maxSuggestion {
		return ""
	}
	return ". Did you mean " + strconv.Quote(meant) + "?"
}

// lowerASCII is like [unicode.ToLower], but only for ASCII. The Kelvin sign would become a k.
func lowerASCII(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r - 'A' + 'a'
	}
	return r
}
