package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const troubleshooting = "docs/guides/troubleshooting.md"

// The guide has an entry for the summary of each error and warning.
func TestTroubleshooting_entries_areTheSummariesInTheCode(t *testing.T) {
	t.Parallel()
	explained := entries(t)
	said := append(summaries(t), borrowed...)
	for _, summary := range said {
		if !slices.Contains(explained, summary) {
			t.Errorf("%s has no entry for %q", troubleshooting, summary)
		}
	}
	for i, summary := range explained {
		if !slices.Contains(said, summary) {
			t.Errorf("%s explains %q, which the provider never says", troubleshooting, summary)
		}
		if slices.Contains(explained[:i], summary) {
			t.Errorf("%s explains %q twice", troubleshooting, summary)
		}
	}
}

// borrowed are the summaries of the checks that the provider has from the framework: those of `timeouts`, and of the data
// sources that find by one of two attributes.
var borrowed = []string{
	"Invalid Attribute Value Time Duration",
	"Missing Attribute Configuration",
}

var (
	entry           = regexp.MustCompile(`(?m)^### (.+)$`)
	summaryConstant = regexp.MustCompile(`(?m)^(?:const|\t)\s*summary\w+ += "(.+)"$`)
	literalSummary  = regexp.MustCompile(`\b(?:Add(?:Error|Warning)|New(?:Error|Warning)Diagnostic)\("|\bAddAttribute(?:Error|Warning)\([^,]+, "|\bSummary: +"`)
)

func entries(t *testing.T) (titles []string) {
	t.Helper()
	for _, match := range entry.FindAllStringSubmatch(readPage(t, troubleshooting).prose, -1) {
		titles = append(titles, match[1])
	}
	return titles
}

// summaries are the constants that the code has for them. It must not use any other text.
func summaries(t *testing.T) (all []string) {
	t.Helper()
	for _, folder := range []string{"internal/provider", "internal/config", "internal/duration"} {
		files, err := fs.Glob(os.DirFS(root), folder+"/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has %d files, error %v", folder, len(files), err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			code := readFile(t, name)
			for _, match := range summaryConstant.FindAllStringSubmatch(code, -1) {
				all = append(all, match[1])
			}
			for _, literal := range literalSummary.FindAllString(code, -1) {
				t.Errorf("%s: the summary after %q must be a constant", name, literal)
			}
		}
	}
	if len(all) < 40 {
		t.Fatalf("only %d summaries were found", len(all))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func text(node ast.Node) (string, bool) {
	literal, ok := node.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(literal.Value)
	return s, err == nil
}

// Two tables explain what errors say further down. What they quote has to be what the code says.
func TestTables_quoteTheCode(t *testing.T) {
	t.Parallel()
	for guide, folders := range map[string][]string{
		"docs/guides/authentication.md":    {"internal/auth", "internal/rpc"},
		"docs/guides/finding-leftovers.md": {"internal/platform"},
	} {
		said := ""
		for _, folder := range folders {
			said += texts(t, folder)
		}
		_, table, _ := strings.Cut(readFile(t, guide), "says |")
		table, _, _ = strings.Cut(table, "\n\n")
		rows := regexp.MustCompile(`(?m)^\| (.*?) \|`).FindAllStringSubmatch(table, -1)
		if len(rows) < 5 {
			t.Fatalf("%s: only %d rows were found", guide, len(rows))
		}
		for _, row := range rows {
			// What has backticks of its own stands between two.
			for _, quote := range regexp.MustCompile("`` (.+?) ``|`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
				for part := range strings.SplitSeq(quote[1]+quote[2], "...") {
					if part = strings.TrimSpace(part); !strings.Contains(said, part) {
						t.Errorf("%s quotes %q, which %s never says", guide, part, folders)
					}
				}
			}
		}
	}
}

// texts are all texts in the code of a folder, those that are put together from parts as well.
func texts(t *testing.T, folder string) string {
	t.Helper()
	var all strings.Builder
	packages, err := os.ReadDir(filepath.Join(root, folder))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range packages {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, folder, entry.Name()), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		end := token.NoPos
		ast.Inspect(file, func(node ast.Node) bool {
			s, ok := text(node)
			if !ok {
				return true
			}
			// A text that goes on where another ended is put together with it, by a plus sign and a line break.
			if node.Pos()-end > 24 {
				all.WriteString("\n")
			}
			end = node.End()
			all.WriteString(s)
			return true
		})
	}
	return all.String()
}
