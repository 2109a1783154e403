package refs

import (
	"strings"
	"testing"
)

const groupUIDP = "0123456789012345678901234567890123456789"

func TestWhatCanNameAGroupAndARole(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text        string
		group, role bool
	}{
		"name":                       {"acme.example", true, true},
		"name with all there can be": {"a team_b-c.1", true, true},
		"path":                       {"acme.example/platform/ci", true, false},
		"UIDP":                       {groupUIDP, true, true},
		"UIDP below another":         {groupUIDP + "/0123456789abcdef", true, true},
		"nothing":                    {"", false, false},
		"capitals":                   {"ACME", false, false},
		"UIDP in capitals":           {strings.Repeat("A", 40), false, false},
		"other characters":           {"acme!", false, false},
		"two in a list":              {"acme,other", false, false},
		"path with an empty name":    {"acme.example//platform", false, false},
		"path that begins nowhere":   {"/acme.example", false, false},
		"path that ends in a slash":  {"acme.example/", false, false},
		"line break":                 {"acme\n", false, false},
		"letter that only looks it":  {"аcme", false, false},
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
					t.Errorf("%q: %v; want it to say what it must be, %s", test.text, is.err, kind)
				}
			}
		})
	}
}

func TestWhatIsMeantByCapitalsIsProposed(t *testing.T) {
	t.Parallel()
	for got, want := range map[error]string{
		CheckRole("Viewer"):           `Did you mean "viewer"?`,
		CheckRole(" viewer\n"):        `Did you mean "viewer"?`,
		CheckGroup("Acme.Example/CI"): `Did you mean "acme.example/ci"?`,
		CheckGroup("acme!"):           "and 16 more",
		CheckRole("acme/Viewer"):      "- only",
	} {
		if !strings.HasSuffix(got.Error(), want) {
			t.Errorf("it says %q, want it to end with %q", got, want)
		}
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
				t.Fatalf("%q is no UIDP but an invite's", text)
			}
			return
		}
		if len(text) < 40 || (len(text)-40)%17 != 0 || strings.Trim(text, "0123456789abcdef/") != "" {
			t.Fatalf("%q is taken for a UIDP", text)
		}
		if IsInviteUIDP(text) != strings.Contains(text, "/") {
			t.Fatalf("%q is an invite's: %t", text, IsInviteUIDP(text))
		}
	})
}
