package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
)

// finish does what tfplugindocs has no template function for: it puts the table of settings into its page, and shortens
// the descriptions in the front matter.
func finish(docs string) error {
	if err := addSettings(filepath.Join(docs, "guides", "authentication.md")); err != nil {
		return err
	}
	return filepath.WalkDir(docs, func(page string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(page) != ".md" {
			return err
		}
		return rewrite(page, shortenDescription)
	})
}

// settingsMark is the line of a template that the table of settings replaces.
const settingsMark = "<!-- The table of settings is generated. -->\n"

func addSettings(page string) error {
	return rewrite(page, func(text string) (string, error) {
		before, after, found := strings.Cut(text, settingsMark)
		if !found {
			return "", fmt.Errorf("%s has no line %q", page, strings.TrimSpace(settingsMark))
		}
		return before + config.MarkdownTable() + after, nil
	})
}

var (
	// description matches the description in the front matter, which has a line for each paragraph.
	description = regexp.MustCompile(`(?m)^description: \|-\n  (.*)\n(?:(?:  .*)?\n)*---$`)
	// linkTarget matches what is left of a link's target in plain text.
	linkTarget = regexp.MustCompile(` (?:https://|\.\./)\S*[\w/]`)
)

// shortenDescription keeps the first paragraph of the description, without the targets of its links: search engines and
// the registry show it as plain text, in a line or two.
func shortenDescription(page string) (string, error) {
	found := description.FindStringSubmatch(page)
	if found == nil {
		return "", fmt.Errorf("no description in the front matter of %.100q", page)
	}
	plain := "description: |-\n  " + linkTarget.ReplaceAllLiteralString(found[1], "") + "\n---"
	return strings.Replace(page, found[0], plain, 1), nil
}

func rewrite(page string, change func(string) (string, error)) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	changed, err := change(string(text))
	if err != nil {
		return err
	}
	return os.WriteFile(page, []byte(changed), 0o644) //nolint:gosec // G306: docs are for everyone.
}
