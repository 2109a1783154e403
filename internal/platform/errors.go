package platform

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/rpc"
)

// Error is what went wrong between the provider and the platform, in the platform's words and ready to be shown: without
// control characters and without secrets.
type Error struct {
	// Doing is what was attempted, to follow "while": "creating an invite in group 1ad9...".
	Doing string
	// API is the URL that was called.
	API string
	// Code is the gRPC code that the call ended with.
	Code codes.Code
	// Answered says that Code and Message are the platform's own. Otherwise gRPC made them up from what became of the
	// connection, or from the answer of a proxy.
	Answered bool
	// Message is what the platform said, or what became of the call.
	Message string
	// Brief is what to say instead of the rest where another error has told the cause already, see [Error.Repeats].
	Brief string
	// Reason is the AIP-193 reason, such as "GROUP_NOT_FOUND". It may be empty.
	Reason string
	// Violations are the fields of the request, and the preconditions, that the platform objects to.
	Violations []Violation
	// Capability is the capability that the call needs, such as "group_invites.create". It is set where the platform
	// answered PermissionDenied.
	Capability string
	// AsOf is when the platform answered, by its own clock if it told the time, else by the machine's.
	AsOf time.Time
	// Left says what became of an invite whose creation failed. It is empty if there is nothing to say.
	Left string

	err   error
	cause string    // of a call that was not answered, empty for others
	told  *sync.Map // the causes that were told
}

// Violation is one objection of the platform.
type Violation struct {
	// Field is the path of a field in the request, such as "group_invite.ttl", or the subject of a precondition.
	Field string
	// Description is what is wrong with it.
	Description string
}

// Error implements error.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %s", e.Doing, e.Message)
	if e.Left != "" {
		text += " " + e.Left
	}
	return text
}

// Unwrap is the error of the call.
func (e *Error) Unwrap() error { return e.err }

// NameError is a name that means nothing, or more than one thing. Its text says what there is.
type NameError struct {
	// Kind is "group" or "role".
	Kind string
	// Name is what was asked for.
	Name string
	// Ambiguous says that it means more than one thing.
	Ambiguous bool

	detail string
}

func (e *NameError) Error() string { return e.detail }

// Repeats reports whether another error has explained the cause already, and records that this one does. It is for the
// causes that many calls share: an API that is down or not reachable.
func (e *Error) Repeats() bool {
	if e.cause == "" {
		return false
	}
	_, told := e.told.LoadOrStore(e.cause, true)
	return told
}

// IsNotFound reports whether err is the platform's answer that something, or the group that it was in, does not exist.
func IsNotFound(err error) bool { return refusedWith(err, codes.NotFound) }

// refusedWith reports whether err is the platform's own answer with the code.
func refusedWith(err error, code codes.Code) bool {
	var e *Error
	if errors.As(err, &e) {
		return e.Answered && e.Code == code
	}
	var call *rpc.Error
	return errors.As(err, &call) && call.Answered && call.Code() == code
}

// operation is what a call does, as far as it needs a capability.
type operation int

const (
	createInvite operation = iota
	readInvites
	deleteInvite
	readGroups
	readRoles
)

// capabilities are what the platform requires, by operation. They are the SDK's annotations of the RPCs.
var capabilities = map[operation]string{
	createInvite: "group_invites.create and role_bindings.create",
	readInvites:  "group_invites.list",
	deleteInvite: "group_invites.delete",
	readGroups:   "groups.list",
	readRoles:    "roles.list",
}

// explain turns the error of a call into an [*Error]. A [*rpc.SignInError] and a [*NameError] are
// passed on as they are: they explain themselves.
func (c *Client) explain(err error, op operation, doing string) error {
	var (
		signIn    *rpc.SignInError
		explained *Error
		name      *NameError
		paging    *pagingError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &signIn), errors.As(err, &explained), errors.As(err, &name):
		return err
	case errors.As(err, &paging):
		return c.unusable(doing, "%v", err)
	}
	e := &Error{Doing: doing, API: c.api, AsOf: c.clock.Now(), err: err}
	var (
		call         *rpc.Error
		unresponsive *rpc.UnresponsiveError
		overtime     *overtimeError
	)
	if errors.As(err, &unresponsive) {
		err = unresponsive.First
		e.Brief = redact.Text(unresponsive.Error())
	}
	switch {
	case errors.As(err, &overtime):
		e.Code, e.Message = codes.DeadlineExceeded, overtime.Error()
	case errors.As(err, &call) && call.Answered:
		s := call.GRPCStatus()
		e.Code, e.Answered, e.Message = s.Code(), true, redact.Text(s.Message())
		e.AsOf = dateOr(call.Date, e.AsOf)
		e.keepDetails(s)
	case errors.Is(err, context.Canceled):
		e.Code, e.Message = codes.Canceled, "the operation was interrupted"
	case errors.Is(err, context.DeadlineExceeded):
		e.Code, e.Message = codes.DeadlineExceeded, "the time allowed for the operation ran out"
	case call != nil:
		e.Code, e.Message = call.Code(), redact.Text(call.GRPCStatus().Message())
		if e.Code == codes.DeadlineExceeded {
			e.Message = fmt.Sprintf("no answer came within %s", c.conn.RequestTimeout())
		}
		if e.Brief == "" {
			e.Brief = "the call failed in the same way as another; see the error that has the cause"
		}
		e.cause, e.told = fmt.Sprint(e.Code, e.Message), &c.told
	default:
		e.Code, e.Message = codes.Unknown, redact.Text(err.Error())
	}
	if e.Code == codes.PermissionDenied && e.Answered {
		e.Capability = capabilities[op]
	}
	return e
}

func (e *Error) keepDetails(s *status.Status) {
	for _, detail := range s.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			e.Reason = redact.Text(detail.GetReason())
		case *errdetails.BadRequest:
			for _, v := range detail.GetFieldViolations() {
				e.Violations = append(e.Violations, Violation{Field: redact.Text(v.GetField()), Description: redact.Text(v.GetDescription())})
			}
		case *errdetails.PreconditionFailure:
			for _, v := range detail.GetViolations() {
				e.Violations = append(e.Violations, Violation{Field: redact.Text(v.GetSubject()), Description: redact.Text(v.GetDescription())})
			}
		}
	}
}

// unusable is an answer of the platform that cannot be used.
func (c *Client) unusable(doing, format string, args ...any) *Error {
	return &Error{
		Doing: doing, API: c.api, Code: codes.DataLoss, Answered: true, AsOf: c.clock.Now(),
		Message: "the API's answer cannot be used: " + fmt.Sprintf(format, args...),
	}
}

// overtimeError is an operation of several calls that took too long as a whole.
type overtimeError struct {
	what  string
	limit time.Duration
}

// Error implements error.
func (e *overtimeError) Error() string {
	return fmt.Sprintf("%s took longer than %s and was given up", e.what, e.limit)
}

// within bounds an operation of several calls as a whole. The error of its context is then an overtimeError.
func within[T any](ctx context.Context, limit time.Duration, what string, do func(context.Context) (T, error)) (T, error) {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	value, err := do(bounded)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return value, &overtimeError{what: what, limit: limit}
	}
	return value, err
}

// dateOr is the platform's time if it told it, else ours.
func dateOr(theirs, ours time.Time) time.Time {
	if theirs.IsZero() {
		return ours
	}
	return theirs
}
