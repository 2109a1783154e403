package emulator

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// When says on which side of the commit a fault strikes.
type When int

const (
	// BeforeCommit faults strike before the platform does anything.
	BeforeCommit When = iota
	// AfterCommit faults strike when the platform has done what it was asked, and only then: a call that it refuses is
	// answered as usual.
	AfterCommit
)

// Fault is one thing that goes wrong. Of all that is set, the delay comes first, then whichever of Hang, Drop, Code and
// Mutate is set, in this order. A fault that only delays or mutates leaves the call to the faults after it. Messages
// are those of iam/v2, for v2beta1 calls too.
type Fault struct {
	// Method is the short name of the RPC, such as "CreateGroupInvite", or "" for all of them.
	Method string
	// When says whether the platform does what it was asked.
	When When
	// Code, if it is not OK, is answered, with Message and Details.
	Code    codes.Code
	Message string
	Details []proto.Message
	// RetryAfter is added to the details as a RetryInfo.
	RetryAfter time.Duration
	// Delay is how long to wait, in real time. It ends early when the caller gives up, which before the commit means
	// that nothing is committed.
	Delay time.Duration
	// Hang never answers.
	Hang bool
	// Drop breaks the TCP connection, and with it every other call on it.
	Drop bool
	// Mutate spoils the answer. It implies AfterCommit.
	Mutate func(response proto.Message)
	// Times is how often the fault strikes; 0 is always.
	Times int
	// Probability, if it is set, is how likely the fault strikes a call. Which calls it strikes follows from Seed and
	// from the faults added before: a call that is made for the nth time with the same request always meets the same
	// fate, in whatever order calls come.
	Probability float64
	Seed        uint64
	// Match, if it is set, picks the requests that the fault may strike.
	Match func(request proto.Message) bool
}

// Inject adds a fault. Faults strike in the order in which they were added. The function returned takes it away again.
// It panics on a fault that could never strike: a test with such a fault would prove nothing.
func (e *Emulator) Inject(f Fault) (remove func()) {
	if f.Method != "" && !KnownMethod(f.Method) {
		panic(fmt.Sprintf("emulator: a fault of %q, which is no method of the platform", f.Method))
	}
	if f.Mutate != nil {
		f.When = AfterCommit
	}
	return e.faults.add(&activeFault{Fault: f, left: f.Times, met: map[string]uint64{}})
}

// OnRequest has something happen at each call of a method, or of all for "", before the platform does as it is asked.
// The function returned ends that. Like a fault, it does not see the calls that a fault added before it ends.
func (e *Emulator) OnRequest(method string, do func(request proto.Message)) (remove func()) {
	return e.Inject(Fault{Method: method, Match: func(request proto.Message) bool {
		do(request)
		return false
	}})
}

// faults are the faults that are waiting to strike.
type faults struct {
	mu     sync.Mutex
	active []*activeFault
	added  uint64 // how many there ever were
}

type activeFault struct {
	Fault
	number uint64            // of all faults ever added
	left   int               // of Times
	met    map[string]uint64 // how often a request was met, by the request's bytes
}

func (s *faults) add(f *activeFault) (remove func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.added++
	f.number = s.added
	s.active = append(s.active, f)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.active = slices.DeleteFunc(s.active, func(other *activeFault) bool { return other == f })
	}
}

// due takes the faults that strike a call now: all up to and including the first that ends the call.
func (s *faults) due(method string, when When, request proto.Message) []Fault {
	s.mu.Lock()
	active := slices.Clone(s.active)
	s.mu.Unlock()
	var due []Fault
	for _, f := range active {
		// Match is asked without the mutex, because it may inject a fault itself.
		if f.Method != "" && f.Method != method || f.When != when || f.Match != nil && !f.Match(request) || !s.take(f, method, request) {
			continue
		}
		due = append(due, f.Fault)
		if f.Hang || f.Drop || f.Code != codes.OK {
			break
		}
	}
	return due
}

// take has a fault strike a call that it is meant for, if it is used up neither by Times nor by chance.
func (s *faults) take(f *activeFault, method string, request proto.Message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Times > 0 && f.left == 0 || f.Probability > 0 && f.chance(method, request) >= f.Probability {
		return false
	}
	f.left--
	return true
}

// chance is a number in [0, 1) that follows from the fault and from the call.
func (f *activeFault) chance(method string, request proto.Message) float64 {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(request)
	if err != nil {
		panic(err) // it came off the wire
	}
	call := method + "\x00" + string(b)
	f.met[call]++
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\x00%d\x00%d\x00%s", f.Seed, f.number, f.met[call], call))
	const bits = 53 // as many as a float64 holds exactly
	return float64(binary.BigEndian.Uint64(sum[:])>>(64-bits)) / (1 << bits)
}

// strike lets the faults that are due happen to a call. The response, which is nil before the commit, is returned as
// the faults left it.
func (s *faults) strike(ctx context.Context, method string, when When, request, response proto.Message) (proto.Message, error) {
	for _, f := range s.due(method, when, request) {
		if f.Delay > 0 {
			if err := pause(ctx, f.Delay); err != nil {
				return nil, err
			}
		}
		switch {
		case f.Hang:
			<-ctx.Done()
			return nil, status.FromContextError(ctx.Err()).Err()
		case f.Drop:
			breakConnection(ctx)
			return nil, status.Error(codes.Unavailable, "the emulator broke the connection on purpose")
		case f.Code != codes.OK:
			return nil, f.err()
		case f.Mutate != nil && response != nil:
			// What is spoiled is a copy: the answer may share parts with what is stored.
			response = proto.Clone(response)
			f.Mutate(response)
		}
	}
	return response, nil
}

// err is the status that the fault answers with.
func (f *Fault) err() error {
	message := f.Message
	if message == "" {
		message = fmt.Sprintf("the emulator failed this call on purpose (%s)", f.Code)
	}
	details := slices.Clone(f.Details)
	if f.RetryAfter > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(f.RetryAfter)})
	}
	return withDetails(status.New(f.Code, message), details...)
}

// pause waits in real time, unless the caller gives up or the emulator closes.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

// connectionKey is where server.go puts a call's connection in its context.
type connectionKey struct{}

// breakConnection resets the TCP connection that a call came over.
func breakConnection(ctx context.Context) {
	conn, ok := ctx.Value(connectionKey{}).(*net.TCPConn)
	if !ok {
		panic("emulator: a call without a TCP connection")
	}
	_ = conn.SetLinger(0) // makes Close send a reset; what fails here is broken already
	_ = conn.Close()
}
