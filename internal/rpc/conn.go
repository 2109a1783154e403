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

// Tokens provides the bearer tokens for calls.
type Tokens interface {
	// Token returns a valid token. Getting one may need I/O, which ctx limits.
	Token(ctx context.Context) (*oauth2.Token, error)
	// Discard reports that the server rejected accessToken, so that the next Token returns another one.
	Discard(accessToken string)
}

// Config describes how to reach a service.
type Config struct {
	// API is the service's URL, such as https://console-api.enforce.dev.
	API string
	// UserAgent is sent with every call.
	UserAgent string
	// Tokens provides the credentials of calls.
	Tokens Tokens
	// RequestTimeout limits each call, including retries. It must be positive.
	RequestTimeout time.Duration
	// Retries maps the full names of methods that are safe to send twice to their retry policies. Other methods are
	// sent again only if the server did not receive the call or rejected it.
	Retries map[string]Policy
	// Observe, if not nil, is called after each try that was sent, for logging.
	Observe func(ctx context.Context, call Call)
	// Secrets are removed from errors. The connection adds the tokens it uses. It may be nil.
	Secrets *redact.Secrets
	// Clock defaults to the system clock.
	Clock clock.Clock
}

// Call describes one try of a call for logging, without the request and the response.
type Call struct {
	// Method is the full name, such as /chainguard.platform.iam.v2.GroupInvitesService/GetGroupInvite.
	Method string
	// Code is the status that the try ended with.
	Code codes.Code
	// Took is the time from sending to the end of the response.
	Took time.Duration
}

// Conn is a connection to the service for generated stubs. Its errors are an [*Error], a [*SignInError], an
// [*UnresponsiveError], or the error of the caller's context.
type Conn struct {
	*grpc.ClientConn

	config   Config
	throttle throttle
	breaker  breaker

	told sync.Map // reasons reported for missing tokens, see [SignInError.Repeats]
}

// connectParams makes gRPC reconnect soon enough for the retries of calls.
var connectParams = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
	MinConnectTimeout: 20 * time.Second,
}

// Connect returns a connection. It does no I/O: the first call connects.
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

// RequestTimeout returns the limit for each call, including retries.
func (c *Conn) RequestTimeout() time.Duration { return c.config.RequestTimeout }

// maxExhausted is how often a call is sent while the server returns ResourceExhausted. With the backoff of [throttle]
// this takes about half a minute, which outlasts a burst without making an exhausted quota look like a hang.
const maxExhausted = 8

// intercept handles every call, with one concern per function: throttled waits while the server is overloaded, retried
// retries temporary failures, signedIn renews a rejected token, and send makes one try.
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

// call is the state of a call across its tries.
type call struct {
	options
	method  string
	invoke  func(ctx context.Context) error
	renewed bool    // whether its token was renewed
	outcome Outcome // of the last try
}

// throttled makes a call, and repeats it while the server returns ResourceExhausted.
func (c *Conn) throttled(ctx context.Context, call *call) error {
	for n := 1; ; n++ {
		err := c.retried(ctx, call)
		after := retryAfter(err)
		if !refusedWith(err, codes.ResourceExhausted) || n == maxExhausted || after > maxRetryAfter {
			return err
		}
		c.throttle.backOff(c.config.Clock.Now(), after)
		if c.throttle.wait(ctx, c.config.Clock) != nil {
			return err // ResourceExhausted explains more than the deadline.
		}
	}
}

// unsent is the policy for a call that is not safe to send twice and was not sent.
var unsent = Policy{Tries: 5, First: 100 * time.Millisecond, Max: 2 * time.Second}

// maxPersistentTries limits the tries of a call with [Persist]. With the usual backoff they take about half a minute.
const maxPersistentTries = 20

// maxTimeouts is how often a call is retried after a timeout.
const maxTimeouts = 1

// retried makes a call, and retries it if the error may be temporary and sending it again is safe.
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
			return last // Waiting in the throttle has used up the time.
		case idempotent && last == nil:
			timeout /= 2 // Leave time for another try if this one hangs.
		}
		err := c.signedIn(ctx, call, timeout)
		if err != nil && ctx.Err() != nil && last != nil && (idempotent || !call.outcome.Sent) {
			return last // The last error explains more than the canceled context.
		}
		last = err
		return err
	})
}

// signedIn makes a try, and another one with a new token if the server rejected the first.
func (c *Conn) signedIn(ctx context.Context, call *call, timeout time.Duration) error {
	token, err := c.send(ctx, call, timeout)
	if token != "" && refusedWith(err, codes.Unauthenticated) && !call.renewed {
		call.renewed = true
		c.config.Tokens.Discard(token)
		_, err = c.send(ctx, call, timeout)
	}
	return err
}

// send makes one try and returns the token it used.
func (c *Conn) send(ctx context.Context, call *call, timeout time.Duration) (token string, err error) {
	call.outcome = Outcome{}
	// The timeout of a try does not apply, because the user may have to sign in with a browser. The source of the token
	// has its own limits.
	signedIn, err := c.config.Tokens.Token(ctx)
	if err != nil {
		return "", &SignInError{err: err, told: &c.told}
	}
	token = signedIn.AccessToken
	c.config.Secrets.Add(token)

	// The grace period starts here: a caller that gives up while waiting for a token or the throttle must not send
	// anything.
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
	// Replace the metadata, so that none from the caller's context is sent.
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
