package provider

import (
	"fmt"
	"strings"
	"testing"
)

// An invisible character makes a different address.
func TestBareEmail_invisibleCharacters(t *testing.T) {
	t.Parallel()
	for _, r := range []rune{'\u200b', '\ufeff', '\u00ad', '\u00a0', '\u202e'} {
		err := checkBareEmail("kim" + string(r) + "@acme.example")
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("U+%04X", r)) {
			t.Errorf("U+%04X: %v; want it to name the code point", r, err)
		}
	}
	if err := checkBareEmail("kim@acme.example"); err != nil {
		t.Error(err)
	}
}
