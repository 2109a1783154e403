package platform

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// loses drops the response to one create, before or after the commit. If then is not nil, it is called at the first.
func (f *fixture) loses(when emulator.When, then func()) {
	var first sync.Once
	f.Inject(emulator.Fault{
		Method: "CreateGroupInvite", When: when, Code: codes.Unavailable, Times: 1,
		Match: func(proto.Message) bool {
			if then != nil {
				first.Do(then)
			}
			return true
		},
	})
}

// idle waits until the platform has finished every create. It handles calls of broken connections in real time, while
// the client's waits take none.
func (f *fixture) idle() {
	for slices.ContainsFunc(f.Requests(), func(r emulator.Request) bool { return !r.Done && r.Method == "CreateGroupInvite" }) {
		runtime.Gosched()
	}
}

// another returns the client of another process on the same platform.
func (f *fixture) another(t testing.TB) *Client {
	t.Helper()
	return connect(t, Config{API: f.URL(), UserAgent: "other/1", Tokens: &tokens{current: f.AdminToken()}, Clock: f.clock, RequestTimeout: 10 * time.Second})
}

func TestCreateInvite_lost_costsTwoListingsAndOneDeletion(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.loses(after, nil)

	got, err := f.client.CreateInvite(t.Context(), f.spec())
	if err != nil {
		t.Fatal(err)
	}
	f.wantLive(t, got.ID)
	if got.InPlaceOf == "" || got.InPlaceOf == got.ID {
		t.Errorf("InPlaceOf is %q", got.InPlaceOf)
	}
	f.wantCalls(t, "CreateGroupInvite", 2)
	f.wantCalls(t, "ListGroupInvites", 2) // The first of them is before the first create.
	f.wantCalls(t, "DeleteGroupInvite", 1)
	f.wantCalls(t, "", 5)
}

func TestCreateInvite_lost_cleanupRetriesEveryFailure(t *testing.T) {
	t.Parallel()
	for _, code := range []codes.Code{codes.Internal, codes.Unknown, codes.Aborted, codes.Unavailable, codes.DataLoss} {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			f := start(t)
			f.loses(after, nil)
			const failures = 7 // more than other calls are tried
			f.Inject(emulator.Fault{Method: "ListGroupInvites", Code: code, Times: failures})
			f.Inject(emulator.Fault{Method: "DeleteGroupInvite", Code: code, Times: failures})

			got, err := f.client.CreateInvite(t.Context(), f.spec())
			if err != nil {
				t.Fatal(err)
			}
			f.wantLive(t, got.ID)
			f.wantCalls(t, "ListGroupInvites", failures+1)
			f.wantCalls(t, "DeleteGroupInvite", failures+1)
		})
	}
}

func TestCreateInvite_lost_cleanupSurvivesACallThatHangs(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"ListGroupInvites", "DeleteGroupInvite"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			f := start(t, func(s *setup) { s.realTime, s.client.RequestTimeout = true, time.Second })
			f.loses(after, nil)
			f.Inject(emulator.Fault{Method: method, Hang: true, Times: 1})

			got, err := f.client.CreateInvite(t.Context(), f.spec())
			if err != nil {
				t.Fatal(err)
			}
			f.wantLive(t, got.ID)
		})
	}
}

func TestCreateInvite_lost_parallelWithTheSameInputs(t *testing.T) {
	t.Parallel()
	const creates = 20
	var failed, tried atomic.Int32
	t.Cleanup(func() {
		// Nothing was tried if an earlier test failed and the run is ending.
		if tried.Load() > 0 && (failed.Load() == 0 || failed.Load() > tried.Load()*3/4) {
			t.Errorf("%d of %d creates failed, want some, but at most three quarters", failed.Load(), tried.Load())
		}
	})
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			f := start(t)
			f.waits.during = func(d time.Duration) {
				if d > 0 {
					f.idle()
				}
			}
			there := f.add(f.spec())
			if _, err := f.client.CreateInvite(t.Context(), f.spec()); err != nil { // This shows that the platform keeps milliseconds.
				t.Fatal(err)
			}
			want := f.live()
			for _, fault := range []emulator.Fault{
				{Probability: 0.1, When: before, Code: codes.Unavailable},
				{Probability: 0.1, When: after, Code: codes.Unavailable},
				{Probability: 0.1, When: after, Code: codes.DeadlineExceeded},
				{Probability: 0.1, When: before, Code: codes.ResourceExhausted},
				{Probability: 0.01, When: after, Drop: true}, // This ends all calls of the connection.
			} {
				fault.Method, fault.Seed = "CreateGroupInvite", seed
				f.Inject(fault)
			}

			var mu sync.Mutex
			var all sync.WaitGroup
			tried.Add(creates)
			for range creates {
				all.Go(func() {
					invite, err := f.client.CreateInvite(t.Context(), f.spec())
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						want = append(want, invite.ID)
						return
					}
					failed.Add(1)
					if left := problem(t, err).Left; !strings.Contains(left, noMatch) && !strings.Contains(left, wasDeleted) {
						t.Errorf("failed and says %q", left)
					}
				})
			}
			all.Wait()

			f.wantLive(t, want...)
			if !slices.Contains(want, there.UID) {
				t.Error("the existing invite is gone")
			}
		})
	}
}

// A tenth of 1,000 concurrent creates with the same inputs is lost. Each finds its own invite, and they share listings.
func TestCreateInvite_lost_manyAtOnce(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("creates 1,000 invites")
	}
	const creates, parallel, lost = 1000, 100, 100
	f := start(t)
	f.Inject(emulator.Fault{Method: "CreateGroupInvite", When: after, Code: codes.Unavailable, Times: lost})

	var mu sync.Mutex
	var want []string
	slots := make(chan struct{}, parallel)
	var all sync.WaitGroup
	for range creates {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			invite, err := f.client.CreateInvite(t.Context(), f.spec())
			if err != nil { // The second create was lost as well.
				wantText(t, problem(t, err).Left, wasDeleted)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			want = append(want, invite.ID)
		})
	}
	all.Wait()

	f.wantLive(t, want...)
	f.wantCalls(t, "DeleteGroupInvite", lost)
	if got := f.Count("ListGroupInvites"); got > lost {
		t.Errorf("there were %d listings for %d lost creates, so they were not shared", got, lost)
	}
}

// Two processes create the same invite at the same time, and one loses its response, before or after the commit. The
// invite of the other one stays.
func TestCreateInvite_lost_anotherProcessCreatesTheSame(t *testing.T) {
	t.Parallel()
	for _, when := range []emulator.When{before, after} {
		for _, known := range []bool{false, true} {
			for try := range 4 {
				t.Run(fmt.Sprintf("lost %d, precision known %t, try %d", when, known, try), func(t *testing.T) {
					t.Parallel()
					f := start(t)
					other := f.another(t)
					var want []string
					if known {
						first, err := f.client.CreateInvite(t.Context(), f.spec())
						if err != nil {
							t.Fatal(err)
						}
						want = append(want, first.ID)
					}
					var theirs *Invite
					var lost, created atomic.Bool
					f.loses(when, func() { lost.Store(true) })
					f.OnRequest("ListGroupInvites", func(proto.Message) {
						if !lost.Load() || created.Swap(true) {
							return
						}
						var err error
						if theirs, err = other.CreateInvite(t.Context(), f.spec()); err != nil {
							t.Error(err)
						}
					})

					got, err := f.client.CreateInvite(t.Context(), f.spec())

					want = append(want, theirs.ID)
					switch {
					case when == after && err == nil:
						want = append(want, got.ID)
					case when == after:
						t.Error(err)
					default:
						wantText(t, problem(t, err).Left, "may have succeeded", theirs.ID, "None was deleted")
					}
					f.wantLive(t, want...)
				})
			}
		}
	}
}

func TestCreateInvite_lost_keepsExistingInvites(t *testing.T) {
	t.Parallel()
	for _, ago := range []time.Duration{0, 10 * time.Millisecond, time.Second, time.Hour} {
		for _, when := range []emulator.When{before, after} {
			t.Run(fmt.Sprintf("%s ago, lost %d", ago, when), func(t *testing.T) {
				t.Parallel()
				f := start(t)
				there := f.add(f.spec())
				f.clock.Advance(ago)
				f.loses(when, nil)

				got, err := f.client.CreateInvite(t.Context(), f.spec())

				if when == after {
					if err != nil {
						t.Fatal(err)
					}
					f.wantLive(t, there.UID, got.ID)
					return
				}
				f.wantLive(t, there.UID)
				wantText(t, problem(t, err).Left, noMatch)
			})
		}
	}
}

// If hundreds of invites have the same inputs, for example from an earlier run, every mark belongs to one of them.
func TestCreateInvite_lost_everyMarkIsInUse(t *testing.T) {
	t.Parallel()
	for _, when := range []emulator.When{before, after} {
		f := start(t)
		var want []string
		for mark := time.Millisecond; mark <= maxMark; mark += time.Millisecond {
			spec := f.spec()
			spec.TTL -= mark
			want = append(want, f.add(spec).UID)
		}
		f.loses(when, nil)

		got, err := f.client.CreateInvite(t.Context(), f.spec())

		switch {
		case when == before:
			wantText(t, problem(t, err).Left, noMatch)
		case err != nil:
			t.Error(err)
		default:
			want = append(want, got.ID)
		}
		f.wantLive(t, want...)
	}
}

// If the existing invites are unknown, any invite of the last quarter of an hour may be the lost one.
func TestCreateInvite_lost_existingInvitesNotKnown(t *testing.T) {
	t.Parallel()
	for ago, known := range map[time.Duration]bool{0: false, nearby: false, nearby + time.Second: true} {
		for _, when := range []emulator.When{before, after} {
			f := start(t)
			there := f.add(f.spec())
			f.clock.Advance(ago)
			f.Inject(emulator.Fault{Method: "ListGroupInvites", Code: codes.Canceled, Times: 1})
			f.loses(when, nil)

			got, err := f.client.CreateInvite(t.Context(), f.spec())

			switch {
			case when == after && err == nil:
				f.wantLive(t, there.UID, got.ID)
				continue
			case when == after:
				t.Error(err)
			case known:
				wantText(t, problem(t, err).Left, noMatch)
			default:
				wantText(t, problem(t, err).Left, "may have succeeded", there.UID, "None was deleted")
			}
			f.wantLive(t, there.UID)
		}
	}
}

// The pages before an invalid one count.
func TestCreateInvite_lost_endlessListing(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.Inject(emulator.Fault{Method: "ListGroupInvites", EndlessPages: true})
	f.loses(after, nil)
	got, err := f.client.CreateInvite(t.Context(), f.spec())
	if err != nil {
		t.Fatal(err)
	}
	f.wantLive(t, got.ID)
}

// Searches share a listing, which continues if the search that started it ends.
func TestCreateInvite_lost_sharedListingOutlivesTheFirstSearch(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.Inject(emulator.Fault{Method: "ListGroupInvites", Hang: true, Times: 1})
	a := attempt{spec: f.spec()}
	first, second := f.client.cleanUp(t.Context()), f.client.cleanUp(t.Context())
	defer second.cancel()
	first.try = 200 * time.Millisecond
	go func() { _, _ = first.look(a, time.Time{}) }()
	for f.Count("ListGroupInvites") == 0 {
		runtime.Gosched()
	}
	time.AfterFunc(50*time.Millisecond, first.cancel) // By then, the second search has joined it.
	if _, err := second.look(a, time.Time{}); err != nil {
		t.Errorf("the listing ended with the search that began it: %v", err)
	}
}

// A platform whose lifetimes are off by some milliseconds can give one create the mark of another. If the other one
// deletes that invite, the response must not be accepted.
func TestCreateInvite_answeredWithADeletedInvite(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.Inject(emulator.Fault{Method: "CreateGroupInvite", Mutate: changing(func(answer *iam.GroupInvite) {
		f.client.attempts.claim(answer.GetUid())
		f.DeleteInvite(answer.GetUid())
	})})
	_, err := f.client.CreateInvite(t.Context(), f.spec())
	wantText(t, problem(t, err).Error(), "was deleted because it looked like one that was lost", noMatch)
	f.wantLive(t)
}

// roundingPlatform makes the platform round times to seconds.
func roundingPlatform(f *fixture) {
	f.Inject(emulator.Fault{Method: "CreateGroupInvite", Mutate: changing(func(answer *iam.GroupInvite) {
		f.SetInvite(answer.GetUid(), func(i *emulator.Invite) {
			i.Created, i.Expires = i.Created.Truncate(time.Second), i.Expires.Truncate(time.Second)
			answer.CreateTime, answer.ExpirationTime = timestamppb.New(i.Created), timestamppb.New(i.Expires)
		})
	})})
}

func TestCreateInvite_lost_platformThatRoundsLifetimes(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{false, true} {
		f := start(t)
		roundingPlatform(f)
		if known {
			if _, err := f.client.CreateInvite(t.Context(), f.spec()); err != nil {
				t.Fatal(err)
			}
		}
		f.loses(after, nil)

		_, err := f.client.CreateInvite(t.Context(), f.spec())

		want := 1
		if known {
			want++
		}
		live := f.live()
		if len(live) != want {
			t.Errorf("%d invites are valid, want %d", len(live), want)
		}
		wantText(t, problem(t, err).Left, "may have succeeded", "None was deleted", "chainctl iam invites delete")
		if !known {
			wantText(t, problem(t, err).Left, live...)
		}
		f.wantCalls(t, "DeleteGroupInvite", 0)
	}
}

func TestCreateInvite_platformThatRefusesTheMark(t *testing.T) {
	t.Parallel()
	for name, details := range map[string][]proto.Message{
		"violation": {&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "ttl", Description: "whole seconds only"}}}},
		"no detail": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			marked := func(request proto.Message) bool {
				create, ok := request.(*iam.CreateGroupInviteRequest)
				return ok && create.GetGroupInvite().GetTtl().AsDuration()%time.Second != 0
			}
			f.Inject(emulator.Fault{Method: "CreateGroupInvite", Code: codes.InvalidArgument, Details: details, Match: marked})
			for i, calls := range []int{2, 3} { // The second create is sent unmarked at once.
				got, err := f.client.CreateInvite(t.Context(), f.spec())
				if err != nil {
					t.Fatal(err)
				}
				if got.Lifetime() != week {
					t.Errorf("create %d: the lifetime is %s", i, got.Lifetime())
				}
				f.wantCalls(t, "CreateGroupInvite", calls)
			}

			// Without a mark, a lost invite can only be named.
			f.loses(after, nil)
			_, err := f.client.CreateInvite(t.Context(), f.spec())
			wantText(t, problem(t, err).Left, "may have succeeded", "None was deleted")
			if got := len(f.live()); got != 3 {
				t.Errorf("%d invites are valid, want 3", got)
			}
		})
	}
}

func TestCreateInvite_refusedForAnotherArgumentIsSentOnce(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.Inject(emulator.Fault{Method: "CreateGroupInvite", Code: codes.InvalidArgument, Details: []proto.Message{
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "email", Description: "is blocked"}}},
	}})
	_, err := f.client.CreateInvite(t.Context(), f.spec())
	if e := problem(t, err); e.Code != codes.InvalidArgument || e.Left != "" {
		t.Errorf("ended with %+v", e)
	}
	f.wantCalls(t, "CreateGroupInvite", 1)
	f.wantCalls(t, "ListGroupInvites", 1)
}

// A platform may execute a create, or list its invite, after it has returned an error.
func TestCreateInvite_lost_committedLate(t *testing.T) {
	t.Parallel()
	for _, late := range []time.Duration{500 * time.Millisecond, 5 * time.Second, 9 * time.Second} {
		for _, code := range []codes.Code{codes.Unavailable, codes.DeadlineExceeded, codes.Internal} {
			t.Run(fmt.Sprintf("%s after %s", late, code), func(t *testing.T) {
				t.Parallel()
				f := start(t)
				var request *iam.CreateGroupInviteRequest
				f.Inject(emulator.Fault{
					Method: "CreateGroupInvite", Code: code, Times: 1,
					Match: func(m proto.Message) bool { request, _ = m.(*iam.CreateGroupInviteRequest); return true },
				})
				sent := f.clock.Now()
				var commit sync.Once
				f.waits.during = func(time.Duration) {
					if f.clock.Now().Sub(sent) >= late {
						commit.Do(func() {
							spec := f.spec()
							spec.TTL = request.GetGroupInvite().GetTtl().AsDuration()
							f.add(spec)
						})
					}
				}

				got, err := f.client.CreateInvite(t.Context(), f.spec())
				if err != nil {
					t.Fatal(err)
				}
				f.wantLive(t, got.ID)
			})
		}
	}
}

func TestCreateInvite_lost_searchesForTenSecondsAfterAnyFailure(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"Internal":          {Code: codes.Internal},
		"Unavailable":       {Code: codes.Unavailable},
		"DeadlineExceeded":  {Code: codes.DeadlineExceeded},
		"broken connection": {Drop: true},
		"no answer":         {Hang: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, requestTimeout(time.Second))
			fault.Method, fault.Times = "CreateGroupInvite", 1
			f.Inject(fault)

			_, err := f.client.CreateInvite(t.Context(), f.spec())

			wantText(t, problem(t, err).Left, noMatch+begin.Add(10*time.Second).Format("2006-01-02T15:04:05Z"))
			f.wantCalls(t, "ListGroupInvites", 1+len(lookWaits))
			if got := f.waits.total(); got != 10*time.Second {
				t.Errorf("waited for %s, want 10s", got)
			}
		})
	}
}

// The clocks may differ, and the platform may not return its time.
func TestCreateInvite_lost_clocksThatDiffer(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{-20 * time.Minute, -time.Minute, 0, time.Minute, 20 * time.Minute} {
		for _, dated := range []bool{true, false} {
			for _, when := range []emulator.When{before, after} {
				t.Run(fmt.Sprintf("machine %s ahead, date %t, lost %d", ahead, dated, when), func(t *testing.T) {
					t.Parallel()
					f := start(t, func(s *setup) { s.clientAhead = ahead })
					f.SetBehavior(func(b *emulator.Behavior) { b.NoDate = !dated })
					there := f.add(f.spec())
					f.clock.Advance(time.Hour)
					f.loses(when, nil)

					got, err := f.client.CreateInvite(t.Context(), f.spec())

					switch {
					case when == before:
						wantText(t, problem(t, err).Left, noMatch)
						f.wantLive(t, there.UID)
					case !dated && ahead.Abs() > nearby:
						// It has the mark, but according to the clocks it is from another day.
						wantText(t, problem(t, err).Left, "may have succeeded", "None was deleted")
						if len(f.live()) != 2 {
							t.Errorf("the valid invites are %v", f.live())
						}
					case err != nil:
						t.Error(err)
					default:
						f.wantLive(t, there.UID, got.ID)
					}
				})
			}
		}
	}
}

func TestCreateInvite_lost_ignoresTheCaseOfTheAddress(t *testing.T) {
	t.Parallel()
	f := start(t)
	spec := f.spec()
	spec.Email = "Kim@Acme.Example"
	f.loses(after, func() {
		f.SetInvite(f.live()[0], func(i *emulator.Invite) { i.Email = strings.ToLower(i.Email) })
	})

	got, err := f.client.CreateInvite(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	f.wantLive(t, got.ID)
}

func TestCreateInvite_lost_cannotLook(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault emulator.Fault
		says  string
	}{
		"failing":     {emulator.Fault{Method: "ListGroupInvites", Code: codes.Internal, Message: "out of disk"}, "out of disk"},
		"denied":      {emulator.Fault{Method: "ListGroupInvites", Code: codes.PermissionDenied, Message: "not you"}, "not you"},
		"hanging":     {emulator.Fault{Method: "ListGroupInvites", Hang: true}, "time allowed"},
		"unreachable": {emulator.Fault{Code: codes.Unavailable, Message: "gone"}, "gone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var options []func(*setup)
			if test.fault.Hang {
				options = append(options, func(s *setup) { s.realTime, s.client.RequestTimeout = true, time.Second })
			}
			f := start(t, options...)
			if test.fault.Hang {
				f.client.limits.cleanUp = 500 * time.Millisecond
			}
			var lost atomic.Bool
			f.loses(after, func() { lost.Store(true) })
			test.fault.Match = func(proto.Message) bool { return lost.Load() }
			f.Inject(test.fault)

			_, err := f.client.CreateInvite(t.Context(), f.spec())

			wantText(t, problem(t, err).Left, "may have succeeded", test.says, "created at about 20",
				"chainctl iam invites list --parent "+f.group)
			f.wantCalls(t, "CreateGroupInvite", 1)
		})
	}
}

func TestCreateInvite_lost_namesTheInviteThatItCannotDelete(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.loses(after, nil)
	f.Inject(emulator.Fault{Method: "DeleteGroupInvite", Code: codes.PermissionDenied})

	_, err := f.client.CreateInvite(t.Context(), f.spec())

	wantText(t, problem(t, err).Left, "may still be valid", f.live()[0], "chainctl iam invites delete")
	f.wantCalls(t, "CreateGroupInvite", 1)
}

func TestCreateInvite_lost_identityThatCannotList(t *testing.T) {
	t.Parallel()
	seed := emulator.DefaultSeed()
	seed.Roles = append(seed.Roles, emulator.SeedRole{
		Name: "creator", Capabilities: []string{"group_invites.create", "role_bindings.create", "groups.list"},
	})
	seed.Identities = append(seed.Identities, emulator.SeedIdentity{
		Name: "creator", Bindings: []emulator.SeedBinding{{Group: "acme.example", Role: "creator"}},
	})
	for _, when := range []emulator.When{before, after} {
		f := start(t, func(s *setup) { s.emulator.Seed = seed })
		f.tokens.current = f.Token(f.Identity("creator"), f.Audience(), time.Hour)
		f.loses(when, nil)

		_, err := f.client.CreateInvite(t.Context(), f.spec())

		wantText(t, problem(t, err).Left, "may have succeeded", "group_invites.list")
	}
}

func TestCreateInvite_lost_interruptDoesNotStopTheSearch(t *testing.T) {
	t.Parallel()
	f := start(t)
	ctx, interrupt := context.WithCancel(t.Context())
	f.loses(after, interrupt)

	_, err := f.client.CreateInvite(ctx, f.spec())

	wantText(t, problem(t, err).Left, wasDeleted)
	f.wantLive(t)
	f.wantCalls(t, "CreateGroupInvite", 1)
}

func TestCreateInvite_lost_listsOnlyThePagesItNeeds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		first time.Time // when the first of the other invites was created
		spoil func(*iam.ListGroupInvitesResponse)
		pages int // before the first create, and to find the invite
	}{
		"newest first": {begin.Add(-1000 * time.Hour), nil, 1 + 2}, // Before the create, the first page has only old invites. Afterwards, the second page does.
		"in any order": {begin.Add(-1000 * time.Hour), func(page *iam.ListGroupInvitesResponse) {
			invites := page.GetGroupInvites()
			invites[0], invites[len(invites)-1] = invites[len(invites)-1], invites[0]
		}, 5 + 5},
		"a few newest first by chance": {begin.Add(time.Hour), func(page *iam.ListGroupInvitesResponse) {
			for i, invite := range page.GetGroupInvites() {
				if invite.GetCreateTime().AsTime().After(begin.Add(time.Minute)) {
					invite.CreateTime = timestamppb.New(begin.Add(-3 * time.Hour * time.Duration(1+min(i, minDescents-1))))
				}
			}
		}, 5 + 5},
		"oldest first, all at the same time": {begin.Add(time.Hour), func(page *iam.ListGroupInvitesResponse) {
			for _, invite := range page.GetGroupInvites() {
				if invite.GetCreateTime().AsTime().After(begin.Add(time.Minute)) {
					invite.CreateTime = timestamppb.New(begin.Add(-3 * time.Hour))
				}
			}
		}, 5 + 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			for i := range 900 {
				f.AddInvite(emulator.Invite{
					Group: f.group, RoleUID: f.Role("viewer"), TTL: week, Created: test.first.Add(time.Duration(i) * time.Hour),
				})
			}
			f.loses(after, nil)
			if test.spoil != nil {
				f.Inject(emulator.Fault{Method: "ListGroupInvites", Mutate: changing(test.spoil)})
			}

			if _, err := f.client.CreateInvite(t.Context(), f.spec()); err != nil {
				t.Fatal(err)
			}
			if got := len(f.Invites()); got != 901 {
				t.Errorf("%d invites, want 901", got)
			}
			f.wantCalls(t, "ListGroupInvites", test.pages)
		})
	}
}
