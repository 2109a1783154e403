package docs_test

import (
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The project uses the words of chainctl, Terraform and gRPC: an invite code is created, is valid, expires, is accepted,
// deleted or revoked, and listed. Here are words that must not take their place.
var otherWords = map[string]string{
	`redeem\w*`:                        "accept",
	`(?:re-?)?mint(?:s|ed|ing|er)?`:    "create",
	`(?:time|ttl|lifetime|it) is over`: "expires",
	`time (?:runs|ran) out`:            "expires",
	`who(?:ever|soever)`:               "anyone who",
	`(?:some|any|every|no)body`:        "a person, anyone, everyone, no one",
	`headlines?`:                       "title",
	`(?:is|are) to be`:                 "must be, will be",
	`what people`:                      "how the thing is named",
}

func TestWords_areThoseOfChainctlAndTerraform(t *testing.T) {
	t.Parallel()
	// Names are no words.
	names := regexp.MustCompile(`\bnobody@|\bhttp\.NoBody\b`)
	expressions := map[*regexp.Regexp]string{}
	for expression, instead := range otherWords {
		expressions[regexp.MustCompile(`(?i)\b(?:`+expression+`)\b`)] = instead
	}
	inIdentifiers := regexp.MustCompile(`\b\w*(?:Redeem|Mint(?:s|ed|ing)?(?:[A-Z]|\b)|Nobody|Somebody|Everybody|Anybody|Whoever|Headline)\w*`)
	expressions[inIdentifiers] = "as in prose"
	checked := 0
	for _, name := range textFiles(t) {
		checked++
		number := 0
		for line := range strings.Lines(names.ReplaceAllString(readFile(t, name), "@")) {
			number++
			for expression, instead := range expressions {
				if found := expression.FindString(line); found != "" {
					t.Errorf("%s:%d: %q: use %q", name, number, found, instead)
				}
			}
		}
	}
	if checked < 100 {
		t.Fatalf("only %d files were checked", checked)
	}
}

// textFiles are the files of the project that have prose or code.
func textFiles(t *testing.T) (names []string) {
	t.Helper()
	listed, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Skip(err)
	}
	deleted, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "-z", "--deleted").Output()
	if err != nil {
		t.Skip(err)
	}
	missing := append(strings.Split(string(deleted), "\x00"), "LICENSE", "internal/docs/words_test.go")
	kinds := []string{".go", ".md", ".tmpl", ".tf", ".hcl", ".yml", ".yaml", ".sh", ""}
	for name := range strings.SplitSeq(strings.Trim(string(listed), "\x00"), "\x00") {
		if slices.Contains(kinds, path.Ext(name)) && !slices.Contains(missing, name) {
			names = append(names, name)
		}
	}
	return names
}
