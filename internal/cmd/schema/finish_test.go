package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
)

func TestAddSettings(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(page, []byte("before\n\n"+settingsMark+"\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := addSettings(page); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if want := "before\n\n" + config.MarkdownTable() + "\nafter\n"; string(text) != want {
		t.Errorf("the page is\n%s\nwant\n%s", text, want)
	}
	if err := addSettings(page); err == nil || !strings.Contains(err.Error(), page) {
		t.Errorf("a page without the mark: %v", err)
	}
}

func TestShortenDescription(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ description, want string }{
		"one paragraph":            {"Looks up a group.", "Looks up a group."},
		"a link in a sentence":     {"Of the Chainguard https://www.chainguard.dev platform.", "Of the Chainguard platform."},
		"a link that ends one":     {"See Leftovers ../guides/leftovers.md. Then go on.", "See Leftovers. Then go on."},
		"paragraphs":               {"Creates a code.\n  ~> Once.\n  Requires Terraform 1.10.", "Creates a code."},
		"an empty line at the end": {"Lists invites.\n", "Lists invites."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const body = "\n---\n\n# Title\n\ndescription: https://example.com\n\n---\n"
			page, err := shortenDescription("---\npage_title: Title\ndescription: |-\n  " + test.description + body)
			if want := "---\npage_title: Title\ndescription: |-\n  " + test.want + body; page != want || err != nil {
				t.Errorf("the page is\n%s\nwant\n%s\nerror %v", page, want, err)
			}
		})
	}
	if _, err := shortenDescription("# Title\n"); err == nil {
		t.Error("a page without a description is no error")
	}
}
