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

// Outcome describes how far a try of a call got.
type Outcome struct {
	// Sent is set if the request may have reached the server.
	Sent bool
	// Answered is set if the status is the server's: a grpc-status was received. Otherwise gRPC derived the status from
	// the state of the connection or from the response of a proxy.
	Answered bool
	// Date is the server's time from the `date` header, in whole seconds. It is zero without the header.
	Date time.Time
}

// Error is the error of a failed call. Its status contains none of the known secrets.
type Error struct {
	Outcome

	status *status.Status
	err    error
}

// Error implements [error].
func (e *Error) Error() string { return e.err.Error() }

// Unwrap returns the error of the caller's context if that ended the call, and otherwise the status as an error.
func (e *Error) Unwrap() error { return e.err }

// GRPCStatus returns the status of the call, for [status.FromError].
func (e *Error) GRPCStatus() *status.Status { return e.status }

// Code returns the code of the call. It is the server's only if the call was Answered.
func (e *Error) Code() codes.Code { return e.status.Code() }

// Refused reports whether the server rejected the request without acting on it.
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

// SignInError reports a call that was not sent because there is no token.
type SignInError struct {
	err  error
	told *sync.Map // reasons reported so far
}

// Repeats reports whether another error has already explained the reason, and records that this one does.
func (e *SignInError) Repeats() bool {
	_, told := e.told.LoadOrStore(e.err.Error(), true)
	return told
}

// Error implements [error].
func (e *SignInError) Error() string { return e.err.Error() }

// Unwrap returns the reason.
func (e *SignInError) Unwrap() error { return e.err }

// newError returns the error of a try with this outcome, or nil. interrupted is the reason why the caller gave up, nil
// if it did not. Known secrets are removed.
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

// cutSecrets removes known secrets from the message, and drops details that contain one.
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

// refusedWith reports whether the server itself returned the code.
func refusedWith(err error, code codes.Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Answered && e.Code() == code
}

// isTemporary reports whether the call may be sent again and may then succeed.
func (e *Error) isTemporary(idempotent bool) bool {
	if !idempotent {
		return e.Code() == codes.Unavailable && !e.Sent
	}
	switch e.Code() {
	case codes.Unavailable, codes.Internal, codes.Unknown, codes.Aborted, codes.DeadlineExceeded:
		return true
	case codes.ResourceExhausted, codes.Canceled, codes.DataLoss:
		return !e.Answered // The stream was reset. A ResourceExhausted of the server itself is handled by throttled.
	default:
		return false
	}
}

// retryAfter returns how long the server asks to wait, zero if it does not.
func retryAfter(err error) time.Duration {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return max(0, info.GetRetryDelay().AsDuration())
		}
	}
	return 0
}

// try records the events of one try.
type try struct {
	sent       atomic.Bool
	message    atomic.Bool // a message was received
	compressed atomic.Bool // the message is compressed, possibly in an encoding that gRPC does not support
	trailers   atomic.Bool // trailers were received
	date       atomic.Pointer[string]
}

type tryKey struct{}

// withTry returns a context that records the events of its call.
func withTry(ctx context.Context) (context.Context, *try) {
	t := new(try)
	return context.WithValue(ctx, tryKey{}, t), t
}

// outcome returns the outcome of the try, given its error.
func (t *try) outcome(err error) Outcome {
	o := Outcome{Sent: t.sent.Load(), Answered: t.trailers.Load()}
	switch s := status.Convert(err); {
	case err == nil:
	case t.message.Load():
		o.Answered = false // The server sent a message, so it accepted the call, whatever failed afterwards.
	case s.Code() == codes.Unknown && s.Message() == "":
		o.Answered = false // gRPC reports this for trailers without a grpc-status.
	case s.Code() == codes.Unimplemented && t.compressed.Load():
		o.Answered = false // gRPC could not decompress the message.
	}
	if text := t.date.Load(); text != nil {
		o.Date, _ = http.ParseTime(*text)
	}
	return o
}

// recorder is the [stats.Handler] that fills in a try.
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
