package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	architecture = "ARCHITECTURE.md"
	module       = "github.com/chainguard-invites/terraform-provider-chainguard"
)

// The picture has an arrow for each import between the packages that it shows. The packages that it lists as the base
// have no arrows: any package may import them, and they import each other only.
func TestArchitecture_picture_showsTheImports(t *testing.T) {
	t.Parallel()
	picture := pictureOf(t)
	imports := packageImports(t)

	drawn, actual := map[string][]string{}, map[string][]string{}
	for from := range imports {
		if !slices.Contains(picture.nodes, from) && !slices.Contains(picture.base, from) {
			t.Errorf("%s does not show the package %s", architecture, from)
		}
	}
	for _, from := range slices.Concat(picture.nodes, picture.base) {
		if _, ok := imports[from]; !ok {
			t.Errorf("%s shows %s, which is no package", architecture, from)
		}
	}
	for from, targets := range imports {
		for _, to := range targets {
			switch {
			case slices.Contains(picture.base, from) && !slices.Contains(picture.base, to):
				t.Errorf("%s is in the base, but imports %s", from, to)
			case !slices.Contains(picture.base, to):
				actual[from] = append(actual[from], to)
			}
		}
	}
	for _, a := range picture.arrows {
		drawn[a.from] = append(drawn[a.from], a.to)
	}
	for _, targets := range drawn {
		slices.Sort(targets)
	}
	if diff := cmp.Diff(actual, drawn); diff != "" {
		t.Errorf("the arrows in %s are not the imports (-imports +arrows):\n%s", architecture, diff)
	}
	for _, a := range picture.arrows {
		if slices.Index(picture.nodes, a.from) > slices.Index(picture.nodes, a.to) {
			t.Errorf("the arrow from %s to %s does not point down: list %s first", a.from, a.to, a.from)
		}
	}
}

func TestArchitecture_shippedPackages_needNoTestBench(t *testing.T) {
	t.Parallel()
	imports := packageImports(t)
	shipped := []string{"main"}
	for i := 0; i < len(shipped); i++ {
		for _, to := range imports[shipped[i]] {
			if !slices.Contains(shipped, to) {
				shipped = append(shipped, to)
			}
		}
	}
	if len(shipped) < 5 {
		t.Fatalf("only %v seem to be shipped", shipped)
	}
	for _, name := range shipped {
		if top, _, _ := strings.Cut(name, "/"); top == "emulator" || top == "acctest" || top == "cmd" {
			t.Errorf("the provider depends on %s", name)
		}
	}
}

// Within a package, a file uses what is declared in the files below it and never the other way round, so that they can be
// read one after the other.
func TestArchitecture_files_formNoCycles(t *testing.T) {
	t.Parallel()
	for name := range packageImports(t) {
		if name == "main" {
			continue // It is one file.
		}
		if cycle := findCycle(fileUses(t, name)); cycle != nil {
			t.Errorf("internal/%s: the files need each other: %s", name, strings.Join(cycle, " -> "))
		}
	}
	if uses := fileUses(t, "platform"); len(uses) < 3 {
		t.Fatalf("platform: only %d files use others", len(uses))
	}
}

type arrow struct{ from, to string }

// picture is what the first Mermaid diagram shows.
type picture struct {
	nodes  []string // from top to bottom
	base   []string
	arrows []arrow
}

func pictureOf(t *testing.T) picture {
	t.Helper()
	blocks := readPage(t, architecture).blocksOf("mermaid")
	if len(blocks) != 1 {
		t.Fatalf("%s has %d Mermaid diagrams", architecture, len(blocks))
	}
	var p picture
	labels := map[string]string{}
	inBase := false
	for line := range strings.Lines(blocks[0]) {
		line = strings.TrimSpace(line)
		if node := regexp.MustCompile(`^(\w+)\["(.+?)"\]$`).FindStringSubmatch(line); node != nil {
			labels[node[1]] = node[2]
			if inBase {
				p.base = append(p.base, node[2])
			} else {
				p.nodes = append(p.nodes, node[2])
			}
		}
		if ends := regexp.MustCompile(`^(\w+) --> (\w+(?: & \w+)*)$`).FindStringSubmatch(line); ends != nil {
			for to := range strings.SplitSeq(ends[2], " & ") {
				p.arrows = append(p.arrows, arrow{labels[ends[1]], labels[to]})
			}
		}
		inBase = strings.HasPrefix(line, "subgraph base") || inBase && line != "end"
	}
	return p
}

// packageImports are the project's packages and which of each other they import, without their tests. A package is named
// as in internal/.
func packageImports(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && name != "." || name == "tools"):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		from := packageName(path.Dir(name))
		targets := found[from]
		for _, spec := range file.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if local, ok := strings.CutPrefix(target, module+"/"); ok {
				targets = append(targets, packageName(local))
			}
		}
		slices.Sort(targets)
		found[from] = slices.Compact(targets)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func packageName(folder string) string {
	if folder == "." {
		return "main"
	}
	return strings.TrimPrefix(folder, "internal/")
}

// fileUses are the files of a package, and which others of it each uses something from.
func fileUses(t *testing.T, name string) map[string][]string {
	t.Helper()
	folder := filepath.Join(root, "internal", name)
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, file := range names {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, parsed)
	}
	// What is imported does not matter here, so it need not be found.
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{}}
	checked, _ := (&types.Config{Importer: noImports{}, Error: func(error) {}}).Check(name, set, files, info)
	found := map[string]map[string]bool{}
	for ident, object := range info.Uses {
		if object.Pkg() != checked || !object.Pos().IsValid() {
			continue
		}
		from, to := filepath.Base(set.Position(ident.Pos()).Filename), filepath.Base(set.Position(object.Pos()).Filename)
		if from == to {
			continue
		}
		if found[from] == nil {
			found[from] = map[string]bool{}
		}
		found[from][to] = true
	}
	uses := map[string][]string{}
	for from, targets := range found {
		uses[from] = slices.Sorted(maps.Keys(targets))
	}
	return uses
}

// noImports has every imported package empty.
type noImports struct{}

func (noImports) Import(name string) (*types.Package, error) {
	empty := types.NewPackage(name, path.Base(name))
	empty.MarkComplete()
	return empty, nil
}

// findCycle returns the first cycle in a graph, nil if it has none.
func findCycle(edges map[string][]string) []string {
	done := map[string]bool{}
	var visit func(node string, way []string) []string
	visit = func(node string, way []string) []string {
		if i := slices.Index(way, node); i >= 0 {
			return append(slices.Clone(way[i:]), node)
		}
		if done[node] {
			return nil
		}
		for _, next := range edges[node] {
			if cycle := visit(next, append(way, node)); cycle != nil {
				return cycle
			}
		}
		done[node] = true
		return nil
	}
	for _, node := range slices.Sorted(maps.Keys(edges)) {
		if cycle := visit(node, nil); cycle != nil {
			return cycle
		}
	}
	return nil
}
