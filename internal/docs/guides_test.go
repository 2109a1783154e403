package docs_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The commands and the configuration of the guide are those of the README, which a test runs.
func TestGettingStarted_commands_areThoseOfTheREADME(t *testing.T) {
	t.Parallel()
	guide, tested := readPage(t, "docs/guides/getting-started.md"), readPage(t, "README.md")
	for _, language := range []string{"sh", "hcl"} {
		blocks := guide.blocksOf(language)
		if len(blocks) == 0 {
			t.Errorf("the guide has no block of %s", language)
		}
		for _, block := range blocks {
			if !slices.Contains(tested.blocksOf(language), block) {
				t.Errorf("README.md does not have this block of the guide:\n%s", block)
			}
		}
	}
}

func TestLimitations_sdkVersion_isTheOneInUse(t *testing.T) {
	t.Parallel()
	version := regexp.MustCompile(`chainguard\.dev/sdk (v\S+)`).FindStringSubmatch(readFile(t, "go.mod"))
	if version == nil {
		t.Fatal("go.mod has no SDK")
	}
	if said := "`chainguard.dev/sdk` " + version[1]; !strings.Contains(readFile(t, "docs/guides/limitations.md"), said) {
		t.Errorf("the guide does not say %s", said)
	}
}

// A configuration that is copied must not install a later version that breaks it.
func TestRequiredProviders_versions_arePinned(t *testing.T) {
	t.Parallel()
	texts := map[string]string{}
	for name, p := range pages(t) {
		for _, b := range p.blocks {
			texts[name] += b.text
		}
	}
	err := fs.WalkDir(os.DirFS(root), "examples", func(name string, _ fs.DirEntry, err error) error {
		if path.Ext(name) == ".tf" {
			texts[name] = readFile(t, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	requirement := regexp.MustCompile(`(?m)^ +source += "[^"/]+/[^"/]+"\n(.*)$`)
	found := 0
	for name, text := range texts {
		for _, match := range requirement.FindAllStringSubmatch(text, -1) {
			found++
			if !strings.Contains(match[1], "version = ") {
				t.Errorf("%s: a required provider has no version", name)
			}
		}
	}
	if found < 10 {
		t.Fatalf("found only %d required providers", found)
	}
}

// The first use of a term that is Chainguard's own links to the glossary.
func TestGuides_terms_linkToTheGlossary(t *testing.T) {
	t.Parallel()
	terms := map[string]*regexp.Regexp{
		"uidp":       regexp.MustCompile(`\bUIDPs?\b`),
		"capability": regexp.MustCompile(`\b[Cc]apabilit(?:y|ies)\b`),
	}
	checked := 0
	for name, p := range pages(t) {
		if path.Dir(name) != "docs/guides" || path.Base(name) == "glossary.md" {
			continue
		}
		_, prose, _ := strings.Cut(p.prose, "\n# ") // Without the front matter and the title.
		prose = heading.ReplaceAllString(inlineCode.ReplaceAllString(prose, ""), "")
		for anchor, term := range terms {
			first := term.FindStringIndex(prose)
			if first == nil {
				continue
			}
			checked++
			_, rest, _ := strings.Cut(prose[first[0]:], "]")
			if target, _, _ := strings.Cut(strings.TrimPrefix(rest, "("), ")"); !strings.HasSuffix(target, ".md#"+anchor) && !strings.HasPrefix(target, "authentication.md#") {
				t.Errorf("%s: the first use of %q does not link to the glossary", name, prose[first[0]:first[1]])
			}
		}
	}
	if checked < 8 {
		t.Fatalf("only %d terms were found", checked)
	}
}
