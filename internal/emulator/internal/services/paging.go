package services

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"sort"
	"strings"
	"time"

	common "chainguard.dev/sdk/proto/platform/common/v1"
	"chainguard.dev/sdk/uidp"
)

const (
	defaultPageSize = 50
	maxPageSize     = 200
	// pageTokenLifetime is how long a page token continues a list. After that the platform silently starts the list
	// again.
	pageTokenLifetime = 3 * 24 * time.Hour
)

// pageRequest is what every List request has.
type pageRequest interface {
	GetPageSize() int32
	GetPageToken() string
	GetOrderBy() string
	GetSkip() int32
}

// page is what every List response has.
type page[T any] struct {
	items   []T
	next    string
	total   int64
	skipped int32
}

// sortKey is a field that a list can be ordered by. Compare and text agree on the order; text is what a page token
// keeps of the last item of a page.
type sortKey[T any] struct {
	compare func(a, b T) int
	text    func(T) string
}

// byText orders by something that is text to begin with.
func byText[T any](text func(T) string) sortKey[T] {
	return sortKey[T]{func(a, b T) int { return strings.Compare(text(a), text(b)) }, text}
}

// byTime orders by a time.
func byTime[T any](at func(T) time.Time) sortKey[T] {
	return sortKey[T]{
		compare: func(a, b T) int { return at(a).Compare(at(b)) },
		text:    func(t T) string { return at(t).UTC().Format("2006-01-02T15:04:05.000000000Z") },
	}
}

// pageToken is what the opaque token of the next page holds. It names the last item rather than a position, so that
// what is created or deleted between two pages makes neither repeat nor leave out an item.
type pageToken struct {
	Order   string    `json:"o"`
	Key     string    `json:"k"`
	Tie     string    `json:"i"`
	Skipped int32     `json:"s,omitempty"`
	Issued  time.Time `json:"t"`
}

func (t pageToken) String() string {
	b, err := json.Marshal(t)
	if err != nil {
		panic(err) // strings, a number and a time
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// StalePageToken starts a list again from the beginning, as each page token does once it is three days old.
var StalePageToken = pageToken{}.String()

// listing describes what is listed. The tie key orders what is equal by the key that was asked for; no two items have
// the same.
type listing[T any] struct {
	tie          sortKey[T]
	keys         map[string]sortKey[T]
	defaultOrder string
}

// page sorts the items and returns those that the request is for.
func (l listing[T]) page(items []T, request pageRequest, now time.Time) (page[T], error) {
	var wrong violations
	if request.GetPageSize() < 0 {
		wrong.add("page_size", "must not be negative, is %d", request.GetPageSize())
	}
	if request.GetSkip() < 0 {
		wrong.add("skip", "must not be negative, is %d", request.GetSkip())
	}
	order, key, descending := l.order(request.GetOrderBy(), &wrong)
	after := decodePageToken(request.GetPageToken(), order, now, &wrong)
	if err := wrong.err(); err != nil {
		return page[T]{}, err
	}

	slices.SortFunc(items, func(a, b T) int {
		c := key.compare(a, b)
		if c == 0 {
			c = l.tie.compare(a, b)
		}
		if descending {
			return -c
		}
		return c
	})

	result := page[T]{total: int64(len(items))}
	start := 0
	if after != nil {
		result.skipped = after.Skipped
		start = sort.Search(len(items), func(i int) bool {
			c := strings.Compare(key.text(items[i]), after.Key)
			if c == 0 {
				c = strings.Compare(l.tie.text(items[i]), after.Tie)
			}
			if descending {
				return c < 0
			}
			return c > 0
		})
	}
	skip := min(int(request.GetSkip()), len(items)-start)
	start += skip
	result.skipped += int32(skip)

	size := int(request.GetPageSize())
	if size == 0 {
		size = defaultPageSize
	}
	end := min(start+min(size, maxPageSize), len(items))
	result.items = items[start:end]
	if end < len(items) {
		last := items[end-1]
		result.next = pageToken{
			Order:   order,
			Key:     key.text(last),
			Tie:     l.tie.text(last),
			Skipped: result.skipped,
			Issued:  now,
		}.String()
	}
	return result, nil
}

// order reads "field", "field asc" or "field desc".
func (l listing[T]) order(orderBy string, wrong *violations) (normal string, key sortKey[T], descending bool) {
	if orderBy == "" {
		orderBy = l.defaultOrder
	}
	words := strings.Fields(orderBy)
	if len(words) == 1 {
		words = append(words, "asc")
	}
	ok := len(words) == 2 && (strings.EqualFold(words[1], "asc") || strings.EqualFold(words[1], "desc"))
	if ok {
		key, ok = l.keys[words[0]]
	}
	if !ok {
		fields := make([]string, 0, len(l.keys))
		for name := range l.keys {
			fields = append(fields, name)
		}
		slices.Sort(fields)
		wrong.add("order_by", "%q is not one of the fields %s, followed by asc, desc or nothing", orderBy, strings.Join(fields, ", "))
		return "", key, false
	}
	return words[0] + " " + strings.ToLower(words[1]), key, strings.EqualFold(words[1], "desc")
}

// decodePageToken returns nil where the list starts at the beginning.
func decodePageToken(text, order string, now time.Time, wrong *violations) *pageToken {
	if text == "" {
		return nil
	}
	var token pageToken
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &token)
	}
	switch {
	case err != nil:
		wrong.add("page_token", "is not a token that a List response gave")
	case now.Sub(token.Issued) > pageTokenLifetime:
		return nil
	case order != "" && token.Order != order:
		wrong.add("page_token", "is for the order %q, not %q: start again from the first page", token.Order, order)
	default:
		return &token
	}
	return nil
}

// matches applies the UIDP filter that every List request has. Of what it asks for, everything must hold.
func matches(f *common.UIDPFilter, uid string) bool {
	switch {
	case f == nil:
		return true
	case f.GetAncestorsOf() != "" && !uidp.IsAncestor(uid, f.GetAncestorsOf()),
		f.GetDescendantsOf() != "" && !uidp.IsAncestor(f.GetDescendantsOf(), uid),
		f.GetChildrenOf() != "" && !isChild(f.GetChildrenOf(), uid),
		f.GetInRoot() && !uidp.InRoot(uid),
		len(f.GetIds()) > 0 && !slices.Contains(f.GetIds(), uid):
		return false
	}
	return true
}

// isChild avoids uidp.Parent, which is too slow for thousands of calls.
func isChild(parent, uid string) bool {
	return uidp.IsAncestor(parent, uid) && !strings.Contains(uid[len(parent)+1:], "/")
}
