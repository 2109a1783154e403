package platform

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// readAll reads each of the invites once, with this parallelism, and checks the results.
func (f *fixture) readAll(t testing.TB, ids []string, parallelism int) {
	t.Helper()
	next := make(chan string)
	var all sync.WaitGroup
	for range parallelism {
		all.Go(func() {
			for id := range next {
				invite, err := f.client.ReadInvite(t.Context(), id)
				if err != nil {
					t.Errorf("reading %s: %v", id, err)
				} else if invite.ID != id || invite.GroupID == "" || invite.ExpiresAt.IsZero() {
					t.Errorf("reading %s answered %+v", id, invite)
				}
			}
		})
	}
	for _, id := range ids {
		next <- id
	}
	close(next)
	all.Wait()
}

// groups creates n groups.
func (f *fixture) groups(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = f.AddGroup(f.Group("acme.example"), fmt.Sprint("team-", i), begin.AddDate(-1, 0, 0))
	}
	return ids
}

func TestReadInvite_batch_costsPerGroup(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		groups, each, others int // invites to read in each group, and other invites in it
		parallelism          int
		least, most          int // bounds of the number of calls
	}{
		{groups: 1, each: 1, parallelism: 1, least: 1, most: 1},
		{groups: 1, each: 1, others: 20_000, parallelism: 1, least: 1, most: 1},
		{groups: 1, each: 2, parallelism: 1, least: 2, most: 2},
		{groups: 1, each: 2, others: 20_000, parallelism: 1, least: 3, most: 3},
		{groups: 1, each: 3, others: 20_000, parallelism: 10, least: 4, most: 4},
		{groups: 1, each: 1000, parallelism: 1, least: 6, most: 7},
		{groups: 1, each: 1000, parallelism: 10, least: 6, most: 7},
		{groups: 1, each: 1000, parallelism: 50, least: 6, most: 7},
		{groups: 10, each: 100, parallelism: 10, least: 20, most: 25},
		{groups: 10, each: 1, parallelism: 10, least: 10, most: 10},
		// The listing is used once it has no more pages than there were reads.
		{groups: 1, each: 500, others: 3500, parallelism: 10, least: 25, most: 60},
		{groups: 1, each: 2000, parallelism: 10, least: 11, most: 30},
	} {
		t.Run(fmt.Sprintf("%d groups, %d each among %d, %d at a time", test.groups, test.each, test.others, test.parallelism), func(t *testing.T) {
			t.Parallel()
			f := start(t)
			var ids []string
			for _, group := range f.groups(test.groups) {
				f.fill(group, test.others/2)
				ids = append(ids, f.fill(group, test.each)...)
				f.fill(group, test.others-test.others/2)
			}

			f.readAll(t, ids, test.parallelism)

			if got := f.Count(""); got < test.least || got > test.most {
				t.Errorf("%d calls, want from %d to %d: %v", got, test.least, test.most, f.Counts())
			}
			t.Logf("%d reads: %v", len(ids), f.Counts())
		})
	}
}

func TestReadInvite_batch_longListOfUnknownLength(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.Inject(emulator.Fault{Method: "ListGroupInvites", Mutate: changing(func(r *iam.ListGroupInvitesResponse) { r.TotalCount = nil })})
	ids := f.fill(f.group, 2)
	f.fill(f.group, 3000)

	f.readAll(t, ids, 1)

	f.wantCalls(t, "ListGroupInvites", cheapPages)
	f.wantCalls(t, "GetGroupInvite", 2)
}

func TestReadInvite_batch_notFound(t *testing.T) {
	t.Parallel()
	f := start(t)
	ids := f.fill(f.group, 300)
	gone := map[string]bool{}
	for i := 0; i < len(ids); i += 10 {
		gone[ids[i]] = true
		f.DeleteInvite(ids[i])
	}
	for _, id := range ids {
		_, err := f.client.ReadInvite(t.Context(), id)
		if (err != nil) != gone[id] || err != nil && !IsNotFound(err) {
			t.Errorf("reading an invite that is gone (%t): %v", gone[id], err)
		}
	}
	f.wantCalls(t, "GetGroupInvite", 1+29) // the first read, and each other invite that is gone
}

func TestReadInvite_batch_inviteNewerThanTheList(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.readAll(t, f.fill(f.group, 50), 1)

	made, err := f.client.CreateInvite(t.Context(), f.spec())
	if err != nil {
		t.Fatal(err)
	}
	f.readAll(t, append(f.fill(f.group, 1), made.ID), 1)
}

func TestReadInvite_again_isFresh(t *testing.T) {
	t.Parallel()
	f := start(t)
	ids := f.fill(f.group, 1000)
	for _, id := range ids[990:] { // They are on the first page, so the listing does not reach its end.
		f.readAll(t, []string{id}, 1)
	}
	lists := f.Count("ListGroupInvites")
	for _, id := range ids[990:] {
		f.DeleteInvite(id)
		if _, err := f.client.ReadInvite(t.Context(), id); !IsNotFound(err) {
			t.Errorf("second read of an invite that is gone: %v", err)
		}
	}
	f.wantCalls(t, "ListGroupInvites", lists)
}

func TestReadInvite_batch_afterADelete(t *testing.T) {
	t.Parallel()
	f := start(t)
	ids := f.fill(f.group, 20)
	f.readAll(t, ids[:2], 1) // Now all invites are listed.
	if err := f.client.DeleteInvite(t.Context(), ids[5]); err != nil {
		t.Fatal(err)
	}
	if _, err := f.client.ReadInvite(t.Context(), ids[5]); !IsNotFound(err) {
		t.Errorf("reading it: %v", err)
	}
}

func TestReadInvite_batch_deleteWhileListing(t *testing.T) {
	t.Parallel()
	f := start(t)
	ids := f.fill(f.group, 20)
	f.readAll(t, ids[:1], 1)
	listed := make(chan struct{}, 1)
	f.Inject(emulator.Fault{
		Method: "ListGroupInvites", When: after, Delay: 150 * time.Millisecond,
		Match: func(proto.Message) bool { listed <- struct{}{}; return true },
	})
	var reading sync.WaitGroup
	reading.Go(func() { f.readAll(t, ids[1:2], 1) })
	<-listed // The page has the invite that is deleted next.
	if err := f.client.DeleteInvite(t.Context(), ids[5]); err != nil {
		t.Fatal(err)
	}
	reading.Wait()
	if _, err := f.client.ReadInvite(t.Context(), ids[5]); !IsNotFound(err) {
		t.Errorf("reading an invite that was revoked in the meantime: %v", err)
	}
}

func TestReadInvite_batch_listFails(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"at once": {Code: codes.Internal},
		"at the end": {Code: codes.Internal, Match: func(m proto.Message) bool {
			request, ok := m.(*iam.ListGroupInvitesRequest)
			return ok && request.GetPageToken() != ""
		}},
		"not to be used": {Mutate: changing(func(r *iam.ListGroupInvitesResponse) { r.GetGroupInvites()[7].Uid = "x" })},
		"short pages":    {Mutate: changing(func(r *iam.ListGroupInvitesResponse) { r.GroupInvites = r.GetGroupInvites()[:10] })},
		"no total":       {Mutate: changing(func(r *iam.ListGroupInvitesResponse) { r.TotalCount = nil })},
		"wrong total":    {Mutate: changing(func(r *iam.ListGroupInvitesResponse) { r.TotalCount = new(int64) })},
		"the same page":  {Mutate: changing(func(r *iam.ListGroupInvitesResponse) { r.NextPageToken = "again" })},
		"hangs":          {Hang: true},
		"of other groups": {Mutate: changing(func(r *iam.ListGroupInvitesResponse) {
			for _, invite := range r.GetGroupInvites() {
				invite.Uid = "0123456789012345678901234567890123456789/0123456789abcdef"
			}
		})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var options []func(*setup)
			if fault.Hang {
				options = append(options, requestTimeout(time.Second))
			}
			f := start(t, options...)
			fault.Method = "ListGroupInvites"
			f.Inject(fault)
			f.readAll(t, f.fill(f.group, 300), 10)
		})
	}
}

func TestReadInvite_batch_pageTokenExpires(t *testing.T) {
	t.Parallel()
	f := start(t)
	ids := f.fill(f.group, 900)
	f.readAll(t, ids[898:], 1) // This takes a Get and the first page.
	f.clock.Advance(4 * 24 * time.Hour)
	f.readAll(t, ids[:898], 10)
	if got := f.Count(""); got > 12 {
		t.Errorf("%d calls: %v", got, f.Counts())
	}
}

func TestReadInvite_batch_outlivesACaller(t *testing.T) {
	t.Parallel()
	f := start(t)
	ids := f.fill(f.group, 20)
	f.readAll(t, ids[:1], 1)
	ctx, giveUp := context.WithCancel(t.Context())
	f.Inject(emulator.Fault{
		Method: "ListGroupInvites", When: after, Delay: 100 * time.Millisecond,
		Match: func(proto.Message) bool { giveUp(); return true },
	})
	var reading sync.WaitGroup
	reading.Go(func() {
		if _, err := f.client.ReadInvite(ctx, ids[1]); problem(t, err).Code != codes.Canceled {
			t.Errorf("the caller that gave up got %v", err)
		}
	})
	reading.Go(func() { f.readAll(t, ids[2:], 4) })
	reading.Wait()
	f.wantCalls(t, "ListGroupInvites", 1)
}

func TestReadInvite_batch_amongCreatesAndDeletes(t *testing.T) {
	t.Parallel()
	f := start(t)
	kept, doomed := f.fill(f.group, 400), f.fill(f.group, 100)
	var all sync.WaitGroup
	all.Go(func() { f.readAll(t, kept, 8) })
	all.Go(func() {
		for _, id := range doomed {
			if err := f.client.DeleteInvite(t.Context(), id); err != nil {
				t.Error(err)
			}
			if _, err := f.client.ReadInvite(t.Context(), id); !IsNotFound(err) {
				t.Errorf("a revoked invite: %v", err)
			}
		}
	})
	all.Go(func() {
		for range 100 {
			made, err := f.client.CreateInvite(t.Context(), f.spec())
			if err != nil {
				t.Error(err)
				return
			}
			f.readAll(t, []string{made.ID}, 1)
		}
	})
	all.Wait()
}

func TestReadInvite_batch_memory(t *testing.T) {
	t.Parallel()
	f := start(t)
	const n = 10_000
	ids := f.fill(f.group, n)
	f.readAll(t, ids, 10)

	group := f.client.reads.groups[f.group]
	if got := len(group.listed); got > 200 {
		t.Errorf("%d invites are kept after each was read", got)
	}
	t.Logf("%d reads: %v", n, f.Counts())
}
