package platform

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"chainguard.dev/sdk/uidp"
	"github.com/agext/levenshtein"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// NameError is a name that means nothing, or more than one thing. Its text says what there is.
type NameError struct {
	// Kind is "group" or "role".
	Kind string
	// Name is what was asked for.
	Name string
	// Ambiguous says that it means more than one thing.
	Ambiguous bool

	detail string
}

func (e *NameError) Error() string { return e.detail }

// maxSuggested bounds how many names an error lists.
const maxSuggested = 24

// suggest is the end of a sentence about a name that is not in names: the nearest, or else what there is, or none.
func suggest(name string, names []string, none string) string {
	names = unique(names)
	if len(names) == 0 {
		return " " + none
	}
	nearest, distance := "", max(2, len(name)/3)+1
	for _, candidate := range names {
		if d := levenshtein.Distance(name, candidate, nil); d < distance {
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

// unique sorts texts and drops those that stand there twice.
func unique(texts []string) []string {
	texts = slices.Clone(texts)
	slices.Sort(texts)
	return slices.Compact(texts)
}

// named is an answer about a group or a role.
type named interface {
	GetUid() string
	GetName() string
}

// checkNamed is an error where an answer lacks what every group and every role has.
func (c *Client) checkNamed(answer named, doing string) *Error {
	switch {
	case !uidp.Valid(answer.GetUid()):
		return c.unusable(doing, "its uid %q is no UIDP", redact.Text(answer.GetUid()))
	case len(answer.GetName()) > maxField:
		return c.unusable(doing, "the name of %s is %d bytes long", answer.GetUid(), len(answer.GetName()))
	default:
		return nil
	}
}

// findNew looks up what may have been created a moment ago and not be visible yet: NotFound is asked again.
func findNew[T any](ctx context.Context, c clock.Clock, find func() (T, error)) (T, error) {
	found, err := find()
	for wait := time.Second; IsNotFound(err) && wait <= 4*time.Second && c.Sleep(ctx, wait) == nil; wait *= 2 {
		found, err = find()
	}
	return found, err
}
