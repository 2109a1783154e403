package rpc

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// Outcome says how far one try of a call came.
type Outcome struct {
	// Sent says that the request may have reached the server.
	Sent bool
	// Answered says that the status of the call is the server's own: a grpc-status arrived. Without it, gRPC made the
	// status up from what happened to the connection or from what a proxy answered.
	Answered bool
	// Date is the server's time, in whole seconds, if it told it in a `date` header.
	Date time.Time
}

// Error is a call that failed. The texts in its status hold none of the known secrets.
type Error struct {
	Outcome

	status *status.Status
	err    error
}

// Error implements error.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap is the error of the caller's context if that ended the call, else the status as an error.
func (e *Error) Unwrap() error { return e.err }

// GRPCStatus is the status that the call ended with, so that [status.FromError] works.
func (e *Error) GRPCStatus() *status.Status { return e.status }

// Code is the code that the call ended with. It is the server's only if the call was Answered.
func (e *Error) Code() codes.Code { return e.status.Code() }

// Refused reports whether the server looked at the request and did not act on it.
func (e *Error) Refused() bool {
	if !e.Answered {
		return false
	}
	switch e.Code() {
	case codes.InvalidArgument, codes.NotFound, codes.AlreadyExists, codes.PermissionDenied, codes.Unauthenticated,
		codes.ResourceExhausted, codes.FailedPrecondition, codes.OutOfRange, codes.Unimplemented:
		return true
	default:
		return false
	}
}

// SignInError is a call that was not made because there is no token.
type SignInError struct {
	err  error
	told *sync.Map // the reasons that were told
}

// Repeats reports whether another error has explained the reason already, and records that this one does.
func (e *SignInError) Repeats() bool {
	_, told := e.told.LoadOrStore(e.err.Error(), true)
	return told
}

// Error implements error.
func (e *SignInError) Error() string { return e.err.Error() }

// Unwrap is why there is no token.
func (e *SignInError) Unwrap() error { return e.err }

// newError returns err with how far the try came, nil if there is none. interrupted is why the caller wants no answer any
// more, nil if it does. Known secrets are cut out.
func newError(err error, outcome Outcome, interrupted error, secrets *redact.Secrets) error {
	if err == nil {
		return nil
	}
	e := &Error{Outcome: outcome, status: cutSecrets(status.Convert(err), secrets)}
	e.err = e.status.Err()
	if interrupted != nil && !outcome.Answered {
		e.err = interrupted
	}
	return e
}

// cutSecrets cuts the known secrets out of the message, and drops the details that hold one.
func cutSecrets(s *status.Status, secrets *redact.Secrets) *status.Status {
	message := secrets.Cut(s.Message())
	kept := &spb.Status{Code: int32(s.Code()), Message: message} //nolint:gosec // G115: there are 17 codes.
	for _, detail := range s.Proto().GetDetails() {
		if raw := detail.GetValue(); bytes.Equal(raw, []byte(secrets.Cut(string(raw)))) {
			kept.Details = append(kept.Details, detail)
		}
	}
	return status.FromProto(kept)
}

// refusedWith reports whether the server itself answered with the code.
func refusedWith(err error, code codes.Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Answered && e.Code() == code
}

// isTemporary reports whether the call may succeed if it is sent again, and may be sent again.
func (e *Error) isTemporary(idempotent bool) bool {
	if !idempotent {
		return e.Code() == codes.Unavailable && !e.Sent
	}
	switch e.Code() {
	case codes.Unavailable, codes.Internal, codes.Unknown, codes.Aborted, codes.DeadlineExceeded:
		return true
	case codes.ResourceExhausted, codes.Canceled, codes.DataLoss:
		return !e.Answered // The stream was reset. What the server itself says of its resources is throttled's.
	default:
		return false
	}
}

// retryAfter is how long the server asks to wait, zero if it does not say.
func retryAfter(err error) time.Duration {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return max(0, info.GetRetryDelay().AsDuration())
		}
	}
	return 0
}

// try is what the stats handler sees of one try.
type try struct {
	sent       atomic.Bool
	message    atomic.Bool // a message was received
	compressed atomic.Bool // in an encoding that gRPC may not know
	trailers   atomic.Bool // the status arrived
	date       atomic.Pointer[string]
}

type tryKey struct{}

// withTry has the events of the call that is made with the context recorded.
func withTry(ctx context.Context) (context.Context, *try) {
	t := new(try)
	return context.WithValue(ctx, tryKey{}, t), t
}

// outcome is how far the try came that ended with err.
func (t *try) outcome(err error) Outcome {
	o := Outcome{Sent: t.sent.Load(), Answered: t.trailers.Load()}
	switch s := status.Convert(err); {
	case err == nil:
	case t.message.Load():
		o.Answered = false // The server sent a message, so it did not refuse, whatever went wrong after that.
	case s.Code() == codes.Unknown && s.Message() == "":
		o.Answered = false // This is what gRPC makes of trailers without a grpc-status.
	case s.Code() == codes.Unimplemented && t.compressed.Load():
		o.Answered = false // gRPC cannot decompress the message.
	}
	if text := t.date.Load(); text != nil {
		o.Date, _ = http.ParseTime(*text)
	}
	return o
}

// recorder is the [stats.Handler] that fills in the try.
type recorder struct{}

func (recorder) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

func (recorder) HandleRPC(ctx context.Context, event stats.RPCStats) {
	t, ok := ctx.Value(tryKey{}).(*try)
	if !ok {
		return
	}
	switch event := event.(type) {
	case *stats.OutHeader:
		t.sent.Store(true)
	case *stats.InHeader:
		t.compressed.Store(event.Compression != "")
		t.keepDate(event.Header)
	case *stats.InPayload:
		t.message.Store(true)
	case *stats.InTrailer:
		t.trailers.Store(true)
		t.keepDate(event.Trailer)
	}
}

func (recorder) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (recorder) HandleConn(context.Context, stats.ConnStats) {}

func (t *try) keepDate(md metadata.MD) {
	if dates := md.Get("date"); len(dates) > 0 {
		t.date.Store(&dates[0])
	}
}
