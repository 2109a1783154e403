package platform

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// serviceConfig has gRPC itself retry, with its jittered backoff, what is safe to send twice. Create is not in it:
// the platform has no idempotency key, so a Create sent again is a second live invite.
var serviceConfig = fmt.Sprintf(`{"methodConfig": [{
	"name": [
		{"service": %[1]q, "method": "GetGroupInvite"},
		{"service": %[1]q, "method": "ListGroupInvites"},
		{"service": %[1]q, "method": "DeleteGroupInvite"},
		{"service": %[2]q, "method": "GetGroup"},
		{"service": %[2]q, "method": "ListGroups"},
		{"service": %[3]q, "method": "GetRole"},
		{"service": %[3]q, "method": "ListRoles"}
	],
	"retryPolicy": {
		"maxAttempts": 5, "initialBackoff": "0.1s", "maxBackoff": "2s", "backoffMultiplier": 2,
		"retryableStatusCodes": ["UNAVAILABLE"]
	}
}]}`,
	iam.GroupInvitesService_ServiceDesc.ServiceName,
	iam.GroupsService_ServiceDesc.ServiceName,
	iam.RolesService_ServiceDesc.ServiceName)

// maxExhausted is how often a call is sent while the platform answers ResourceExhausted. With the backoff of [pace]
// that is about half a minute: longer than a burst, shorter than anybody wants to wait for a quota that is used up.
const maxExhausted = 8

// intercept makes every RPC of the client: it waits for the client's pace, signs in, sets the deadline, signs in anew
// once where the platform says Unauthenticated, and backs off where it says ResourceExhausted. In both cases the
// platform has done nothing, so this is safe for Create as well.
func (c *Client) intercept(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	renewed := false
	for sent := 1; ; sent++ {
		if err := c.pace.wait(ctx, c.config); err != nil {
			return err
		}
		token, err := c.once(ctx, method, req, reply, conn, invoke, options...)
		switch {
		case err == nil:
			c.pace.clear()
			return nil
		case status.Code(err) == codes.Unauthenticated && !renewed && token != "":
			renewed = true
			c.config.Tokens.Discard(token)
			continue
		case status.Code(err) == codes.ResourceExhausted && sent < maxExhausted:
			c.pace.backOff(c.config.Now(), retryAfter(err))
			continue
		}
		return redact(err, token)
	}
}

// once makes one RPC, with the token that it answers.
func (c *Client) once(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) (token string, err error) {
	exchangeIn(ctx).reset()
	// Not under the deadline of the call: a person at a browser takes longer, and whoever signs in bounds it.
	signedIn, err := c.config.Tokens.Token(ctx)
	if err != nil {
		return "", &SignInError{err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.RequestTimeout)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+signedIn.AccessToken)
	return signedIn.AccessToken, invoke(ctx, method, req, reply, conn, options...)
}

// SignInError is a call that was not made for want of a token.
type SignInError struct{ err error }

func (e *SignInError) Error() string { return e.err.Error() }

// Unwrap is why there is no token.
func (e *SignInError) Unwrap() error { return e.err }

// pace slows the whole client down when the platform says ResourceExhausted: fifty calls that each back off on their
// own are still fifty calls.
type pace struct {
	mu      sync.Mutex
	until   time.Time
	strikes int
}

const (
	firstBackOff = 250 * time.Millisecond
	maxBackOff   = 30 * time.Second
)

// wait returns when calls may be sent, or with the error of ctx.
func (p *pace) wait(ctx context.Context, config Config) error {
	for {
		p.mu.Lock()
		left := p.until.Sub(config.Now())
		p.mu.Unlock()
		if left <= 0 {
			return ctx.Err()
		}
		// Jitter upwards: those who wait must not all come back in the same moment.
		if err := config.Sleep(ctx, left+rand.N(left/4+1)); err != nil { //nolint:gosec // G404: jitter needs no secrecy.
			return fmt.Errorf("waiting as the platform asked to: %w", err)
		}
	}
}

// backOff stops all calls for after, or where the platform did not say how long, for twice as long as the last time.
func (p *pace) backOff(now time.Time, after time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.until.After(now) && after == 0 {
		return // One of a burst that was under way when the first came back.
	}
	if after == 0 {
		after = min(firstBackOff<<min(p.strikes, 16), maxBackOff)
		p.strikes++
	}
	if until := now.Add(after); until.After(p.until) {
		p.until = until
	}
}

// clear forgets how often the platform was exhausted.
func (p *pace) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.strikes = 0
}

// retryAfter is how long the platform asks to wait, zero where it does not say.
func retryAfter(err error) time.Duration {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return max(0, info.GetRetryDelay().AsDuration())
		}
	}
	return 0
}

// exchange is what is known of how far an RPC came. Without it a connection that was refused cannot be told from one
// that broke after the platform had acted: both are Unavailable.
type exchange struct {
	sent atomic.Bool            // the request may have reached the platform
	date atomic.Pointer[string] // the platform's own time, an HTTP date
}

type exchangeKey struct{}

// withExchange lets the RPC made with the context be asked how far it came.
func withExchange(ctx context.Context) (context.Context, *exchange) {
	e := new(exchange)
	return context.WithValue(ctx, exchangeKey{}, e), e
}

func exchangeIn(ctx context.Context) *exchange {
	e, _ := ctx.Value(exchangeKey{}).(*exchange)
	return e
}

func (e *exchange) reset() {
	if e != nil {
		e.sent.Store(false)
	}
}

// exchangeRecorder is the [stats.Handler] that fills in the exchange.
type exchangeRecorder struct{}

func (exchangeRecorder) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

func (exchangeRecorder) HandleRPC(ctx context.Context, event stats.RPCStats) {
	e := exchangeIn(ctx)
	if e == nil {
		return
	}
	switch event := event.(type) {
	case *stats.OutHeader:
		e.sent.Store(true)
	case *stats.InHeader:
		e.keepDate(event.Header)
	case *stats.InTrailer:
		e.keepDate(event.Trailer)
	}
}

func (exchangeRecorder) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	return ctx
}

func (exchangeRecorder) HandleConn(context.Context, stats.ConnStats) {}

func (e *exchange) keepDate(md metadata.MD) {
	if dates := md.Get("date"); len(dates) > 0 {
		e.date.Store(&dates[0])
	}
}
