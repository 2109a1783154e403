package emulator

import (
	"context"
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
	// AfterCommit faults strike when the platform has done what it was asked,
	// and only then: a call that it refuses is answered as usual.
	AfterCommit
)

// Fault is one thing that goes wrong. Of all that is set, the delay comes
// first, then whichever of Hang, Drop, Code and Mutate is set, in this order.
// A fault that only delays or mutates leaves the call to the faults after it.
// Messages are those of iam/v2, for v2beta1 calls too.
type Fault struct {
	// Method is the short name of the RPC, such as "CreateGroupInvite", or "" for
	// all of them.
	Method string
	// When says whether the platform does what it was asked.
	When When
	// Code, if it is not OK, is answered, with Message and Details.
	Code    codes.Code
	Message string
	Details []proto.Message
	// RetryAfter is added to the details as a RetryInfo.
	RetryAfter time.Duration
	// Delay is how long to wait, in real time. It ends early when the caller gives
	// up, which before the commit means that nothing is committed.
	Delay time.Duration
	// Hang never answers.
	Hang bool
	// Drop breaks the TCP connection, and with it every other call on it.
	Drop bool
	// Mutate spoils the answer. It implies AfterCommit.
	Mutate func(response proto.Message)
	// Times is how often the fault strikes; 0 is always.
	Times int
	// Probability, if it is set, is how likely the fault strikes. Rand is asked
	// for a number in [0, 1) each time; calls of it never overlap.
	Probability float64
	Rand        func() float64
	// Match, if it is set, picks the requests that the fault strikes.
	Match func(request proto.Message) bool
}

// Inject adds a fault. Faults strike in the order in which they were added.
// The function returned takes it away again. It panics on a fault that could
// never strike: a test with such a fault would prove nothing.
func (e *Emulator) Inject(f Fault) (remove func()) {
	if f.Method != "" && !KnownMethod(f.Method) {
		panic(fmt.Sprintf("emulator: a fault of %q, which is no method of the platform", f.Method))
	}
	if f.Mutate != nil {
		f.When = AfterCommit
	}
	if f.Probability > 0 && f.Rand == nil {
		panic("emulator: a fault with a probability needs a source of random numbers in Rand")
	}
	return e.faults.add(&activeFault{Fault: f, left: f.Times})
}

// faults are the faults that are waiting to strike.
type faults struct {
	mu     sync.Mutex
	active []*activeFault
}

type activeFault struct {
	Fault
	left int // of Times
}

func (s *faults) add(f *activeFault) (remove func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active = append(s.active, f)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.active = slices.DeleteFunc(s.active, func(other *activeFault) bool { return other == f })
	}
}

// due takes the faults that strike a call now: all up to and including the
// first that ends the call.
func (s *faults) due(method string, when When, request proto.Message) []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []Fault
	for _, f := range s.active {
		switch {
		case f.Method != "" && f.Method != method,
			f.When != when,
			f.Match != nil && !f.Match(request),
			f.Times > 0 && f.left == 0,
			f.Probability > 0 && f.Rand() >= f.Probability:
			continue
		}
		f.left--
		due = append(due, f.Fault)
		if f.Hang || f.Drop || f.Code != codes.OK {
			break
		}
	}
	return due
}

// strike lets the faults that are due happen to a call. The response, which is
// nil before the commit, is returned as the faults left it.
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
