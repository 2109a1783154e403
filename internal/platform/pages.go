package platform

import (
	"context"
	"fmt"
	"time"
)

const (
	// pageSize is the most that the platform returns at once.
	pageSize = 200

	// maxPages bounds a listing: 1,000,000 invites.
	maxPages = 5000

	// maxStale is how many pages in a row may hold nothing new. A page may be empty, because the platform leaves out
	// what the caller may not see, but a listing of such pages alone has no end.
	maxStale = 50
)

// page is one answer of a listing.
type page[T any] struct {
	items []T
	next  string    // the token of the page that follows, empty after the last
	total int64     // how many items the listing has in all, negative if the platform does not tell
	asOf  time.Time // when the platform answered
}

// pager goes through the pages of a listing. It is not safe for concurrent use.
type pager[T any] struct {
	fetch func(ctx context.Context, token string) (page[T], error)
	id    func(T) string

	token string
	pages int
	stale int
	seen  map[string]struct{}
	done  bool
}

// next fetches the next page, without the items that an earlier page had: a new item moves others to the next page. It
// must not be called after the last page, which is when done is set, or after an error.
func (p *pager[T]) next(ctx context.Context) (page[T], error) {
	answer, err := p.fetch(ctx, p.token)
	if err != nil {
		return answer, err
	}
	p.pages++
	answer.items = p.unseen(answer.items)
	p.stale++
	if len(answer.items) > 0 {
		p.stale = 0
	}
	switch {
	case answer.next == "":
		p.done = true
	case answer.next == p.token:
		return answer, &pagingError{fmt.Sprintf("page %d is followed by itself", p.pages)}
	case p.stale == maxStale:
		return answer, &pagingError{fmt.Sprintf("the last %d of %d pages held nothing new", maxStale, p.pages)}
	case p.pages == maxPages:
		return answer, &pagingError{fmt.Sprintf("the listing goes on for more than %d pages", maxPages)}
	}
	p.token = answer.next
	return answer, nil
}

func (p *pager[T]) unseen(items []T) []T {
	if p.seen == nil {
		p.seen = map[string]struct{}{}
	}
	var fresh []T
	for _, item := range items {
		id := p.id(item)
		if _, again := p.seen[id]; !again {
			p.seen[id] = struct{}{}
			fresh = append(fresh, item)
		}
	}
	return fresh
}

// all returns the items of all pages.
func (p *pager[T]) all(ctx context.Context) ([]T, error) {
	var all []T
	for !p.done {
		answer, err := p.next(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, answer.items...)
	}
	return all, nil
}

// pagingError is a listing whose pages make no sense.
type pagingError struct{ text string }

// Error implements error.
func (e *pagingError) Error() string { return e.text }
