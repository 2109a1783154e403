package refs

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Invisible finds the first invisible character of text: a space other than U+0020, a control or format character such
// as U+200B or U+202E, a filler, or an invalid UTF-8 byte. position counts characters from 1.
func Invisible(text string) (r rune, position int, found bool) {
	for _, r := range text {
		position++
		if isInvisible(r) {
			return r, position, true
		}
	}
	return 0, 0, false
}

func isInvisible(r rune) bool {
	const brailleBlank = 0x2800
	return !unicode.IsPrint(r) || r == utf8.RuneError || r == brailleBlank ||
		unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// CheckVisible returns an error if text has an invisible character, with its position. The error completes a sentence
// that starts with the text, as in "contains ...".
func CheckVisible(text string) error {
	if r, position, found := Invisible(text); found {
		return fmt.Errorf("contains the invisible character %U at position %d: remove it", r, position)
	}
	return nil
}
