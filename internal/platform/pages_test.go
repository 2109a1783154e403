package platform

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

func TestPager_invalidListings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fetch func(n int) page[string]
		says  string
		pages int
	}{
		"the same page token again": {func(n int) page[string] { return page[string]{items: []string{fmt.Sprint(n)}, next: "again"} }, "page 2 is followed by itself", 2},
		"a cycle of pages": {func(n int) page[string] {
			return page[string]{items: []string{fmt.Sprint(n % 3)}, next: fmt.Sprint("token", n%3)}
		}, "held nothing new", 3 + maxStale},
		"endless empty pages": {func(n int) page[string] { return page[string]{next: fmt.Sprint(n)} }, "held nothing new", maxStale},
		"always another page": {func(n int) page[string] { return page[string]{items: []string{fmt.Sprint(n)}, next: fmt.Sprint(n)} }, "more than 5000 pages", maxPages},
	} {
		n := 0
		p := pager[string]{
			id:    func(s string) string { return s },
			fetch: func(context.Context, string) (page[string], error) { n++; return test.fetch(n), nil },
		}
		_, err := p.all(t.Context())
		if err == nil || !strings.Contains(err.Error(), test.says) || n != test.pages {
			t.Errorf("%s: %d pages, error %v; want %d pages and %q", name, n, err, test.pages, test.says)
		}
	}
}

func TestPager_emptyPagesInBetween(t *testing.T) {
	t.Parallel()
	n := 0
	p := pager[string]{id: func(s string) string { return s }, fetch: func(context.Context, string) (page[string], error) {
		n++
		answer := page[string]{next: fmt.Sprint(n)}
		switch {
		case n == 4*maxStale:
			answer.next = ""
		case n%(maxStale-1) == 0:
			answer.items = []string{fmt.Sprint(n), "the same on each"}
		}
		return answer, nil
	}}
	all, err := p.all(t.Context())
	if err != nil || len(all) != 4+1 {
		t.Errorf("got %q, error %v", all, err)
	}
}

// A listing has a deadline as a whole, even if each page arrives in time.
func TestClient_deadline_wholeOperation(t *testing.T) {
	t.Parallel()
	for name, operation := range map[string]func(ctx context.Context, f *fixture) error{
		"invites": func(ctx context.Context, f *fixture) error {
			for _, err := range f.client.Invites(ctx, Scope{GroupID: f.group}) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"a group's name": func(ctx context.Context, f *fixture) error {
			_, err := f.client.FindGroup(ctx, "nowhere.example")
			return err
		},
		"a role's name": func(ctx context.Context, f *fixture) error {
			_, err := f.client.FindRole(ctx, "nothing", f.group)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, func(s *setup) { s.realTime = true })
			f.client.limits.list, f.client.limits.lookup = 100*time.Millisecond, 100*time.Millisecond
			f.fill(f.group, 5*pageSize)
			for i := range 5 * pageSize {
				f.AddGroup(f.group, fmt.Sprint("group-", i), begin)
				f.AddRole(f.group, fmt.Sprint("role-", i))
			}
			f.Inject(emulator.Fault{Delay: 60 * time.Millisecond})

			e := problem(t, operation(t.Context(), f))

			if e.Code != codes.DeadlineExceeded {
				t.Errorf("ended with %s", e.Code)
			}
			wantText(t, e.Message, "took longer than 100ms")
			if got := f.Count(""); got > 3 {
				t.Errorf("%d calls were made", got)
			}
		})
	}
}

// A listing without an end fails even before its deadline.
func TestClient_deadline_endlessPages(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.fill(f.group, 10)
	f.Inject(emulator.Fault{EndlessPages: true})
	for _, err := range f.client.Invites(t.Context(), Scope{GroupID: f.group}) {
		if err != nil {
			wantText(t, problem(t, err).Message, "cannot be used", "page")
		}
	}
	if got := f.Count(""); got > 2+maxStale {
		t.Errorf("%d calls were made", got)
	}
}

func TestLookup_role_withoutAGroup(t *testing.T) {
	t.Parallel()
	f := start(t)
	managed := f.Role("viewer")
	f.AddRole(f.Group("acme.example"), "viewer")
	role, err := f.client.FindRole(t.Context(), "viewer", "")
	if err != nil || role.ID != managed {
		t.Errorf("found %v, error %v; want Chainguard's own", role, err)
	}
	f.AddRole(f.Group("acme.example"), "deployer")
	f.AddRole(f.group, "deployer")
	_, err = f.client.FindRole(t.Context(), "deployer", "")
	wantText(t, fmt.Sprint(err), "2 roles", "set `group`")
}

func TestLookup_group_suggestsPaths(t *testing.T) {
	t.Parallel()
	f := start(t)
	_, err := f.client.FindGroup(t.Context(), "something-else-entirely")
	wantText(t, fmt.Sprint(err), "acme.example, ", folder)
}

// A caller that gives up a shared lookup gets an explanation.
func TestLookup_group_interrupted(t *testing.T) {
	t.Parallel()
	f := start(t)
	ctx, interrupt := context.WithCancel(t.Context())
	f.Inject(emulator.Fault{Method: "ListGroups", Hang: true, Match: func(proto.Message) bool { interrupt(); return true }})
	_, err := f.client.FindGroup(ctx, "acme.example")
	if e := problem(t, err); e.Code != codes.Canceled {
		t.Errorf("ended with %s", e.Code)
	}
	wantText(t, err.Error(), "looking up group", "interrupted")
}
