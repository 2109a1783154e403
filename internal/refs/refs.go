// Package refs validates references to groups and roles without calling the platform. The resources and the provider's
// settings share these rules.
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
	// Group says what a group can be named by.
	Group = `a group's name, names joined by "/", or a UIDP`
	// Role says what a role can be named by.
	Role = "a role's name or a UIDP"
	// UIDP says what a UIDP is.
	UIDP = "a UIDP: 40 hexadecimal digits, then for each level below a slash and 16 more"
)

// IsUIDP reports whether text is a UIDP and not a name.
func IsUIDP(text string) bool { return uidp.Valid(text) }

// IsInviteUIDP reports whether text can be the UIDP of an invite, which is always below a group.
func IsInviteUIDP(text string) bool { return uidp.Valid(text) && !uidp.InRoot(text) }

// name matches what the SDK's validation.ValidateName accepts. That package is not imported, because it depends on a
// Markdown renderer and an HTML sanitizer.
var name = regexp.MustCompile(`^[a-z0-9 ._-]+$`)

// CheckGroup returns an error if there can be no group that text means. It goes on from the text: "must be ...".
func CheckGroup(text string) error {
	return check(text, canBeGroup, "must be "+Group+". A name has lower case letters, digits, spaces and . _ - only; a UIDP has "+
		"40 hexadecimal digits, then for each folder a slash and 16 more")
}

// CheckRole returns an error if there can be no role that text means. It goes on from the text, as that of CheckGroup.
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

// lookalike names the first character that is not ASCII: it may look like one that is, as the Kelvin sign like a K.
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

// maxSuggestion is how long a suggestion may be: what is longer is not a misspelled name.
const maxSuggestion = 100

// didYouMean suggests text in lower case and without slashes and spaces around it, if that is what is wrong with it.
func didYouMean(text string, can func(string) bool) string {
	meant := strings.Trim(strings.Map(lowerASCII, text), "/ ")
	if !can(meant) || len(meant) > maxSuggestion {
		return ""
	}
	return ". Did you mean " + strconv.Quote(meant) + "?"
}

// lowerASCII is unicode.ToLower for letters that have no lookalikes: the lower case of the Kelvin sign is a k.
func lowerASCII(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r - 'A' + 'a'
	}
	return r
}
