package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A tag can be moved to other code, a commit cannot. The comment is for people, and for the updates.
var pinned = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)

func TestWorkflows_actions_arePinnedByCommit(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are %d workflows, error %v", len(files), err)
	}
	commits := map[string]string{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`(?m)\buses: *(.+)$`).FindAllStringSubmatch(string(content), -1) {
			action := strings.TrimSpace(match[1])
			if strings.HasPrefix(action, "./") {
				continue
			}
			if !pinned.MatchString(action) {
				t.Errorf("%s: %q is not pinned as owner/name@commit # vX.Y.Z", filepath.Base(file), action)
			}
			name, commit, _ := strings.Cut(action, "@")
			if other, ok := commits[name]; ok && other != commit {
				t.Errorf("%s: %s is used at two versions", filepath.Base(file), name)
			}
			commits[name] = commit
		}
	}
}
