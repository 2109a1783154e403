package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const troubleshooting = "docs/guides/troubleshooting.md"

// The guide promises every headline.
func TestTroubleshootingHasEveryHeadlineAndNoOther(t *testing.T) {
	t.Parallel()
	p := readPage(t, troubleshooting)
	var explained []string
	for _, match := range regexp.MustCompile(`(?m)^### (.+)$`).FindAllStringSubmatch(p.prose, -1) {
		explained = append(explained, match[1])
	}
	slices.Sort(explained)
	said := append(headlines(t), borrowed...)
	for _, headline := range said {
		if !slices.Contains(explained, headline) {
			t.Errorf("%s has no entry for %q", troubleshooting, headline)
		}
	}
	for i, headline := range explained {
		if !slices.Contains(said, headline) {
			t.Errorf("%s explains %q, which the provider never says", troubleshooting, headline)
		}
		if i > 0 && headline == explained[i-1] {
			t.Errorf("%s explains %q twice", troubleshooting, headline)
		}
	}
}

// borrowed are the headlines of the checks that the provider has from the framework: those of `recreate`, of `timeouts`,
// and of the data sources that are found by one of two attributes.
var borrowed = []string{
	"Invalid Attribute Value Match",
	"Invalid Attribute Value Time Duration",
	"Missing Attribute Configuration",
}

// headlines are the summaries of all diagnostics that the provider's code has.
func headlines(t *testing.T) []string {
	t.Helper()
	found := map[string]bool{}
	for _, folder := range []string{"internal/provider", "internal/config", "internal/duration"} {
		files, err := fs.Glob(os.DirFS(filepath.Join(root, folder)), "*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has %d files, error %v", folder, len(files), err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, folder, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(node ast.Node) bool {
				for _, headline := range headlinesOf(node) {
					found[headline] = true
				}
				return true
			})
		}
	}
	if len(found) < 20 {
		t.Fatalf("only %d headlines were found: the search is wrong", len(found))
	}
	return slices.Sorted(maps.Keys(found))
}

// addsDiagnostic matches the functions that take a summary: the framework's, and ours that wrap them.
var addsDiagnostic = regexp.MustCompile(`^(?i:add|new)\w*(?:Error|Warning)\w*$`)

func headlinesOf(node ast.Node) []string {
	switch node := node.(type) {
	case *ast.CallExpr:
		// The summary is the first text among the arguments, unless it is a constant.
		if !addsDiagnostic.MatchString(nameOf(node.Fun)) {
			return nil
		}
		for _, argument := range node.Args {
			if strings.HasPrefix(nameOf(argument), "summary") {
				return nil
			}
			if s, ok := text(argument); ok {
				return []string{s}
			}
		}
	case *ast.KeyValueExpr:
		if strings.EqualFold(nameOf(node.Key), "summary") {
			if s, ok := text(node.Value); ok {
				return []string{s}
			}
		}
	case *ast.ValueSpec:
		// The constants that summaries have.
		if len(node.Names) == 1 && len(node.Values) == 1 && strings.HasPrefix(node.Names[0].Name, "summary") {
			if s, ok := text(node.Values[0]); ok {
				return []string{s}
			}
		}
	}
	return nil
}

func nameOf(node ast.Expr) string {
	switch node := node.(type) {
	case *ast.Ident:
		return node.Name
	case *ast.SelectorExpr:
		return node.Sel.Name
	}
	return ""
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
func TestTablesQuoteWhatTheCodeSays(t *testing.T) {
	t.Parallel()
	for guide, folder := range map[string]string{
		"docs/guides/signing-in.md":        "internal/auth",
		"docs/guides/finding-leftovers.md": "internal/platform",
	} {
		said := texts(t, folder)
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
						t.Errorf("%s quotes %q, which %s never says", guide, part, folder)
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
