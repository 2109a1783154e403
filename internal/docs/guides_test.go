package docs_test

import (
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
