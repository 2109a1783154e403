package platform

import (
	"context"
	"fmt"
	"time"
)

const (
	// pageSize is the platform's maximum.
	pageSize = 200

	// maxPages limits a listing to 1,000,000 invites.
	maxPages = 5000

	// maxStale limits the consecutive pages without new items. A page may be empty, because the platform omits what the
	// caller may not see, but a listing of only such pages may never end.
	maxStale = 50
)

// page is one page of a listing.
type page[T any] struct {
	items []T
	next  string    // token of the next page, empty after the last
	total int64     // number of items in the listing, negative if unknown
	asOf  time.Time // when the platform responded
}

// pager iterates over the pages of a listing. It is not safe for concurrent use.
type pager[T any] struct {
	fetch func(ctx context.Context, token string) (page[T], error)
	id    func(T) string

	token string
	pages int
	stale int
	seen  map[string]struct{}
	done  bool
}

// next fetches the next page, without items of earlier pages, because a new item shifts others to the next page. It
// must not be called after an error or after the last page, which sets done.
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

// pagingError reports a listing with invalid pages.
type pagingError struct{ text string }

// Error implements [error].
func (e *pagingError) Error() string { return e.text }
