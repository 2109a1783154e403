package services

import (
	"fmt"
	"strings"

	"chainguard.dev/sdk/proto/capabilities"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
)

// domain is the domain in the details of errors (AIP-193).
const domain = "iam.chainguard.dev"

// failure returns an error as described by AIP-193: a status with an ErrorInfo and other details.
func failure(code codes.Code, reason, message string, details ...proto.Message) error {
	return WithDetails(status.New(code, message),
		append([]proto.Message{&errdetails.ErrorInfo{Reason: reason, Domain: domain}}, details...)...)
}

// WithDetails returns the error of a status with details.
func WithDetails(s *status.Status, details ...proto.Message) error {
	v1 := make([]protoadapt.MessageV1, 0, len(details))
	for _, d := range details {
		v1 = append(v1, protoadapt.MessageV1Of(d))
	}
	detailed, err := s.WithDetails(v1...)
	if err != nil {
		// Only an OK status refuses details.
		panic(fmt.Sprintf("emulator: details for a status of %s: %v", s.Code(), err))
	}
	return detailed.Err()
}

// notFound returns the error for a missing resource of a kind, such as "GroupInvite".
func notFound(kind, uid string) error {
	return failure(codes.NotFound, "NOT_FOUND", fmt.Sprintf("%s %q was not found", kind, uid),
		&errdetails.ResourceInfo{
			ResourceType: domain + "/" + kind,
			ResourceName: uid,
			Description:  "The resource does not exist.",
		})
}

// violations are the invalid fields of a request. Fields are named as in the resource: "ttl", not "group_invite.ttl".
type violations []*errdetails.BadRequest_FieldViolation

func (v *violations) add(field, format string, args ...any) {
	*v = append(*v, &errdetails.BadRequest_FieldViolation{Field: field, Description: fmt.Sprintf(format, args...)})
}

// err returns the error with these violations, nil if there are none.
func (v violations) err() error {
	if len(v) == 0 {
		return nil
	}
	said := make([]string, 0, len(v))
	for _, violation := range v {
		said = append(said, violation.GetField()+": "+violation.GetDescription())
	}
	return failure(codes.InvalidArgument, "INVALID_ARGUMENT", "Invalid argument: "+strings.Join(said, "; "),
		&errdetails.BadRequest{FieldViolations: v})
}

// invalid returns the error for a request with one invalid field.
func invalid(field, format string, args ...any) error {
	var v violations
	v.add(field, format, args...)
	return v.err()
}

// precondition returns the error for a call that the current state does not allow.
func precondition(kind, description string) error {
	return failure(codes.FailedPrecondition, "FAILED_PRECONDITION", "Precondition failed: "+description,
		&errdetails.PreconditionFailure{Violations: []*errdetails.PreconditionFailure_Violation{{
			Type: kind, Description: description,
		}}})
}

// alreadyExists returns the error for a name that is taken.
func alreadyExists(format string, args ...any) error {
	return failure(codes.AlreadyExists, "ALREADY_EXISTS", fmt.Sprintf(format, args...))
}

// denied returns the error for a missing capability.
func denied(identity string, missing capabilities.Capability, scope string) error {
	name := CapabilityName(missing)
	return WithDetails(
		status.Newf(codes.PermissionDenied, "identity %q does not have the capability %q on %q", identity, name, scope),
		&errdetails.ErrorInfo{
			Reason:   "MISSING_CAPABILITY",
			Domain:   domain,
			Metadata: map[string]string{"capability": name, "scope": scope, "identity": identity},
		})
}

// unauthenticated returns the error for an invalid token. The message must not contain the token.
func unauthenticated(format string, args ...any) error {
	return failure(codes.Unauthenticated, "UNAUTHENTICATED", fmt.Sprintf(format, args...))
}

// CapabilityName returns the name of a capability, such as "group_invites.create".
func CapabilityName(c capabilities.Capability) string {
	name, err := capabilities.Stringify(c)
	if err != nil {
		return c.String()
	}
	return name
}
