package emulator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/services"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/token"
)

// Request is one call that reached the emulator.
type Request struct {
	// Method is the short name, such as "CreateGroupInvite", and FullMethod the whole, such as
	// "/chainguard.platform.iam.v2.GroupInvitesService/CreateGroupInvite".
	Method, FullMethod string
	// REST says that the call came as REST rather than as gRPC.
	REST bool
	// Time is when it came, by the emulator's clock.
	Time time.Time
	// Timeout is what the caller's deadline left when the call came, 0 without one.
	Timeout time.Duration
	// Metadata is what the caller sent along. Tokens are replaced by a hash.
	Metadata metadata.MD
	// UserAgent is who the caller says it is.
	UserAgent string
	// Identity is whom the caller's token says it is for.
	Identity string
	// Request is the message, nil where the emulator does not have the method.
	Request proto.Message
	// Done says that the call was answered, and Code how.
	Done bool
	Code codes.Code
}

// requestLog keeps the calls.
type requestLog struct {
	mu       sync.Mutex
	requests []*Request
	counts   map[string]int
}

// Requests returns every call so far, in the order in which they came.
func (l *requestLog) Requests() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	requests := make([]Request, 0, len(l.requests))
	for _, r := range l.requests {
		requests = append(requests, *r)
	}
	return requests
}

// Count returns how many calls of a method there were. The name is a short one, such as "GetGroupInvite"; "" counts
// all.
func (l *requestLog) Count(method string) int {
	total := 0
	for name, n := range l.Counts() {
		if method == "" || name == method {
			total += n
		}
	}
	return total
}

// Counts returns how many calls of each method there were.
func (l *requestLog) Counts() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.counts)
}

// ResetRequests forgets every call so far.
func (l *requestLog) ResetRequests() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests, l.counts = nil, nil
}

// begin keeps a call, and returns the function that notes its outcome.
func (l *requestLog) begin(r *Request) (end func(error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests = append(l.requests, r)
	if l.counts == nil {
		l.counts = map[string]int{}
	}
	l.counts[r.Method]++
	return func(err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		r.Done, r.Code = true, status.Code(err)
	}
}

// newRequest makes the log's entry of a call from what came with it.
func newRequest(ctx context.Context, fullMethod string, request proto.Message, now time.Time) *Request {
	md, _ := metadata.FromIncomingContext(ctx)
	r := &Request{
		Method:     path.Base(fullMethod),
		FullMethod: fullMethod,
		Time:       now,
		Metadata:   redact(md),
		Request:    request,
	}
	r.UserAgent = strings.Join(md.Get("user-agent"), " ")
	if agent := md.Get("grpcgateway-user-agent"); len(agent) > 0 {
		r.REST, r.UserAgent = true, strings.Join(agent, " ")
	}
	if deadline, ok := ctx.Deadline(); ok {
		r.Timeout = time.Until(deadline)
	}
	if bearer, ok := services.Bearer(md); ok {
		if claims, err := token.Parse(bearer); err == nil {
			r.Identity = claims.Subject
		}
	}
	return r
}

// redact replaces whatever authorizes a caller by a hash, which still tells one token from another.
func redact(md metadata.MD) metadata.MD {
	clean := md.Copy()
	for key, values := range clean {
		if !strings.Contains(key, "authorization") {
			continue
		}
		clean[key] = slices.Clone(values)
		for i, value := range values {
			scheme, secret, _ := strings.Cut(value, " ")
			if secret == "" {
				scheme, secret = "", value
			}
			sum := sha256.Sum256([]byte(secret))
			clean[key][i] = strings.TrimSpace(scheme + " sha256:" + hex.EncodeToString(sum[:6]))
		}
	}
	return clean
}
