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

// When is when a fault strikes: before or after the platform has acted.
type When int

const (
	// BeforeCommit faults strike before the platform does anything.
	BeforeCommit When = iota
	// AfterCommit faults strike after a call succeeded. A call that the platform refuses is answered as usual.
	AfterCommit
)

// Fault makes calls fail. It first waits for the delay, then changes the stored invite or the response, and then ends
// the call with the first of Hang, Drop, GoAway, Reset, Proxy and Code that is set. If none is set, the next fault
// strikes the call as well. Messages are those of iam/v2, even for v2beta1 calls.
type Fault struct {
	// Method is the short name of the RPC, such as "CreateGroupInvite", or "" for all of them.
	Method string
	// When is whether the platform acts on the call first.
	When When
	// Times is how many calls the fault strikes; 0 means all.
	Times int
	// Probability, if set, is the share of calls that the fault strikes. Seed, and the number of faults added before,
	// select them: the nth call with the same request always has the same outcome, whatever the order of calls.
	Probability float64
	Seed        uint64
	// Match, if set, selects the requests that the fault may strike.
	Match func(request proto.Message) bool

	// Delay is how long to wait, in real time. If the caller gives up meanwhile, the call ends, without a commit if the
	// fault strikes before it.
	Delay time.Duration

	// CommitDelay makes the invite of a CreateGroupInvite exist only after this time, by the platform's clock. It
	// implies AfterCommit, and is meant for faults that end the call.
	CommitDelay time.Duration
	// ListingDelay hides the invite of a CreateGroupInvite from Get and List for this time, by the platform's clock. It
	// implies AfterCommit.
	ListingDelay time.Duration
	// Mutate changes the response. It implies AfterCommit.
	Mutate func(response proto.Message)
	// EndlessPages gives the last page of a List a next page token, which starts the list again. It implies
	// AfterCommit.
	EndlessPages bool
	// Padding adds an unknown field with this many bytes to the response. It implies AfterCommit.
	Padding int
	// Garbage appends bytes to the response. It implies AfterCommit.
	Garbage bool

	// Hang never answers.
	Hang bool
	// Drop resets the TCP connection, which ends every call on it.
	Drop bool
	// GoAway sends a GOAWAY and closes the connection, which ends every call on it.
	GoAway bool
	// Reset ends the HTTP/2 stream with this RST_STREAM code, such as ENHANCE_YOUR_CALM. Over HTTP/1 it is a Drop.
	Reset http2.ErrCode
	// Proxy answers like a proxy in front of the platform, without a gRPC status.
	Proxy *ProxyAnswer
	// Code, unless it is OK, is returned with Message and Details.
	Code    codes.Code
	Message string
	Details []proto.Message
	// RetryAfter, if set, is added to the details as a RetryInfo.
	RetryAfter time.Duration
}

// ProxyAnswer is the response of a proxy.
type ProxyAnswer struct {
	Status int
	// ContentType is text/html by default.
	ContentType string
	// Body is a short page by default if the content type is text/html.
	Body string
}

// faults are the active faults.
type faults struct {
	mu     sync.Mutex
	active []*activeFault
	added  uint64 // how many there ever were
}

// Inject adds a fault, and returns a function that removes it. Faults strike in the order in which they were added. It
// panics if the method does not exist, because a test with such a fault would prove nothing.
func (s *faults) Inject(f Fault) (remove func()) {
	if f.Method != "" && !services.KnownMethod(f.Method) {
		panic(fmt.Sprintf("emulator: a fault of %q, which is no method of the platform", f.Method))
	}
	if f.CommitDelay > 0 || f.ListingDelay > 0 || f.Mutate != nil || f.EndlessPages || f.Padding > 0 || f.Garbage {
		f.When = AfterCommit
	}
	return s.add(&activeFault{Fault: f, left: f.Times, met: map[string]uint64{}})
}

// OnRequest calls do before each call of a method, or of all methods for "", and returns a function that ends that.
// Like a fault, it does not see calls that an earlier fault ends.
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

// due returns the faults that strike a call: all up to and including the first that ends the call.
func (s *faults) due(method string, when When, request proto.Message) []Fault {
	s.mu.Lock()
	active := slices.Clone(s.active)
	s.mu.Unlock()
	var due []Fault
	for _, f := range active {
		// Match is called without the mutex, because it may inject a fault.
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

// take reports whether a fault strikes a matching call, by Times and Probability, and counts the call.
func (s *faults) take(f *activeFault, method string, request proto.Message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Times > 0 && f.left == 0 || f.Probability > 0 && f.chance(method, request) >= f.Probability {
		return false
	}
	f.left--
	return true
}

// chance returns a number in [0, 1) derived from the fault and the call.
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

// repeatable returns the request without what differs between runs of a test: the part of a second by which a client
// shortens a ttl, and the times in page tokens.
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

// spoil returns the response as the fault changes it. It changes a copy, because responses share data with the store.
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

// err returns the error that the fault answers with.
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
