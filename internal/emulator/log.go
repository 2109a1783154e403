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

// Request is a call that the emulator received.
type Request struct {
	// Method is the short name, such as "CreateGroupInvite", and FullMethod the full one, such as
	// "/chainguard.platform.iam.v2.GroupInvitesService/CreateGroupInvite".
	Method, FullMethod string
	// REST is whether the call was a REST call.
	REST bool
	// Time is when the call arrived, by the emulator's clock.
	Time time.Time
	// Timeout is the time to the caller's deadline, 0 if there is none.
	Timeout time.Duration
	// Metadata is the caller's metadata, with tokens replaced by a hash.
	Metadata metadata.MD
	// UserAgent is the user agent of the caller.
	UserAgent string
	// Identity is the subject of the caller's token.
	Identity string
	// Request is the message, nil if the emulator does not implement the method.
	Request proto.Message
	// Done is whether the call was answered, and Code its status.
	Done bool
	Code codes.Code
}

// requestLog is a log of calls.
type requestLog struct {
	mu       sync.Mutex
	requests []*Request
	counts   map[string]int
}

// Requests returns all calls so far, in order of arrival.
func (l *requestLog) Requests() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	requests := make([]Request, 0, len(l.requests))
	for _, r := range l.requests {
		requests = append(requests, *r)
	}
	return requests
}

// Count returns the number of calls of a method, by its short name such as "GetGroupInvite", or of all methods for "".
func (l *requestLog) Count(method string) int {
	total := 0
	for name, n := range l.Counts() {
		if method == "" || name == method {
			total += n
		}
	}
	return total
}

// Counts returns the number of calls of each method.
func (l *requestLog) Counts() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.counts)
}

// ResetRequests clears the log.
func (l *requestLog) ResetRequests() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests, l.counts = nil, nil
}

// begin logs a call, and returns a function that records its outcome.
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

// newRequest returns the log entry of a call.
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

// redact replaces credentials by a hash, which still distinguishes one token from another.
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
