package refs

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

const groupUIDP = "0123456789012345678901234567890123456789"

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text        string
		group, role bool
	}{
		"name":                           {"acme.example", true, true},
		"name with all valid characters": {"a team_b-c.1", true, true},
		"path":                           {"acme.example/platform/ci", true, false},
		"UIDP":                           {groupUIDP, true, true},
		"UIDP below another":             {groupUIDP + "/0123456789abcdef", true, true},
		"nothing":                        {"", false, false},
		"capitals":                       {"ACME", false, false},
		"UIDP in capitals":               {strings.Repeat("A", 40), false, false},
		"other characters":               {"acme!", false, false},
		"two in a list":                  {"acme,other", false, false},
		"path with an empty name":        {"acme.example//platform", false, false},
		"path with a leading slash":      {"/acme.example", false, false},
		"path that ends in a slash":      {"acme.example/", false, false},
		"lookalike of a letter":          {"аcme", false, false},
		"Kelvin sign":                    {"\u212aim", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for kind, is := range map[string]struct {
				want bool
				err  error
			}{
				Group: {test.group, CheckGroup(test.text)},
				Role:  {test.role, CheckRole(test.text)},
			} {
				if (is.err == nil) != is.want {
					t.Errorf("%q: %v", test.text, is.err)
				}
				if is.err != nil && !strings.HasPrefix(is.err.Error(), "must be "+kind+". ") {
					t.Errorf("%q: %v; want it to describe %s", test.text, is.err, kind)
				}
			}
		})
	}
}

func TestCheck_suggestions(t *testing.T) {
	t.Parallel()
	for got, want := range map[error]string{
		CheckRole("Viewer"):                  `. Did you mean "viewer"?`,
		CheckRole(" Viewer "):                `. Did you mean "viewer"?`,
		CheckRole("/viewer/"):                `. Did you mean "viewer"?`,
		CheckGroup("Acme.Example/CI"):        `. Did you mean "acme.example/ci"?`,
		CheckGroup("/acme.example/platform"): `. Did you mean "acme.example/platform"?`,
		CheckGroup("acme.example/platform/"): `. Did you mean "acme.example/platform"?`,
		CheckGroup("/" + groupUIDP + "/"):    `. Did you mean "` + groupUIDP + `"?`,
		CheckGroup(strings.Repeat("A", 101)): "and 16 more",
		CheckGroup("/"):                      "and 16 more",
		CheckGroup("acme!"):                  "and 16 more",
		CheckRole("acme/Viewer"):             "- only",
		CheckGroup("аcme"):                   ". The character U+0430 at position 1 is none of them",
		CheckRole("wor\u212aer"):             ". The character U+212A at position 4 is none of them",
	} {
		if !strings.HasSuffix(got.Error(), want) {
			t.Errorf("%q, want it to end with %q", got, want)
		}
	}
}

// invisible are characters that are invisible or look like an ordinary space.
var invisible = []rune{
	0, '\t', '\n', 0x1b, 0x7f, 0x85, // control characters
	0x00a0, 0x2003, 0x2028, 0x202f, 0x3000, // spaces
	0x00ad, 0x061c, 0x200b, 0x200d, 0x200e, 0x202a, 0x202e, 0x2060, 0x2066, 0xfeff, 0xe0020, // format characters
	0x034f, 0x115f, 0x1160, 0x17b4, 0x2800, 0x3164, 0xffa0, // fillers
	0xfe0f, 0xe0100, // variation selectors
	0xe000, 0xfffd, 0xffff, // private, replacement, no character
}

func TestInvisible(t *testing.T) {
	t.Parallel()
	for _, r := range invisible {
		text := "añ" + string(r) + "b"
		if got, position, found := Invisible(text); !found || got != r || position != 3 {
			t.Errorf("%U: got %U at %d, %t", r, got, position, found)
		}
		want := fmt.Sprintf("contains the invisible character %U at position 3", r)
		for kind, err := range map[string]error{"visible": CheckVisible(text), "group": CheckGroup("ac" + string(r)), "role": CheckRole("ac" + string(r))} {
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s %U: %v", kind, r, err)
			}
		}
	}
	for _, text := range []string{"", "kim@example.com", "My Team", "größe", "Ωmega", "日本語", "e\u0301", "\u212a", "😀"} {
		if r, position, found := Invisible(text); found || CheckVisible(text) != nil {
			t.Errorf("%q: %U at %d", text, r, position)
		}
	}
	if r, position, found := Invisible("a\xff"); !found || r != utf8.RuneError || position != 2 {
		t.Errorf("invalid UTF-8: %U at %d, %t", r, position, found)
	}
}

func FuzzIsUIDP(f *testing.F) {
	root := strings.Repeat("0123456789", 4)
	for _, seed := range []string{"", root, root + "/0123456789abcdef", root + "/", root + "\n", root + "/0123456789ABCDEF", "viewer", root + "/0123456789abcdef\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !IsUIDP(text) {
			if IsInviteUIDP(text) {
				t.Fatalf("%q is the UIDP of an invite, but not a UIDP", text)
			}
			return
		}
		if len(text) < 40 || (len(text)-40)%17 != 0 || strings.Trim(text, "0123456789abcdef/") != "" {
			t.Fatalf("%q is accepted as a UIDP", text)
		}
		if IsInviteUIDP(text) != strings.Contains(text, "/") {
			t.Fatalf("IsInviteUIDP(%q) = %t", text, IsInviteUIDP(text))
		}
	})
}
