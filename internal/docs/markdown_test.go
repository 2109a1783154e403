// Package docs_test keeps the documentation honest: links lead somewhere, configurations validate, every error has its
// entry, and what a release is made of is well-formed.
package docs_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the top of the checkout.
const root = "../.."

// page is a Markdown file.
type page struct {
	name   string // from the top of the checkout, with slashes
	prose  string // without code, line by line as in the file
	blocks []block
}

// block is a fenced block of code.
type block struct {
	language, text string
	line           int
}

// pages are all Markdown files that belong to the project.
func pages(t *testing.T) map[string]page {
	t.Helper()
	found := map[string]page{}
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", ".bin", ".terraform", "dist"}, entry.Name()):
			return fs.SkipDir
		case !entry.IsDir() && path.Ext(name) == ".md":
			found[name] = readPage(t, name)
		}
		return nil
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("found %d pages, error %v", len(found), err)
	}
	return found
}

var inlineCode = regexp.MustCompile("`[^`\n]*`")

func readPage(t *testing.T, name string) page {
	t.Helper()
	p := page{name: name}
	var prose strings.Builder
	var open *block
	number := 0
	for line := range strings.Lines(readFile(t, name)) {
		number++
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && open == nil:
			open = &block{language: fence, line: number + 1}
			prose.WriteString("\n")
		case isFence:
			p.blocks = append(p.blocks, *open)
			open = nil
			prose.WriteString("\n")
		case open != nil:
			open.text += line
			prose.WriteString("\n")
		default:
			prose.WriteString(line)
		}
	}
	if open != nil {
		t.Errorf("%s:%d: the block of code does not end", name, open.line)
	}
	p.prose = prose.String()
	return p
}

// Search engines and the registry show the description of a page as plain text.
func TestDocs_descriptions_areShortAndPlain(t *testing.T) {
	t.Parallel()
	checked := 0
	for name, p := range pages(t) {
		if !strings.HasPrefix(name, "docs/") {
			continue
		}
		checked++
		_, description, _ := strings.Cut(p.prose, "description: |-\n")
		description, _, found := strings.Cut(description, "\n---\n")
		if !found || description == "" {
			t.Errorf("%s has no description", name)
		}
		if markup := regexp.MustCompile("\n|`|[~-]>|\\]\\(|://|\\.\\./|\\.md\\b|[*]{2}").FindString(description); markup != "" {
			t.Errorf("%s: the description has %q:\n%s", name, markup, description)
		}
	}
	if checked < 15 {
		t.Fatalf("only %d pages were checked", checked)
	}
}

// blocksOf are the texts of a page's blocks of code in a language.
func (p page) blocksOf(language string) (texts []string) {
	for _, b := range p.blocks {
		if b.language == language {
			texts = append(texts, b.text)
		}
	}
	return texts
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

var (
	heading    = regexp.MustCompile(`(?m)^#{1,6} +(.*?) *$`)
	namedPlace = regexp.MustCompile(`<a (?:id|name)="([^"]+)">`)
	noSlug     = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
	linkText   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// anchors are the places in a page that a link can lead to.
func (p page) anchors() []string {
	var found []string
	for _, match := range heading.FindAllStringSubmatch(p.prose, -1) {
		// As GitHub and the registries make them.
		slug := strings.ToLower(linkText.ReplaceAllString(match[1], "$1"))
		found = append(found, strings.ReplaceAll(noSlug.ReplaceAllString(slug, ""), " ", "-"))
	}
	for _, match := range namedPlace.FindAllStringSubmatch(p.prose, -1) {
		found = append(found, match[1])
	}
	return found
}
