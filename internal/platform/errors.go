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

// Error is an error of a call to the platform. It is safe to show, without control characters and secrets.
type Error struct {
	// Doing is the attempted operation, to follow "while": "creating an invite in group 1ad9...".
	Doing string
	// API is the URL that was called.
	API string
	// Code is the gRPC code of the call.
	Code codes.Code
	// Answered is set if Code and Message are the platform's. Otherwise gRPC derived them from the state of the
	// connection or from the response of a proxy.
	Answered bool
	// Message is the platform's message, or describes what happened to the call.
	Message string
	// Brief replaces the explanation if another error has already given it, see [Error.Repeats].
	Brief string
	// Reason is the AIP-193 reason, such as "GROUP_NOT_FOUND". It may be empty.
	Reason string
	// Violations are the invalid fields of the request and the failed preconditions.
	Violations []Violation
	// Capability is the capability that the call needs, such as "group_invites.create". It is set if the platform
	// returned PermissionDenied.
	Capability string
	// AsOf is when the platform responded: by its own clock if known, and otherwise by the local one.
	AsOf time.Time
	// Left describes what became of an invite whose create failed. It may be empty.
	Left string

	err   error
	cause string    // of a call without a response, otherwise empty
	told  *sync.Map // causes reported so far
}

// Violation is an invalid field or a failed precondition.
type Violation struct {
	// Field is the path of a field in the request, such as "group_invite.ttl", or the subject of a precondition.
	Field string
	// Description describes the problem.
	Description string
}

// Error implements [error].
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %s", e.Doing, e.Message)
	if e.Left != "" {
		text += " " + e.Left
	}
	return text
}

// Unwrap returns the error of the call.
func (e *Error) Unwrap() error { return e.err }

// NameError reports a name that does not exist or is ambiguous. Its message suggests existing names.
type NameError struct {
	// Kind is "group" or "role".
	Kind string
	// Name is the requested name.
	Name string
	// Ambiguous is set if the name has several matches.
	Ambiguous bool

	detail string
}

func (e *NameError) Error() string { return e.detail }

// Repeats reports whether another error has already explained the cause, and records that this one does. It applies to
// causes that many calls share: an API that is down or unreachable.
func (e *Error) Repeats() bool {
	if e.cause == "" {
		return false
	}
	_, told := e.told.LoadOrStore(e.cause, true)
	return told
}

// IsNotFound reports whether the platform responded that an object, or the group it was in, does not exist.
func IsNotFound(err error) bool { return refusedWith(err, codes.NotFound) }

// refusedWith reports whether the platform itself returned the code.
func refusedWith(err error, code codes.Code) bool {
	var e *Error
	if errors.As(err, &e) {
		return e.Answered && e.Code == code
	}
	var call *rpc.Error
	return errors.As(err, &call) && call.Answered && call.Code() == code
}

// operation is the kind of a call, as far as it needs a capability.
type operation int

const (
	createInvite operation = iota
	readInvites
	deleteInvite
	readGroups
	readRoles
)

// capabilities are the capabilities that operations need, from the SDK's annotations of the RPCs.
var capabilities = map[operation]string{
	createInvite: "group_invites.create and role_bindings.create",
	readInvites:  "group_invites.list",
	deleteInvite: "group_invites.delete",
	readGroups:   "groups.list",
	readRoles:    "roles.list",
}

// explain converts the error of a call to an [*Error]. It returns a [*rpc.SignInError] and a [*NameError] unchanged,
// because they explain themselves.
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

// unusable returns the error for a response that cannot be used.
func (c *Client) unusable(doing, format string, args ...any) *Error {
	return &Error{
		Doing: doing, API: c.api, Code: codes.DataLoss, Answered: true, AsOf: c.clock.Now(),
		Message: "the API's answer cannot be used: " + fmt.Sprintf(format, args...),
	}
}

// overtimeError reports an operation of several calls that took too long in total.
type overtimeError struct {
	what  string
	limit time.Duration
}

// Error implements [error].
func (e *overtimeError) Error() string {
	return fmt.Sprintf("%s took longer than %s and was given up", e.what, e.limit)
}

// within limits the total time of an operation of several calls. When the time is up, the error of its context is an
// overtimeError.
func within[T any](ctx context.Context, limit time.Duration, what string, do func(context.Context) (T, error)) (T, error) {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	value, err := do(bounded)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return value, &overtimeError{what: what, limit: limit}
	}
	return value, err
}

// dateOr returns the platform's time if known, and otherwise the local time.
func dateOr(theirs, ours time.Time) time.Time {
	if theirs.IsZero() {
		return ours
	}
	return theirs
}
