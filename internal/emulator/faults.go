package emulator

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"golang.org/x/net/http2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/services"
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

// Fault is one thing that goes wrong. What is set of it happens in this order: the delay, then what changes the stored
// invite or the answer, then the first of Hang, Drop, GoAway, Reset, Proxy and Code, which ends the call. A fault that
// does not end the call leaves it to the faults after it. Messages are those of iam/v2, for v2beta1 calls too.
type Fault struct {
	// Method is the short name of the RPC, such as "CreateGroupInvite", or "" for all of them.
	Method string
	// When says whether the platform does what it was asked.
	When When
	// Times is how often the fault strikes; 0 is always.
	Times int
	// Probability, if it is set, is how likely the fault strikes a call. Which calls it strikes follows from Seed and
	// from the faults added before: a call that is made for the nth time with the same request always meets the same
	// fate, in whatever order calls come.
	Probability float64
	Seed        uint64
	// Match, if it is set, picks the requests that the fault may strike.
	Match func(request proto.Message) bool

	// Delay is how long to wait, in real time. It ends early when the caller gives up, which before the commit means
	// that nothing is committed.
	Delay time.Duration

	// CommitDelay makes the invite that a CreateGroupInvite creates come into being so much later, by the platform's
	// clock. It implies AfterCommit, and is of use with something that ends the call.
	CommitDelay time.Duration
	// ListingDelay hides the invite that a CreateGroupInvite creates from Get and List for so long, by the platform's
	// clock. It implies AfterCommit.
	ListingDelay time.Duration
	// Mutate spoils the answer. It implies AfterCommit.
	Mutate func(response proto.Message)
	// EndlessPages makes each page of a List name a next one; after the last, the list starts again. It implies
	// AfterCommit.
	EndlessPages bool
	// Padding makes the answer so many bytes longer, with a field that no one knows. It implies AfterCommit.
	Padding int
	// Garbage adds bytes behind the answer. It implies AfterCommit.
	Garbage bool

	// Hang never answers.
	Hang bool
	// Drop resets the TCP connection, and with it every other call on it.
	Drop bool
	// GoAway says GOAWAY on the HTTP/2 connection and closes it, and with it every other call on it.
	GoAway bool
	// Reset ends the HTTP/2 stream with this RST_STREAM code, such as ENHANCE_YOUR_CALM. Over HTTP/1 it is a Drop.
	Reset http2.ErrCode
	// Proxy answers as a proxy in front of the platform does: over plain HTTP, without a gRPC status.
	Proxy *ProxyAnswer
	// Code, if it is not OK, is answered, with Message and Details.
	Code    codes.Code
	Message string
	Details []proto.Message
	// RetryAfter is added to the details as a RetryInfo.
	RetryAfter time.Duration
}

// ProxyAnswer is what a proxy answers instead of the platform.
type ProxyAnswer struct {
	Status int
	// ContentType is text/html unless it is set.
	ContentType string
	// Body, if the content is HTML, is a short page unless it is set.
	Body string
}

// faults are the faults that are waiting to strike.
type faults struct {
	mu     sync.Mutex
	active []*activeFault
	added  uint64 // how many there ever were
}

// Inject adds a fault. Faults strike in the order in which they were added. The function returned removes it again. It
// panics on a fault that could never strike: a test with such a fault would prove nothing.
func (s *faults) Inject(f Fault) (remove func()) {
	if f.Method != "" && !services.KnownMethod(f.Method) {
		panic(fmt.Sprintf("emulator: a fault of %q, which is no method of the platform", f.Method))
	}
	if f.CommitDelay > 0 || f.ListingDelay > 0 || f.Mutate != nil || f.EndlessPages || f.Padding > 0 || f.Garbage {
		f.When = AfterCommit
	}
	return s.add(&activeFault{Fault: f, left: f.Times, met: map[string]uint64{}})
}

// OnRequest has something happen at each call of a method, or of all for "", before the platform does as it is asked.
// The function returned ends that. Like a fault, it does not see the calls that a fault added before it ends.
func (s *faults) OnRequest(method string, do func(request proto.Message)) (remove func()) {
	return s.Inject(Fault{Method: method, Match: func(request proto.Message) bool {
		do(request)
		return false
	}})
}

// KnownMethod reports whether an RPC of the platform has this short name.
func KnownMethod(name string) bool { return services.KnownMethod(name) }

type activeFault struct {
	Fault
	number uint64            // of all faults ever added
	left   int               // of Times
	met    map[string]uint64 // how often a request was met, by what it asks for
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
		if f.ends() {
			break
		}
	}
	return due
}

// ends reports whether the fault ends a call.
func (f *Fault) ends() bool {
	return f.Hang || f.Drop || f.GoAway || f.Reset != 0 || f.Proxy != nil || f.Code != codes.OK
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

// chance returns a number in [0, 1) that follows from the fault and from the call.
func (f *activeFault) chance(method string, request proto.Message) float64 {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(repeatable(request))
	if err != nil {
		panic(err) // it came off the wire
	}
	call := method + "\x00" + string(b)
	f.met[call]++
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\x00%d\x00%d\x00%s", f.Seed, f.number, f.met[call], call))
	const bits = 53 // as many as a float64 holds exactly
	return float64(binary.BigEndian.Uint64(sum[:])>>(64-bits)) / (1 << bits)
}

// repeatable returns the request without what differs each time that a test runs: the part of a second by which a
// client shortens a ttl, and the times in page tokens.
func repeatable(request proto.Message) proto.Message {
	clone := proto.Clone(request)
	if create, ok := clone.(*iam.CreateGroupInviteRequest); ok && create.GetGroupInvite().GetTtl().GetNanos() > 0 {
		create.GroupInvite.Ttl.Seconds++
		create.GroupInvite.Ttl.Nanos = 0
	}
	m := clone.ProtoReflect()
	if pageToken := m.Descriptor().Fields().ByName("page_token"); pageToken != nil {
		m.Clear(pageToken)
	}
	return clone
}

// spoil returns the answer as the fault makes it: a copy, as an answer may share parts with what is stored.
func (f *Fault) spoil(response proto.Message) proto.Message {
	if f.Mutate == nil && !f.EndlessPages && f.Padding == 0 {
		return response
	}
	response = proto.Clone(response)
	if f.Mutate != nil {
		f.Mutate(response)
	}
	m := response.ProtoReflect()
	if next := m.Descriptor().Fields().ByName("next_page_token"); f.EndlessPages && next != nil && !m.Has(next) {
		m.Set(next, protoreflect.ValueOfString(services.StalePageToken))
	}
	if f.Padding > 0 {
		field := protowire.AppendTag(nil, protowire.MaxValidNumber, protowire.BytesType)
		m.SetUnknown(protowire.AppendBytes(field, make([]byte, f.Padding)))
	}
	return response
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
	return services.WithDetails(status.New(f.Code, message), details...)
}
