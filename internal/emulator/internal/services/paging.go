package services

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	common "chainguard.dev/sdk/proto/platform/common/v1"
	"chainguard.dev/sdk/uidp"
)

const (
	defaultPageSize = 50
	maxPageSize     = 200
	// pageTokenLifetime is how long a page token continues a list. After that, the platform silently starts again.
	pageTokenLifetime = 3 * 24 * time.Hour
)

// pageRequest is what all List requests have in common.
type pageRequest interface {
	GetPageSize() int32
	GetPageToken() string
	GetOrderBy() string
	GetSkip() int32
}

// page is what all List responses have in common.
type page[T any] struct {
	items   []T
	next    string
	total   int64
	skipped int32
}

// timeKey returns a sort key for a time.
func timeKey(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }

// pageToken is the content of an opaque page token. It has the key of the last item rather than a position, so that
// nothing is repeated or skipped if items are created or deleted between two pages.
type pageToken struct {
	Order   string    `json:"o"`
	Key     string    `json:"k"`
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

// StalePageToken is a page token that starts the list again, as every token does after pageTokenLifetime.
var StalePageToken = pageToken{}.String()

// listing describes how a list can be ordered: by one of the keys, and then by the tie key, which is unique.
type listing[T any] struct {
	tie          func(T) string
	keys         map[string]func(T) string
	defaultOrder string
}

// page sorts the items and returns the page that the request asks for.
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

	type row struct {
		key  string
		item T
	}
	rows := make([]row, 0, len(items))
	for _, item := range items {
		rows = append(rows, row{key(item) + "\x00" + l.tie(item), item})
	}
	compare := func(r row, key string) int {
		if descending {
			return strings.Compare(key, r.key)
		}
		return strings.Compare(r.key, key)
	}
	slices.SortFunc(rows, func(a, b row) int { return compare(a, b.key) })

	result := page[T]{total: int64(len(rows))}
	if after != nil {
		result.skipped = after.Skipped
		start, found := slices.BinarySearchFunc(rows, after.Key, compare)
		if found {
			start++
		}
		rows = rows[start:]
	}
	skip := min(int(request.GetSkip()), len(rows))
	rows = rows[skip:]
	result.skipped += int32(skip)

	size := min(cmp.Or(int(request.GetPageSize()), defaultPageSize), maxPageSize)
	if len(rows) > size {
		rows = rows[:size]
		result.next = pageToken{Order: order, Key: rows[size-1].key, Skipped: result.skipped, Issued: now}.String()
	}
	result.items = make([]T, 0, len(rows))
	for _, r := range rows {
		result.items = append(result.items, r.item)
	}
	return result, nil
}

// each converts the items of a page to messages.
func each[T, M any](items []T, message func(T) M) []M {
	messages := make([]M, 0, len(items))
	for _, item := range items {
		messages = append(messages, message(item))
	}
	return messages
}

// order parses "field", "field asc" or "field desc".
func (l listing[T]) order(orderBy string, wrong *violations) (normal string, key func(T) string, descending bool) {
	words := strings.Fields(cmp.Or(orderBy, l.defaultOrder))
	if len(words) == 1 {
		words = append(words, "asc")
	}
	ok := len(words) == 2 && (strings.EqualFold(words[1], "asc") || strings.EqualFold(words[1], "desc"))
	if ok {
		key, ok = l.keys[words[0]]
	}
	if !ok {
		fields := strings.Join(slices.Sorted(maps.Keys(l.keys)), ", ")
		wrong.add("order_by", "%q is not one of the fields %s, followed by asc, desc or nothing", orderBy, fields)
		return "", key, false
	}
	return words[0] + " " + strings.ToLower(words[1]), key, strings.EqualFold(words[1], "desc")
}

// decodePageToken decodes a page token. It returns nil if the list starts at the beginning.
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

// matches reports whether a UIDP meets all conditions of a filter.
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

// isChild avoids uidp.Parent, which is too slow for long lists.
func isChild(parent, uid string) bool {
	return uidp.IsAncestor(parent, uid) && !strings.Contains(uid[len(parent)+1:], "/")
}
