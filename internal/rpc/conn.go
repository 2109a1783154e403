package rpc

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// Tokens hands out the bearer tokens that calls are made with.
type Tokens interface {
	// Token returns a token that is valid now. It may take I/O to get one, which ctx bounds.
	Token(ctx context.Context) (*oauth2.Token, error)
	// Discard says that the server refused accessToken, so that the next Token is another one.
	Discard(accessToken string)
}

// Config says how to reach a service.
type Config struct {
	// API is the service's URL, such as https://console-api.enforce.dev.
	API string
	// UserAgent is sent with every call.
	UserAgent string
	// Tokens signs the calls in.
	Tokens Tokens
	// RequestTimeout bounds each call, its retries included. It must be positive.
	RequestTimeout time.Duration
	// Retries are the methods that are safe to send twice, by their full name, with how they are retried. Any other
	// method is sent again only where the server surely has not seen it or refused it.
	Retries map[string]Policy
	// Observe, if it is set, is told of each try that was sent, for a log.
	Observe func(ctx context.Context, call Call)
	// Secrets is what errors are searched for. Tokens are added to it as they are used. It may be nil.
	Secrets *redact.Secrets
	// Clock tells the time. Nil is the machine's clock.
	Clock clock.Clock
}

// Call is one try of a call, as it may be logged: neither what was sent nor what came back is in it.
type Call struct {
	// Method is the full name, such as /chainguard.platform.iam.v2.GroupInvitesService/GetGroupInvite.
	Method string
	// Code is the status that the try ended with.
	Code codes.Code
	// Took is the time from sending to the end of the answer.
	Took time.Duration
}

// Conn is a connection to the service. Generated stubs make their calls over it; each error of theirs is an [*Error], a
// [*SignInError] or an [*UnresponsiveError], or that of the caller's context.
type Conn struct {
	*grpc.ClientConn

	config   Config
	throttle throttle
	breaker  breaker

	told sync.Map // why there was no token, see [SignInError.Repeats]
}

// connectParams has a broken connection re-established soon enough for the retries of the calls that need it.
var connectParams = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
	MinConnectTimeout: 20 * time.Second,
}

// Connect prepares a connection. It does no I/O; the first call connects.
func Connect(config Config) (*Conn, error) {
	if config.RequestTimeout <= 0 {
		return nil, errors.New("calls need a timeout")
	}
	if config.Clock == nil {
		config.Clock = clock.Real{}
	}
	c := &Conn{config: config}
	conn, err := Dial(config.API, config.UserAgent,
		grpc.WithConnectParams(connectParams),
		grpc.WithUnaryInterceptor(c.intercept),
		grpc.WithStatsHandler(recorder{}))
	if err != nil {
		return nil, err
	}
	c.ClientConn = conn
	return c, nil
}

// RequestTimeout bounds each call, its retries included.
func (c *Conn) RequestTimeout() time.Duration { return c.config.RequestTimeout }

// maxExhausted is how often a call is sent while the server answers ResourceExhausted. With the backoff of [throttle]
// that takes about half a minute: longer than a burst lasts, but not so long that an exhausted quota looks like a hang.
const maxExhausted = 8

// intercept makes every call. Each step is one concern: throttled waits while the server is overloaded, retried repeats
// what failed for the moment, signedIn renews a refused token, and send makes one try.
func (c *Conn) intercept(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, all ...grpc.CallOption) error {
	o, options := splitOptions(all)
	if o.once {
		options = append(options, noTransparentRetry)
	}
	call := &call{
		options: o,
		method:  method,
		invoke: func(ctx context.Context) error {
			return invoke(ctx, method, req, reply, conn, options...)
		},
	}
	if err := c.breaker.allow(c.config.Clock.Now(), o); err != nil {
		return err
	}
	err := c.throttled(ctx, call)
	c.breaker.record(c.config.Clock.Now(), ctx, err)
	if o.report != nil {
		*o.report = call.outcome
	}
	return err
}

// call is one call, over all of its tries.
type call struct {
	options
	method  string
	invoke  func(ctx context.Context) error
	renewed bool    // whether the token was renewed for it
	outcome Outcome // of the last try
}

// throttled makes a call, again after a wait as long as the server answers ResourceExhausted.
func (c *Conn) throttled(ctx context.Context, call *call) error {
	for n := 1; ; n++ {
		err := c.retried(ctx, call)
		after := retryAfter(err)
		if !refusedWith(err, codes.ResourceExhausted) || n == maxExhausted || after > maxRetryAfter {
			return err
		}
		c.throttle.backOff(c.config.Clock.Now(), after)
		if c.throttle.wait(ctx, c.config.Clock) != nil {
			return err // A server that is busy is a better explanation than the deadline.
		}
	}
}

// unsent retries a call that is not safe to send twice, where it was not sent.
var unsent = Policy{Tries: 5, First: 100 * time.Millisecond, Max: 2 * time.Second}

// maxPersistentTries is how often a call is sent that persists: with the usual backoff for about half a minute.
const maxPersistentTries = 20

// maxTimeouts is how often a call is sent again after a try that was not answered in time.
const maxTimeouts = 1

// retried makes a call, again where its failure may be temporary and sending it again is safe.
func (c *Conn) retried(ctx context.Context, call *call) error {
	policy, idempotent := c.config.Retries[call.method]
	if !idempotent {
		policy = unsent
	}
	if err := c.throttle.wait(ctx, c.config.Clock); err != nil {
		return err
	}
	policy.Until = c.config.Clock.Now().Add(c.config.RequestTimeout)
	if call.persist > 0 {
		policy.Tries, policy.Until = maxPersistentTries, time.Time{}
	}
	timeouts := 0
	temporary := func(err error) (bool, time.Duration) {
		if status.Code(err) == codes.DeadlineExceeded {
			timeouts++
		}
		var e *Error
		switch {
		case ctx.Err() != nil || !errors.As(err, &e): // The caller gave up, or there is no token.
			return false, 0
		case call.persist > 0 && idempotent:
			return !e.Refused(), retryAfter(err)
		default:
			return timeouts <= maxTimeouts && e.isTemporary(idempotent), retryAfter(err)
		}
	}
	var last error
	return Retry(ctx, c.config.Clock, policy, temporary, func() error {
		if err := c.throttle.wait(ctx, c.config.Clock); err != nil {
			return err
		}
		timeout := policy.Until.Sub(c.config.Clock.Now())
		switch {
		case call.persist > 0:
			timeout = call.persist
		case timeout <= 0 && last != nil:
			return last // The throttle has used up the time.
		case idempotent && last == nil:
			timeout /= 2 // If it hangs, there is time for another try.
		}
		err := c.signedIn(ctx, call, timeout)
		if err != nil && ctx.Err() != nil && last != nil && (idempotent || !call.outcome.Sent) {
			return last // What the server said last says more than that the caller has given up since.
		}
		last = err
		return err
	})
}

// signedIn makes a try, and another with a new token where the server refuses the first token.
func (c *Conn) signedIn(ctx context.Context, call *call, timeout time.Duration) error {
	token, err := c.send(ctx, call, timeout)
	if token != "" && refusedWith(err, codes.Unauthenticated) && !call.renewed {
		call.renewed = true
		c.config.Tokens.Discard(token)
		_, err = c.send(ctx, call, timeout)
	}
	return err
}

// send makes one try and returns the token that it was made with.
func (c *Conn) send(ctx context.Context, call *call, timeout time.Duration) (token string, err error) {
	call.outcome = Outcome{}
	// Not bounded by the timeout of a try: the user may have to sign in with a browser, and the source of the token
	// bounds that.
	signedIn, err := c.config.Tokens.Token(ctx)
	if err != nil {
		return "", &SignInError{err: err, told: &c.told}
	}
	token = signedIn.AccessToken
	c.config.Secrets.Add(token)

	// The grace begins here: a caller that gives up while it waits for a token or for the throttle wants nothing sent.
	if err := ctx.Err(); err != nil {
		return token, err
	}
	caller := ctx
	if call.grace > 0 {
		var stop context.CancelFunc
		ctx, stop = withGrace(ctx, call.grace)
		defer stop()
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	// A new set of metadata, so that none of what the caller's context holds is sent.
	ctx = metadata.NewOutgoingContext(ctx, metadata.Pairs("authorization", "Bearer "+token))
	ctx, try := withTry(ctx)

	sent := c.config.Clock.Now()
	err = call.invoke(ctx)
	call.outcome = try.outcome(err)
	err = newError(err, call.outcome, caller.Err(), c.config.Secrets)
	if c.config.Observe != nil {
		c.config.Observe(ctx, Call{Method: call.method, Code: status.Code(err), Took: c.config.Clock.Now().Sub(sent)})
	}
	if err == nil {
		c.throttle.clear()
	}
	return token, err
}

// withGrace returns a context that ends grace after ctx does.
func withGrace(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	graceful, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(grace, cancel)
		context.AfterFunc(graceful, func() { timer.Stop() })
	})
	return graceful, func() {
		stop()
		cancel()
	}
}
