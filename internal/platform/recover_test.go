package platform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"golang.org/x/oauth2"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// printed is how the values look in every way that they could come into a log.
func printed(values ...any) []string {
	var texts []string
	for _, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			texts = append(texts, fmt.Sprintf(verb, value))
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("", "invite", value)
		_, logged, _ := strings.Cut(strings.TrimSpace(log.String()), "invite=")
		texts = append(texts, logged)
	}
	return texts
}

// loses has the answers to creates get lost, after the commit or before. then happens at the first.
func (f *fixture) loses(when emulator.When, times int, then func()) {
	var first sync.Once
	f.Inject(emulator.Fault{
		Method: "CreateGroupInvite", When: when, Code: codes.Unavailable, Times: times,
		Match: func(proto.Message) bool {
			if then != nil {
				first.Do(then)
			}
			return true
		},
	})
}

// idle returns when the platform has done with every call. What it does with a call whose connection broke takes real
// time, and the waits of the client take none.
func (f *fixture) idle() {
	for slices.ContainsFunc(f.Requests(), func(r emulator.Request) bool { return !r.Done && r.Method == "CreateGroupInvite" }) {
		runtime.Gosched()
	}
}

// What goes wrong while cleaning up leaves a code alive that nobody knows of, so it is tried again where another call
// would be given up.
func TestCleaningUpIsTriedAgainWhateverWentWrong(t *testing.T) {
	t.Parallel()
	for _, code := range []codes.Code{codes.Internal, codes.Unknown, codes.Aborted, codes.Unavailable} {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			f := start(t)
			f.loses(after, 1, nil)
			const failures = 7 // more than any other call has tries
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

func TestCleaningUpOutlivesACallThatHangs(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"ListGroupInvites", "DeleteGroupInvite"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			f := start(t, func(s *setup) { s.realTime, s.client.RequestTimeout = true, time.Second })
			f.loses(after, 1, nil)
			f.Inject(emulator.Fault{Method: method, Hang: true, Times: 1})

			got, err := f.client.CreateInvite(t.Context(), f.spec())
			if err != nil {
				t.Fatal(err)
			}
			f.wantLive(t, got.ID)
		})
	}
}

func TestALostAnswerCostsOneSearchAndOneRevocation(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.loses(after, 1, nil)

	got, err := f.client.CreateInvite(t.Context(), f.spec())
	if err != nil {
		t.Fatal(err)
	}
	f.wantLive(t, got.ID)
	f.wantCalls(t, "CreateGroupInvite", 2)
	f.wantCalls(t, "ListGroupInvites", 1)
	f.wantCalls(t, "DeleteGroupInvite", 1)
	f.wantCalls(t, "", 4)
}

func TestParallelCreatesWithTheSameInputsLeaveWhatTheyAnswer(t *testing.T) {
	t.Parallel()
	const creates = 20
	var failed, tried atomic.Int32
	t.Cleanup(func() {
		// None is tried where another test failed before and the run ends.
		if tried.Load() > 0 && (failed.Load() == 0 || failed.Load() > tried.Load()*3/4) {
			t.Errorf("%d of %d creates failed, so this shows little", failed.Load(), tried.Load())
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
			f.clock.Advance(5 * time.Second)
			for _, fault := range []emulator.Fault{
				{Probability: 0.1, When: before, Code: codes.Unavailable},
				{Probability: 0.1, When: after, Code: codes.Unavailable},
				{Probability: 0.1, When: after, Code: codes.DeadlineExceeded},
				{Probability: 0.1, When: before, Code: codes.ResourceExhausted},
				{Probability: 0.01, When: after, Drop: true}, // Breaks the connection for all that are under way.
			} {
				fault.Method, fault.Seed = "CreateGroupInvite", seed
				f.Inject(fault)
			}

			var mu sync.Mutex
			want := []string{there.UID}
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
					if left := strings.ToLower(problem(t, err).Left); !strings.Contains(left, "nothing was left behind") {
						t.Errorf("failed and says %q", left)
					}
				})
			}
			all.Wait()

			f.wantLive(t, want...)
		})
	}
}

// What a seed brought to light can be brought to light again, though the creates come in another order.
func TestASeedBringsTheSameFailuresAgain(t *testing.T) {
	t.Parallel()
	const creates = 60
	// outcome is what became of each create, and what the platform answered to it.
	outcome := func(seed uint64) []string {
		f := start(t)
		for _, fault := range []emulator.Fault{
			{When: before, Code: codes.Unavailable},
			{When: after, Code: codes.Unavailable},
			{When: after, Code: codes.Internal},
		} {
			fault.Method, fault.Probability, fault.Seed = "CreateGroupInvite", 0.15, seed
			f.Inject(fault)
		}
		outcomes := make([]string, creates)
		var all sync.WaitGroup
		for i := range outcomes {
			all.Go(func() {
				spec := f.spec()
				spec.Email = fmt.Sprintf("user%d@example.com", i)
				if invite, err := f.client.CreateInvite(t.Context(), spec); err == nil {
					outcomes[i] = "made " + invite.ID
				} else {
					outcomes[i], _, _ = strings.Cut(problem(t, err).Left, " as of ") // The time is that of all waits.
				}
			})
		}
		all.Wait()
		for _, request := range f.Requests() {
			if create, ok := request.Request.(*iam.CreateGroupInviteRequest); ok {
				var i int
				if _, err := fmt.Sscanf(create.GetGroupInvite().GetEmail(), "user%d@", &i); err != nil {
					t.Error(err)
				}
				outcomes[i] += " " + request.Code.String()
			}
		}
		return outcomes
	}

	once, again, other := outcome(1), outcome(1), outcome(2)
	if !slices.Equal(once, again) {
		t.Errorf("one seed brought\n%s\nand then\n%s", strings.Join(once, "\n"), strings.Join(again, "\n"))
	}
	if slices.Equal(once, other) {
		t.Error("another seed brought the same")
	}
}

func TestAllParallelCreatesThatAreLostAreMadeAgain(t *testing.T) {
	t.Parallel()
	f := start(t)
	const creates = 20
	// All are under way before the first is answered. Should the machine be so slow that some are not, these are sent
	// when the others were looked for, and the faults are used up by creates that are made again.
	f.Inject(emulator.Fault{
		Method: "CreateGroupInvite", When: after, Code: codes.Unavailable, Delay: 200 * time.Millisecond, Times: creates,
	})

	var mu sync.Mutex
	var want []string
	var all sync.WaitGroup
	for i := range creates {
		all.Go(func() {
			// Another TTL, but within what the search takes for the same.
			spec := f.spec()
			spec.TTL += time.Duration(i) * 75 * time.Millisecond
			invite, err := f.client.CreateInvite(t.Context(), spec)
			if err != nil {
				wantText(t, problem(t, err).Left, "nothing was left behind")
				return
			}
			mu.Lock()
			defer mu.Unlock()
			want = append(want, invite.ID)
		})
	}
	all.Wait()
	f.wantLive(t, want...)
	if len(want) == 0 {
		t.Error("none was made again")
	}
}

func TestAnInviteThatWasThereBeforeIsNeverRevoked(t *testing.T) {
	t.Parallel()
	for _, ago := range []time.Duration{200 * time.Millisecond, 800 * time.Millisecond, 3 * time.Second, time.Hour} {
		for _, when := range []emulator.When{before, after} {
			t.Run(fmt.Sprintf("%s ago, lost %d", ago, when), func(t *testing.T) {
				t.Parallel()
				f := start(t)
				there := f.add(f.spec())
				f.clock.Advance(ago)
				f.loses(when, 1, nil)

				got, err := f.client.CreateInvite(t.Context(), f.spec())

				if when == after {
					if err != nil {
						t.Fatal(err)
					}
					f.wantLive(t, there.UID, got.ID)
					return
				}
				f.wantLive(t, there.UID)
				if left := problem(t, err).Left; ago > 2*time.Second {
					wantText(t, left, nothing)
				} else {
					wantText(t, left, "may have been left", there.UID, "none was revoked")
				}
			})
		}
	}
}

// Clocks that are set by the network agree to within inSync. What was made in that time before the call may have been
// made by it, as far as anybody can tell.
func TestAnInviteOfTheMomentBeforeTheCallIsTakenForItsOwn(t *testing.T) {
	t.Parallel()
	for ago, revoked := range map[time.Duration]bool{10 * time.Millisecond: true, 90 * time.Millisecond: true, 110 * time.Millisecond: false} {
		f := start(t)
		there := f.add(f.spec())
		f.clock.Advance(ago)
		f.loses(before, 1, nil)

		_, err := f.client.CreateInvite(t.Context(), f.spec())

		if got := !slices.Contains(f.live(), there.UID); got != revoked {
			t.Errorf("%s ago: revoked is %t, want %t (%v)", ago, got, revoked, err)
		}
	}
}

func TestOwnInvitesTellTheTimeWellEnoughToKnowThoseOfAMomentAgo(t *testing.T) {
	t.Parallel()
	f := start(t)
	other := f.spec()
	other.Email = "somebody@else.example"
	if _, err := f.client.CreateInvite(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	there := f.add(f.spec())
	f.clock.Advance(10 * time.Millisecond)
	f.loses(before, 1, nil)

	_, err := f.client.CreateInvite(t.Context(), f.spec())

	// Ten milliseconds are too little to be sure, and too much to be taken for the call's own.
	wantText(t, problem(t, err).Left, "may have been left", there.UID, "none was revoked")
	f.wantLive(t, there.UID, f.Invites()[0].UID)
}

func TestTheSearchRevokesNothingThatDiffers(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(f *fixture, s *InviteSpec){
		"role":       func(f *fixture, s *InviteSpec) { s.RoleID = f.Role("editor") },
		"email":      func(_ *fixture, s *InviteSpec) { s.Email = "jo@acme.example" },
		"no email":   func(_ *fixture, s *InviteSpec) { s.Email = "" },
		"longer":     func(_ *fixture, s *InviteSpec) { s.TTL += 3 * time.Second },
		"shorter":    func(_ *fixture, s *InviteSpec) { s.TTL -= 3 * time.Second },
		"single use": func(_ *fixture, s *InviteSpec) { s.SingleUse = true },
		"group":      func(f *fixture, s *InviteSpec) { s.GroupID = f.Group("acme.example") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, when := range []emulator.When{before, after} {
				f := start(t)
				spec := f.spec()
				spec.Email = "kim@acme.example"
				other := spec
				change(f, &other)
				var there emulator.Invite
				f.loses(when, 1, func() { there = f.add(other) })

				got, err := f.client.CreateInvite(t.Context(), spec)

				if when == before {
					left := nothing
					if name == "longer" || name == "shorter" {
						left = "none was revoked" // A platform may give another lifetime than it is asked for.
					}
					wantText(t, problem(t, err).Left, left)
					f.wantLive(t, there.UID)
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				f.wantLive(t, there.UID, got.ID)
			}
		})
	}
}

func TestTheSearchKnowsTheLifetimeThatThePlatformGives(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.Inject(emulator.Fault{Method: "CreateGroupInvite", Mutate: changing(func(answer *iam.GroupInvite) {
		f.SetInvite(answer.GetUid(), func(i *emulator.Invite) {
			i.Expires = i.Created.Add(24 * time.Hour)
			answer.ExpirationTime = timestamppb.New(i.Expires)
		})
	})})
	f.loses(after, 1, nil)
	// The first that is lost can be any, so it is named.
	_, err := f.client.CreateInvite(t.Context(), f.spec())
	wantText(t, problem(t, err).Left, append(f.live(), "none was revoked")...)

	f.clock.Advance(time.Minute)
	if _, err := f.client.CreateInvite(t.Context(), f.spec()); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(time.Minute)
	f.loses(after, 1, nil)
	if _, err := f.client.CreateInvite(t.Context(), f.spec()); err != nil {
		t.Error(err)
	}
	if got := len(f.live()); got != 3 {
		t.Errorf("%d invites are alive, want 3", got)
	}
}

func TestAnotherProcessesInviteInTheWindowMakesItUncertain(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(s *InviteSpec){
		"the same":              func(*InviteSpec) {},
		"TTL rounded":           func(s *InviteSpec) { s.TTL += time.Second },
		"address in upper case": func(s *InviteSpec) { s.Email = strings.ToUpper(s.Email) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			spec := f.spec()
			spec.Email = "kim@acme.example"
			other := spec
			change(&other)
			var there emulator.Invite
			f.loses(after, 1, func() { there = f.add(other) })

			_, err := f.client.CreateInvite(t.Context(), spec)

			ids := f.live()
			wantText(t, problem(t, err).Left, "may have been left", "none was revoked", ids[0], ids[1], there.UID)
			f.wantCalls(t, "CreateGroupInvite", 1)
			f.wantCalls(t, "DeleteGroupInvite", 0)
		})
	}
}

func TestTwoLostCreatesAndThreeCandidatesAreUncertain(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.loses(after, 2, func() { f.add(f.spec()) })
	// Neither is searched for before both are sent.
	f.Inject(emulator.Fault{Method: "ListGroupInvites", Delay: 100 * time.Millisecond})

	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			_, err := f.client.CreateInvite(t.Context(), f.spec())
			wantText(t, problem(t, err).Left, "none was revoked")
		})
	}
	both.Wait()
	f.wantCalls(t, "DeleteGroupInvite", 0)
}

func TestCandidatesGoToTheCreatesWhoseTTLTheyFit(t *testing.T) {
	t.Parallel()
	f := start(t)
	lost := func(ttl time.Duration) *creation {
		spec := f.spec()
		spec.TTL = ttl
		return &creation{spec: spec, from: begin}
	}
	made := func(ttl time.Duration) *Invite {
		spec := f.spec()
		return &Invite{GroupID: spec.GroupID, RoleID: spec.RoleID, CreatedAt: begin, ExpiresAt: begin.Add(ttl)}
	}
	long, short := lost(101_500*time.Millisecond), lost(100*time.Second)
	x, y := made(100*time.Second), made(103*time.Second)

	found, certain := f.client.assign([]*Invite{x, y}, []*creation{long, short})

	if !certain || found[short] != x || found[long] != y {
		t.Errorf("certain = %t, or the invites went to the wrong creates", certain)
	}
}

func TestTheSearchIgnoresTheCaseOfTheAddress(t *testing.T) {
	t.Parallel()
	f := start(t)
	spec := f.spec()
	spec.Email = "Kim@Acme.Example"
	f.loses(after, 1, func() {
		f.SetInvite(f.live()[0], func(i *emulator.Invite) { i.Email = strings.ToLower(i.Email) })
	})

	got, err := f.client.CreateInvite(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	f.wantLive(t, got.ID)
}

func TestTheSearchSaysWhenItCannotLook(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault emulator.Fault
		says  string
	}{
		"failing":     {emulator.Fault{Method: "ListGroupInvites", Code: codes.Internal, Message: "out of disk"}, "out of disk"},
		"denied":      {emulator.Fault{Method: "ListGroupInvites", Code: codes.PermissionDenied, Message: "not you"}, "not you"},
		"hanging":     {emulator.Fault{Method: "ListGroupInvites", Hang: true}, "deadline"},
		"unreachable": {emulator.Fault{Code: codes.Unavailable, Message: "gone"}, "gone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var options []func(*setup)
			if test.fault.Hang {
				options = append(options, requestTimeout(time.Second))
			}
			f := start(t, options...)
			var lost atomic.Bool
			f.loses(after, 1, func() { lost.Store(true) })
			test.fault.Match = func(proto.Message) bool { return lost.Load() }
			f.Inject(test.fault)

			_, err := f.client.CreateInvite(t.Context(), f.spec())

			wantText(t, problem(t, err).Left, "may have been left", test.says, "2026-03-04T05:06:07Z",
				"chainctl iam invites list --parent "+f.group)
			f.wantCalls(t, "CreateGroupInvite", 1)
		})
	}
}

func TestTheSearchNamesTheInviteThatItCannotRevoke(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.loses(after, 1, nil)
	f.Inject(emulator.Fault{Method: "DeleteGroupInvite", Code: codes.PermissionDenied})

	_, err := f.client.CreateInvite(t.Context(), f.spec())

	wantText(t, problem(t, err).Left, "may be alive", f.live()[0], "chainctl iam invites delete")
	f.wantCalls(t, "CreateGroupInvite", 1)
}

func TestAnIdentityThatMayOnlyCreateIsNotToldThatNothingWasLeft(t *testing.T) {
	t.Parallel()
	seed := emulator.DefaultSeed()
	seed.Roles = append(seed.Roles, emulator.SeedRole{
		Name: "minter", Capabilities: []string{"group_invites.create", "role_bindings.create", "groups.list"},
	})
	seed.Identities = append(seed.Identities, emulator.SeedIdentity{
		Name: "minter", Bindings: []emulator.SeedBinding{{Group: "acme.example", Role: "minter"}},
	})
	for _, when := range []emulator.When{before, after} {
		f := start(t, func(s *setup) { s.emulator.Seed = seed })
		f.tokens.current = f.Token(f.Identity("minter"), f.Audience(), time.Hour)
		f.loses(when, 1, nil)

		_, err := f.client.CreateInvite(t.Context(), f.spec())

		wantText(t, problem(t, err).Left, "may have been left", "group_invites.list")
	}
}

func TestACommitAfterTheDeadlineIsStillFound(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.loses(before, 1, nil)
	var late sync.Once
	f.waits.during = func(d time.Duration) {
		if d > 0 {
			late.Do(func() { f.add(f.spec()) })
		}
	}

	got, err := f.client.CreateInvite(t.Context(), f.spec())
	if err != nil {
		t.Fatal(err)
	}
	f.wantLive(t, got.ID)
	f.wantCalls(t, "ListGroupInvites", 2)
}

// A platform that did not answer may still be at work on the create; one that did is not.
func TestTheSearchLooksLongerWhereThePlatformDidNotAnswer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault emulator.Fault
		looks int
	}{
		"an answer":            {emulator.Fault{Code: codes.Internal}, 3},
		"a broken connection":  {emulator.Fault{Drop: true}, 4},
		"no answer at all":     {emulator.Fault{Hang: true}, 4},
		"a deadline of theirs": {emulator.Fault{Code: codes.DeadlineExceeded}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t, requestTimeout(time.Second))
			test.fault.Method, test.fault.Times = "CreateGroupInvite", 1
			f.Inject(test.fault)

			_, err := f.client.CreateInvite(t.Context(), f.spec())

			wantText(t, problem(t, err).Left, nothing)
			f.wantCalls(t, "ListGroupInvites", test.looks)
		})
	}
}

func TestAnInterruptDoesNotStopTheSearch(t *testing.T) {
	t.Parallel()
	f := start(t)
	ctx, interrupt := context.WithCancel(t.Context())
	f.loses(after, 1, interrupt)

	_, err := f.client.CreateInvite(ctx, f.spec())

	wantText(t, problem(t, err).Left, "it was revoked, so nothing was left behind")
	f.wantLive(t)
	f.wantCalls(t, "CreateGroupInvite", 1)
}

func TestCreatesWithTheSameInputsWaitForTheSearch(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.loses(after, 1, nil)
	searching := make(chan struct{})
	search := make(chan struct{})
	f.waits.during = func(time.Duration) { // Before the first look, and there is no other wait.
		close(searching)
		<-search
	}

	var first, second *Invite
	var all sync.WaitGroup
	create := func(into **Invite) func() {
		return func() {
			invite, err := f.client.CreateInvite(t.Context(), f.spec())
			if err != nil {
				t.Error(err)
				return
			}
			*into = invite
		}
	}
	all.Go(create(&first))
	<-searching
	all.Go(create(&second))

	impatient, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := f.client.CreateInvite(impatient, f.spec()); problem(t, err).Code != codes.DeadlineExceeded {
		t.Errorf("a create that gave up waiting for the search ended with %v", err)
	}
	f.wantCalls(t, "CreateGroupInvite", 1)

	close(search)
	all.Wait()
	if !t.Failed() {
		f.wantLive(t, first.ID, second.ID)
		f.wantCalls(t, "CreateGroupInvite", 3)
	}
}

// heldUp has the first who signs in wait, and tells when it does.
type heldUp struct {
	*tokens
	second atomic.Bool
	held   chan struct{}
}

func (h *heldUp) Token(ctx context.Context) (*oauth2.Token, error) {
	if !h.second.Swap(true) {
		close(h.held)
		<-ctx.Done()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return h.tokens.Token(ctx)
}

func TestASearchWaitsForTheSlowestCreateOfItsKind(t *testing.T) {
	t.Parallel()
	f := start(t, requestTimeout(DefaultRequestTimeout))
	f.tokens.err = errors.New("signed out") // So that the search, when it begins, is over at once.
	synctest.Test(t, func(t *testing.T) {
		creates := &f.client.creates
		lost, slow := creates.plan(f.spec()), creates.plan(f.spec())
		for _, create := range []*creation{lost, slow} {
			if err := creates.enter(t.Context(), create, f.clock.Now); err != nil {
				t.Fatal(err)
			}
		}
		creates.lose(lost)
		go func() {
			time.Sleep(DefaultRequestTimeout)
			creates.leave(slow)
		}()

		f.client.findLost(t.Context(), lost)

		wantText(t, lost.left, "signed out")
	})
}

func TestASearchDoesNotWaitForCreatesThatAreHeldUpBeforeTheyAreSent(t *testing.T) {
	t.Parallel()
	f := start(t)
	held := &heldUp{tokens: f.tokens, held: make(chan struct{})}
	f.client.config.Tokens = held
	ctx, giveUp := context.WithCancel(t.Context())
	var other sync.WaitGroup
	other.Go(func() { _, _ = f.client.CreateInvite(ctx, f.spec()) })
	<-held.held
	f.loses(after, 1, nil)

	began := time.Now()
	got, err := f.client.CreateInvite(t.Context(), f.spec())
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	f.wantLive(t, got.ID)
	giveUp()
	other.Wait()
}

func TestTheSearchAllowsForClocksThatDiffer(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{-10 * time.Minute, -90 * time.Second, -1600 * time.Millisecond, 1600 * time.Millisecond, 10 * time.Minute} {
		for _, when := range []emulator.When{before, after} {
			t.Run(fmt.Sprintf("%s, lost %d", ahead, when), func(t *testing.T) {
				t.Parallel()
				f := start(t)
				f.client.config.Now = func() time.Time { return f.clock.Now().Add(-ahead) }
				there := f.add(f.spec())
				f.clock.Advance(time.Minute)
				f.loses(when, 1, nil)

				got, err := f.client.CreateInvite(t.Context(), f.spec())

				if when == before {
					wantText(t, problem(t, err).Left, nothing)
					f.wantLive(t, there.UID)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				f.wantLive(t, there.UID, got.ID)
			})
		}
	}
}

// A platform whose answers do not tell the time is believed as far as our own clock goes: what is certain by it is
// revoked, and what is not is named. Nobody else's invite is ever revoked.
func TestTheSearchOnAPlatformThatDoesNotTellTheTime(t *testing.T) {
	t.Parallel()
	const remade, named, none = "made again", "named", "nothing was left"
	for name, test := range map[string]struct {
		ahead time.Duration // the platform's clock of ours
		ago   time.Duration // when somebody made the same
		when  emulator.When
		want  string
	}{
		"lost after":                          {0, 3 * time.Second, after, remade},
		"lost before":                         {0, time.Hour, before, none},
		"lost before, another one before":     {0, 3 * time.Second, before, named},
		"lost after, their clock is ahead":    {10 * time.Minute, 3 * time.Second, after, named},
		"lost before, their clock is ahead":   {10 * time.Minute, 3 * time.Second, before, named},
		"lost after, their clock is behind":   {-10 * time.Minute, 3 * time.Second, after, named},
		"lost before, their clock is behind":  {-10 * time.Minute, 3 * time.Second, before, named},
		"long before, their clock is behind":  {-10 * time.Minute, time.Hour, before, none},
		"lost after, theirs is a little late": {-50 * time.Millisecond, 3 * time.Second, after, remade},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			f.SetNoDate(true)
			f.client.config.Now = func() time.Time { return f.clock.Now().Add(-test.ahead) }
			there := f.add(f.spec())
			f.clock.Advance(test.ago)
			f.loses(test.when, 1, nil)

			got, err := f.client.CreateInvite(t.Context(), f.spec())

			if !slices.Contains(f.live(), there.UID) {
				t.Error("somebody else's invite was revoked")
			}
			switch {
			case test.want == remade && err == nil:
				f.wantLive(t, there.UID, got.ID)
			case test.want == remade || err == nil:
				t.Errorf("ended with %v", err)
			case test.want == named:
				wantText(t, problem(t, err).Left, append(f.live(), "may have been left", "none was revoked")...)
			default:
				wantText(t, problem(t, err).Left, nothing)
			}
		})
	}
}

func TestTheSearchGoesThroughAsManyPagesAsItMust(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		first time.Time // when the first of the others was made
		spoil func(*iam.ListGroupInvitesResponse)
		pages int
	}{
		"newest first": {begin.Add(-1000 * time.Hour), nil, 2}, // The second holds older ones only.
		"in any order": {begin.Add(-1000 * time.Hour), func(page *iam.ListGroupInvitesResponse) {
			invites := page.GetGroupInvites()
			invites[0], invites[len(invites)-1] = invites[len(invites)-1], invites[0]
		}, 5},
		"a few newest first by chance": {begin.Add(time.Hour), func(page *iam.ListGroupInvitesResponse) {
			for i, invite := range page.GetGroupInvites() {
				if invite.GetCreateTime().AsTime().After(begin.Add(time.Minute)) {
					invite.CreateTime = timestamppb.New(begin.Add(-time.Hour * time.Duration(1+min(i, newestFirst-1))))
				}
			}
		}, 5},
		"oldest first, all at one time": {begin.Add(time.Hour), func(page *iam.ListGroupInvitesResponse) {
			for _, invite := range page.GetGroupInvites() {
				if invite.GetCreateTime().AsTime().After(begin.Add(time.Minute)) {
					invite.CreateTime = timestamppb.New(begin.Add(-time.Hour))
				}
			}
		}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			for i := range 900 {
				f.AddInvite(emulator.Invite{
					Group: f.group, RoleUID: f.Role("viewer"), TTL: week, Created: test.first.Add(time.Duration(i) * time.Hour),
				})
			}
			f.loses(after, 1, nil)
			if test.spoil != nil {
				f.Inject(emulator.Fault{Method: "ListGroupInvites", Mutate: changing(test.spoil)})
			}

			if _, err := f.client.CreateInvite(t.Context(), f.spec()); err != nil {
				t.Fatal(err)
			}
			if got := len(f.Invites()); got != 901 {
				t.Errorf("%d invites are there, want 901", got)
			}
			f.wantCalls(t, "ListGroupInvites", test.pages)
		})
	}
}

func TestTheSearchTakesAMomentForARoundedTime(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.loses(after, 1, func() {
		f.SetInvite(f.live()[0], func(i *emulator.Invite) {
			i.Created, i.Expires = i.Created.Truncate(time.Second), i.Expires.Truncate(time.Second)
		})
	})

	got, err := f.client.CreateInvite(t.Context(), f.spec())
	if err != nil {
		t.Fatal(err)
	}
	f.wantLive(t, got.ID)
}

func TestOffsetIsWhatTheObservationsAllow(t *testing.T) {
	t.Parallel()
	at := func(seconds float64) time.Time {
		return begin.Truncate(time.Minute).Add(time.Duration(seconds * float64(time.Second)))
	}
	type seen struct{ theirs, sent, received float64 }
	for name, test := range map[string]struct {
		seen []seen
		want estimate
	}{
		"nothing":                    {nil, estimate{0, inSync, unobserved}},
		"a date that may be ours":    {[]seen{{10, 10.25, 10.5}}, estimate{0, inSync, 750*time.Millisecond + doubtful}},
		"a date ten minutes ahead":   {[]seen{{610, 10.25, 10.25}}, estimate{600*time.Second + 250*time.Millisecond, 500 * time.Millisecond, 500*time.Millisecond + doubtful}},
		"a date that took long":      {[]seen{{610, 10.25, 40.25}}, estimate{585*time.Second + 250*time.Millisecond, maxDoubt, 15*time.Second + 500*time.Millisecond + doubtful}},
		"dates that agree":           {[]seen{{10, 10.25, 10.25}, {20, 20.75, 20.75}}, estimate{0, inSync, 250*time.Millisecond + doubtful}},
		"an invite of a moment ago":  {[]seen{{10, 10.25, 10.25}, {20.25, 20.25, 20.25}}, estimate{0, time.Millisecond, time.Millisecond + doubtful}},
		"a clock that was set since": {[]seen{{10, 10.25, 10.25}, {610, 10.25, 10.25}}, estimate{600*time.Second + 250*time.Millisecond, 500 * time.Millisecond, 500*time.Millisecond + doubtful}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var o offset
			for _, s := range test.seen {
				o.observe(at(s.theirs), at(s.sent), at(s.received))
			}
			if got := o.estimate(); got != test.want {
				t.Errorf("the estimate is %+v, want %+v", got, test.want)
			}
		})
	}
}
