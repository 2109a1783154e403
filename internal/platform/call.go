package platform

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
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

// idempotent are the methods that are safe to send twice. Create is not: the platform has no idempotency key, so a
// Create that is sent again is a second live invite.
var idempotent = map[string]bool{
	iam.GroupInvitesService_GetGroupInvite_FullMethodName:    true,
	iam.GroupInvitesService_ListGroupInvites_FullMethodName:  true,
	iam.GroupInvitesService_DeleteGroupInvite_FullMethodName: true,
	iam.GroupsService_GetGroup_FullMethodName:                true,
	iam.GroupsService_ListGroups_FullMethodName:              true,
	iam.RolesService_GetRole_FullMethodName:                  true,
	iam.RolesService_ListRoles_FullMethodName:                true,
}

// How a call is sent again that got an Unavailable. It is gRPC's own retry policy, but not by gRPC: that one gives up
// as soon as headers have come, and every server and proxy on Go's net/http sends headers before an error. The tries
// share the time of one call.
const (
	maxTries   = 5
	firstRetry = 100 * time.Millisecond
	maxRetry   = 2 * time.Second
)

// maxExhausted is how often a call is sent while the platform answers ResourceExhausted. With the backoff of [pace]
// that is about half a minute: longer than a burst, shorter than anybody wants to wait for a quota that is used up.
const maxExhausted = 8

// intercept makes every RPC of the client: it waits for the client's pace, signs in, sets the deadline, signs in anew
// once where the platform says Unauthenticated, backs off where it says ResourceExhausted, and tries again where it
// is Unavailable. All but the last are safe for Create as well, because the platform has done nothing; so is the last
// where nothing was sent.
func (c *Client) intercept(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	exchange := exchangeIn(ctx)
	if exchange == nil {
		ctx, exchange = withExchange(ctx)
	}
	var refusal error // why the call is to be sent again
	var exhausted, unavailable int
	renewed := false
	for {
		exchange.sent.Store(false)
		exchange.over.Store(false)
		exchange.date.Store(nil)
		if err := c.pace.wait(ctx, c.config); err != nil {
			if refusal != nil {
				// That the platform has no room says more than that the time ran out while it had none.
				return refusal
			}
			return err
		}
		begun := c.config.Now()
		token, err := c.once(ctx, exchange, method, req, reply, conn, invoke, options...)
		if err == nil {
			c.pace.clear()
			return nil
		}
		err = cutToken(err, token)
		after := retryAfter(err)
		switch code := status.Code(err); {
		case code == codes.Unauthenticated && !renewed && token != "":
			renewed = true
			c.config.Tokens.Discard(token)
		case code == codes.ResourceExhausted && exhausted < maxExhausted-1 && after <= maxRetryAfter:
			exhausted++
			c.pace.backOff(c.config.Now(), after)
		case c.again(ctx, method, code, exchange, unavailable):
			if end, ok := cleanUpEnd(ctx); ok {
				exchange.until = end
			} else if exchange.until.IsZero() {
				exchange.until = begun.Add(c.config.RequestTimeout)
			}
			wait := max(after, jittered(min(firstRetry<<min(unavailable, 16), maxRetry)))
			unavailable++
			if !c.config.Now().Add(wait).Before(exchange.until) || c.config.Sleep(ctx, wait) != nil {
				return err
			}
		default:
			return err
		}
		refusal = err
	}
}

// again reports whether a call that failed for the moment is to be sent again, after it has been so often already.
func (c *Client) again(ctx context.Context, method string, code codes.Code, exchange *exchange, already int) bool {
	switch {
	case cleaningUp(ctx) && idempotent[method] && !refused(code):
		return true
	case code == codes.Unavailable && (idempotent[method] || !exchange.sent.Load()):
		return already < maxTries-1
	default:
		return false
	}
}

// cleanUpKey has in a context until when, by the client's clock, the invite of a lost create is looked for and revoked.
// What fails there leaves a code alive that nobody knows of, so calls are sent again until then, and whatever went wrong
// but a refusal.
type cleanUpKey struct{}

func cleanUpEnd(ctx context.Context) (end time.Time, cleaningUp bool) {
	end, cleaningUp = ctx.Value(cleanUpKey{}).(time.Time)
	return end, cleaningUp
}

func cleaningUp(ctx context.Context) bool {
	_, cleaningUp := cleanUpEnd(ctx)
	return cleaningUp
}

// jittered is d, give or take a fifth, as in gRPC's retry policy.
func jittered(d time.Duration) time.Duration {
	return d*4/5 + rand.N(d*2/5+1) //nolint:gosec // G404: jitter needs no secrecy.
}

// once makes one RPC, with the token that it answers.
func (c *Client) once(ctx context.Context, exchange *exchange, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) (token string, err error) {
	// Not under the deadline of the call: a person at a browser takes longer, and whoever signs in bounds it.
	signedIn, err := c.config.Tokens.Token(ctx)
	if err != nil {
		return "", &SignInError{err: err}
	}
	if exchange.creation != nil {
		if err := c.creates.enter(ctx, exchange.creation, c.config.Now); err != nil {
			return "", err
		}
		// Only from here on: whoever gives up while waiting for a token or for the pace wants nothing sent any more.
		var stop context.CancelFunc
		ctx, stop = withGrace(ctx, c.grace)
		defer stop()
	}
	sent := c.config.Now()
	timeout := exchange.timeout(c.config, sent)
	if cleaningUp(ctx) {
		timeout = min(timeout, c.cleanUpCall())
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	// A new set, so that nothing which a caller's context may hold goes along.
	ctx = metadata.NewOutgoingContext(ctx, metadata.Pairs("authorization", "Bearer "+signedIn.AccessToken))
	err = invoke(ctx, method, req, reply, conn, options...)
	if c.config.Observe != nil {
		c.config.Observe(ctx, Call{Method: method, Code: status.Code(err), Took: c.config.Now().Sub(sent)})
	}
	if exchange.creation != nil {
		exchange.creation.goesOn = !exchange.over.Load()
		if !exchange.acted(err) {
			c.creates.leave(exchange.creation)
		}
	}
	if date, ok := exchange.platformDate(); ok {
		c.offset.observe(date, sent, c.config.Now())
	}
	return signedIn.AccessToken, err
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

	// maxRetryAfter is the longest that is waited because the platform asks to. Whoever is to come back tomorrow wants
	// to be told so now.
	maxRetryAfter = 2 * time.Minute
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
	over atomic.Bool            // the platform has answered to the end
	date atomic.Pointer[string] // the platform's own time, an HTTP date

	creation *creation // what the RPC makes, nil unless it is a create
	until    time.Time // when there is no more time for a try, zero for the usual
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

// acted reports whether the platform may have done what was asked, given how the RPC ended.
func (e *exchange) acted(err error) bool {
	return err == nil || e.sent.Load() && !refused(status.Code(err))
}

// timeout is how long a try of the RPC may take.
func (e *exchange) timeout(config Config, now time.Time) time.Duration {
	if e.until.IsZero() {
		return config.RequestTimeout
	}
	return min(config.RequestTimeout, e.until.Sub(now))
}

// platformDate is the platform's time in whole seconds, where it tells.
func (e *exchange) platformDate() (time.Time, bool) {
	text := e.date.Load()
	if text == nil {
		return time.Time{}, false
	}
	date, err := http.ParseTime(*text)
	return date, err == nil
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
		e.over.Store(true)
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
