package docs_test

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What links from the registry to the repository begin with.
var ourRepository = regexp.MustCompile(`^https://github\.com/chainguard-invites/terraform-provider-chainguard/(?:tree|blob)/main/(.+)$`)

var link = regexp.MustCompile(`!?\[[^\]]*\]\(([^)\s]+)\)|<img [^>]*src="([^"]+)"`)

// No network is asked: a link to another site has to be well-formed, and one to our own files has to lead to one.
func TestDocs_links_leadSomewhere(t *testing.T) {
	t.Parallel()
	all := pages(t)
	for name, p := range all {
		for i, line := range strings.Split(inlineCode.ReplaceAllString(p.prose, "`code`"), "\n") {
			for _, match := range link.FindAllStringSubmatch(line, -1) {
				target := match[1] + match[2]
				if problem := followLink(all, name, target); problem != "" {
					t.Errorf("%s:%d: the link to %s: %s", name, i+1, target, problem)
				}
			}
		}
	}
}

// followLink says what is wrong with a link, or nothing.
func followLink(all map[string]page, from, target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return err.Error()
	}
	var file string
	switch ours := ourRepository.FindStringSubmatch(target); {
	case ours != nil:
		file, _, _ = strings.Cut(ours[1], "#")
	case u.IsAbs():
		if u.Scheme != "https" || u.Host == "" {
			return "it is not an https link"
		}
		return ""
	case strings.HasPrefix(target, "/"):
		return "it leads to the top of whatever site shows it"
	case u.Path == "":
		file = from
	default:
		file = path.Join(path.Dir(from), u.Path)
		// The registry shows what is in docs/ and nothing else.
		if strings.HasPrefix(from, "docs/") && !strings.HasPrefix(file, "docs/") {
			return "the registry has no such page: write the link to GitHub in full"
		}
	}
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(file))); err != nil {
		return "there is no such file"
	}
	if u.Fragment != "" {
		if to, ok := all[file]; !ok || !slices.Contains(to.anchors(), u.Fragment) {
			return "the page has no such heading"
		}
	}
	return ""
}
