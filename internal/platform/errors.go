package platform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// Error is what went wrong between the provider and the platform, in the platform's words and ready to be shown:
// without control characters and without tokens.
type Error struct {
	// Doing is what was attempted, to follow "while": "creating an invite in group 1ad9...".
	Doing string
	// API is the URL that was tried.
	API string
	// Code is the gRPC code of the platform's answer, or gRPC's own where there was none.
	Code codes.Code
	// Message is what the platform said.
	Message string
	// Reason is the AIP-193 reason, such as "GROUP_NOT_FOUND". It may be empty.
	Reason string
	// Violations are the fields of the request, and the preconditions, that the platform objects to.
	Violations []Violation
	// Capability is the capability that the call needs, such as "group_invites.create". It is set where Code is
	// PermissionDenied.
	Capability string
	// Left says what became of an invite whose creation went wrong. It is empty where there is nothing to say.
	Left string

	err error
}

// Violation is one objection of the platform.
type Violation struct {
	// Field is the path of a field in the request, such as "group_invite.ttl", or the subject of a precondition.
	Field string
	// Description is what is wrong with it.
	Description string
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %s", e.Doing, e.Message)
	if e.Left != "" {
		text += " " + e.Left
	}
	return text
}

// Unwrap is the gRPC error.
func (e *Error) Unwrap() error { return e.err }

// IsNotFound reports whether err says that the thing, or the group it was in, does not exist.
func IsNotFound(err error) bool { return codeOf(err) == codes.NotFound }

func codeOf(err error) codes.Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return status.Code(err)
}

// capabilities are what the platform asks for, by what is done. They are the SDK's annotations of the RPCs.
var capabilities = map[operation]string{
	createInvite: "group_invites.create and role_bindings.create",
	readInvites:  "group_invites.list",
	deleteInvite: "group_invites.delete",
	readGroups:   "groups.list",
	readRoles:    "roles.list",
}

type operation int

const (
	createInvite operation = iota
	readInvites
	deleteInvite
	readGroups
	readRoles
)

// explain turns the error of a call into an [Error]. A [SignInError] is passed on as it is: it has its own story.
func (c *Client) explain(err error, op operation, doing string) error {
	if err == nil {
		return nil
	}
	var signIn *SignInError
	if errors.As(err, &signIn) {
		return err
	}
	var explained *Error
	if errors.As(err, &explained) {
		return err
	}
	e := &Error{Doing: doing, API: c.config.API, err: err}
	switch {
	case errors.Is(err, context.Canceled):
		e.Code, e.Message = codes.Canceled, "interrupted"
	case errors.Is(err, context.DeadlineExceeded):
		e.Code, e.Message = codes.DeadlineExceeded, "the time allowed for the operation ran out"
	default:
		s := status.Convert(err)
		e.Code, e.Message = s.Code(), redact.Text(s.Message())
		e.keepDetails(s)
	}
	if e.Code == codes.PermissionDenied {
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

// malformed is an answer of the platform that cannot be used.
func (c *Client) malformed(doing, format string, args ...any) *Error {
	return &Error{
		Doing: doing, API: c.config.API, Code: codes.DataLoss,
		Message: "the platform's answer cannot be used: " + fmt.Sprintf(format, args...),
	}
}

// cutToken takes token out of what the platform said, should it repeat it. Details that hold it are dropped.
func cutToken(err error, token string) error {
	if err == nil || len(token) < minSecret {
		return err
	}
	s, ok := status.FromError(err)
	if !ok {
		return err
	}
	kept := &spb.Status{Code: int32(s.Code()), Message: strings.ReplaceAll(s.Message(), token, "(token)")} //nolint:gosec // G115: there are 17 codes.
	for _, detail := range s.Proto().GetDetails() {
		if !bytes.Contains(detail.GetValue(), []byte(token)) {
			kept.Details = append(kept.Details, detail)
		}
	}
	if kept.GetMessage() == s.Message() && len(kept.GetDetails()) == len(s.Proto().GetDetails()) {
		return err
	}
	return status.FromProto(kept).Err()
}

// minSecret is the length below which a token is no secret, and would turn up in texts by chance.
const minSecret = 8
