package platform

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"golang.org/x/oauth2"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// begin is the time at which tests begin. It is not a whole second, which would look as if the platform rounded.
var begin = time.Date(2026, time.March, 4, 5, 6, 7, 123_456_789, time.UTC)

const (
	folder = "acme.example/platform"
	week   = 7 * 24 * time.Hour
)

// fixture is a client with an emulated platform. Both use the same fake clock, which the client's waits advance.
type fixture struct {
	*emulator.Emulator
	client *Client
	clock  *clock.Fake
	tokens *tokens
	waits  *waits
	group  string // the folder
}

// setup has the options of a fixture.
type setup struct {
	emulator emulator.Options
	client   Config
	realTime bool // use the real clock, because gRPC's reconnects depend on it

	clientAhead time.Duration // how far the client's clock is ahead of the platform's
	noGroup     bool          // the seed has no folder for the fixture
	api         func(emulatorURL string) string
}

func start(t testing.TB, options ...func(*setup)) *fixture {
	t.Helper()
	f := &fixture{clock: clock.NewFake(begin), waits: &waits{}}
	s := setup{client: Config{UserAgent: "test/1", RequestTimeout: 10 * time.Second}}
	s.emulator.Clock = f.clock
	s.client.Clock = waitingClock{f.clock, f.waits}
	for _, option := range options {
		option(&s)
	}
	if s.clientAhead != 0 {
		s.client.Clock = aheadClock{waitingClock{f.clock, f.waits}, s.clientAhead}
	}
	if s.realTime {
		s.emulator.Clock, s.client.Clock = nil, nil
	}
	f.Emulator = emulator.ForTest(t, s.emulator)
	f.tokens = &tokens{current: f.AdminToken()}
	if s.client.Tokens == nil {
		s.client.Tokens = f.tokens
	}
	s.client.API = f.URL()
	if s.api != nil {
		s.client.API = s.api(f.URL())
	}
	f.client = connect(t, s.client)
	if !s.noGroup {
		f.group = f.Group(folder)
	}
	return f
}

func connect(t testing.TB, config Config) *Client {
	t.Helper()
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func requestTimeout(d time.Duration) func(*setup) {
	return func(s *setup) { s.client.RequestTimeout = d }
}

// spec returns the inputs of an invite for viewers of the folder.
func (f *fixture) spec() InviteSpec {
	return InviteSpec{GroupID: f.group, RoleID: f.Role("viewer"), TTL: week}
}

// add stores an invite with these inputs without the client's knowledge.
func (f *fixture) add(spec InviteSpec) emulator.Invite {
	return f.AddInvite(emulator.Invite{
		Group: spec.GroupID, RoleUID: spec.RoleID, Email: spec.Email, TTL: spec.TTL, SingleUse: spec.SingleUse,
	})
}

// fill stores n other invites in a group.
func (f *fixture) fill(group string, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = f.AddInvite(emulator.Invite{Group: group, RoleUID: f.Role("editor")}).UID
	}
	return ids
}

// hide makes the platform hide a group for a while.
func (f *fixture) hide(group string, during time.Duration) {
	until := f.clock.Now().Add(during)
	hidden := func(proto.Message) bool { return f.clock.Now().Before(until) }
	f.Inject(emulator.Fault{Method: "GetGroup", Code: codes.PermissionDenied, Match: hidden})
	f.Inject(emulator.Fault{Method: "ListGroups", Match: hidden, Mutate: changing(func(answer *iam.ListGroupsResponse) {
		answer.Groups = slices.DeleteFunc(answer.GetGroups(), func(g *iam.Group) bool { return g.GetUid() == group })
	})})
}

// live returns the sorted UIDPs of the valid invites.
func (f *fixture) live() []string {
	var ids []string
	for _, invite := range f.Live() {
		ids = append(ids, invite.UID)
	}
	slices.Sort(ids)
	return ids
}

// wantLive fails the test unless exactly these invites are valid.
func (f *fixture) wantLive(t testing.TB, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := f.live(); !slices.Equal(got, want) {
		t.Errorf("the valid invites are %v, want %v", got, want)
	}
}

// wantCalls fails the test unless the method was called this often.
func (f *fixture) wantCalls(t testing.TB, method string, want int) {
	t.Helper()
	if got := f.Count(method); got != want {
		t.Errorf("%d calls of %s, want %d (all: %v)", got, method, want, f.Counts())
	}
}

// problem returns the Error in err.
func problem(t testing.TB, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("the error is %v, want an *Error", err)
	}
	return e
}

// wantText fails the test unless got contains all texts.
func wantText(t testing.TB, got string, want ...string) {
	t.Helper()
	for _, text := range want {
		if !strings.Contains(got, text) {
			t.Errorf("the text is %q, want it to say %q", got, text)
		}
	}
}

// These are texts of Left for a failed create.
const (
	noMatch    = "No matching invite was found in the group as of "
	wasDeleted = ", which the request had created, was deleted."
)

// tokens returns the same token until it is discarded, and then the next one.
type tokens struct {
	mu        sync.Mutex
	current   string
	next      []string
	discarded []string
	err       error
	block     chan struct{} // if not nil, Token waits until it is closed or ctx ends

	failAfterDiscard error // fails one Token after each Discard
	failNext         bool
}

func (k *tokens) Token(ctx context.Context) (*oauth2.Token, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.block != nil {
		select {
		case <-k.block:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if k.err != nil {
		return nil, k.err
	}
	if k.failNext {
		k.failNext = false
		return nil, k.failAfterDiscard
	}
	return &oauth2.Token{AccessToken: k.current}, nil
}

func (k *tokens) Discard(token string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.discarded = append(k.discarded, token)
	k.failNext = k.failAfterDiscard != nil
	if token == k.current && len(k.next) > 0 {
		k.current, k.next = k.next[0], k.next[1:]
	}
}

// waitingClock is a fake clock that records the client's waits.
type waitingClock struct {
	*clock.Fake
	waits *waits
}

// Sleep implements [clock.Clock].
func (c waitingClock) Sleep(ctx context.Context, d time.Duration) error {
	return c.waits.wait(ctx, c.Fake, d)
}

// aheadClock is a client's clock that is ahead of the platform's.
type aheadClock struct {
	waitingClock
	by time.Duration
}

// Now implements [clock.Clock].
func (c aheadClock) Now() time.Time { return c.Fake.Now().Add(c.by) }

// waits are the recorded waits of a client.
type waits struct {
	mu     sync.Mutex
	all    []time.Duration
	during func(time.Duration) // called in each wait
}

func (w *waits) wait(ctx context.Context, fake *clock.Fake, d time.Duration) error {
	w.mu.Lock()
	w.all = append(w.all, d)
	during := w.during
	w.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if d > 0 {
		fake.Advance(d)
	}
	if during != nil {
		during(d)
	}
	return ctx.Err()
}

// total returns the sum of all waits.
func (w *waits) total() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	var total time.Duration
	for _, d := range w.all {
		total += d
	}
	return total
}

// refusing makes the API refuse connections.
func refusing(t testing.TB) func(*setup) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	return func(s *setup) {
		s.api = func(string) string { return "http://" + listener.Addr().String() }
	}
}

// resettingTwice puts a proxy before the emulator that resets the first two connections before anything is sent. It
// needs real time, because gRPC does not reconnect by a fake clock.
func resettingTwice(t testing.TB) func(*setup) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return func(s *setup) {
		s.realTime = true
		s.api = func(target string) string {
			go proxy(listener, strings.TrimPrefix(target, "http://"), 2)
			return "http://" + listener.Addr().String()
		}
	}
}

func proxy(listener net.Listener, target string, reset int32) {
	var accepted atomic.Int32
	for {
		from, err := listener.Accept()
		if err != nil {
			return
		}
		if accepted.Add(1) <= reset {
			if tcp, ok := from.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // Close then sends a reset.
			}
			_ = from.Close()
			continue
		}
		to, err := net.Dial("tcp", target)
		if err != nil {
			_ = from.Close()
			continue
		}
		go func() { _, _ = io.Copy(to, from); _ = to.Close() }()
		go func() { _, _ = io.Copy(from, to); _ = from.Close() }()
	}
}

// changing returns a fault's change for messages of one type.
func changing[T proto.Message](change func(T)) func(proto.Message) {
	return func(m proto.Message) {
		if message, ok := m.(T); ok {
			change(message)
		}
	}
}
