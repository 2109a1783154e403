package platform

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// maxSuggested is the maximum number of names in an error.
const maxSuggested = 24

// suggest completes a sentence about an unknown name with the nearest of names, all of names, or none. If the name is a
// path, its last part is compared as well.
func suggest(name string, names []string, none string) string {
	names = unique(names)
	if len(names) == 0 {
		return " " + none
	}
	nearest, distance := "", max(2, len(name)/3)+1
	for _, candidate := range names {
		last := candidate[strings.LastIndex(candidate, "/")+1:]
		if d := min(levenshtein.Distance(name, candidate, nil), levenshtein.Distance(name, last, nil)); d < distance {
			nearest, distance = candidate, d
		}
	}
	if nearest != "" {
		return fmt.Sprintf(" Did you mean %q?", nearest)
	}
	more := ""
	if len(names) > maxSuggested {
		more = fmt.Sprintf(" and %d more", len(names)-maxSuggested)
		names = names[:maxSuggested]
	}
	return " There are: " + strings.Join(names, ", ") + more + "."
}

// unique returns texts sorted and without duplicates.
func unique(texts []string) []string {
	texts = slices.Clone(texts)
	slices.Sort(texts)
	return slices.Compact(texts)
}
