package provider

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/auth"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// addProblem adds what is wrong with the provider's settings, on the attribute at fault where there is one.
func addProblem(diags *diag.Diagnostics, problem config.Problem) {
	switch {
	case problem.Warning && problem.Attribute != "":
		diags.AddAttributeWarning(path.Root(problem.Attribute), problem.Summary, problem.Detail)
	case problem.Warning:
		diags.AddWarning(problem.Summary, problem.Detail)
	case problem.Attribute != "":
		diags.AddAttributeError(path.Root(problem.Attribute), problem.Summary, problem.Detail)
	default:
		diags.AddError(problem.Summary, problem.Detail)
	}
}

// addError adds what went wrong with the platform: what was attempted, what it said, and what to do.
func addError(diags *diag.Diagnostics, summary string, err error) {
	var signIn *auth.Error
	if errors.As(err, &signIn) {
		text := signIn.Error()
		diags.AddError("Not Signed In to Chainguard", strings.ToUpper(text[:1])+text[1:])
		return
	}
	var name *platform.NameError
	if errors.As(err, &name) {
		diags.AddError(nameSummary(name), name.Error())
		return
	}
	var platformError *platform.Error
	if !errors.As(err, &platformError) {
		diags.AddError(summary, redact.Text(err.Error()))
		return
	}

	detail := explain(platformError)
	placed := false
	for _, violation := range platformError.Violations {
		if attribute, ok := attributeOf(violation.Field); ok {
			diags.AddAttributeError(path.Root(attribute), summary,
				fmt.Sprintf("The platform does not take this value of `%s`: %s.\n\n%s", attribute, violation.Description, detail))
			placed = true
		}
	}
	if !placed {
		diags.AddError(summary, detail)
	}
}

// nameSummary is the headline of a name that means nothing or too much.
func nameSummary(e *platform.NameError) string {
	kind := strings.ToUpper(e.Kind[:1]) + e.Kind[1:]
	if e.Ambiguous {
		return kind + " Name Is Ambiguous"
	}
	return kind + " Not Found"
}

// explain is the detail of an error of the platform.
func explain(e *platform.Error) string {
	parts := []string{fmt.Sprintf("While %s, %s answered %s: %s", e.Doing, e.API, e.Code, sentence(e.Message))}
	if e.Code == codes.Canceled || e.Code == codes.DeadlineExceeded || e.Code == codes.DataLoss {
		parts[0] = fmt.Sprintf("While %s at %s: %s", e.Doing, e.API, sentence(e.Message))
	}
	if e.Reason != "" {
		parts[0] += fmt.Sprintf(" (%s)", e.Reason)
	}
	for _, violation := range e.Violations {
		if _, ok := attributeOf(violation.Field); !ok {
			parts = append(parts, fmt.Sprintf("  - %s: %s", violation.Field, violation.Description))
		}
	}
	if e.Left != "" {
		parts = append(parts, e.Left)
	}
	if advice := advice(e); advice != "" {
		parts = append(parts, advice)
	}
	return strings.Join(parts, "\n\n")
}

// advice is what to do about an error of the platform.
func advice(e *platform.Error) string {
	switch e.Code {
	case codes.Unavailable:
		return fmt.Sprintf("Check that %s is the right API (provider attribute `api`) and can be reached from here, then run again.", e.API)
	case codes.DeadlineExceeded:
		return fmt.Sprintf("Check that %s can be reached from here, and give calls longer with the provider's `request_timeout` or the "+
			"operation with the resource's `timeouts` if it is only slow.", e.API)
	case codes.Unauthenticated:
		return "The platform does not accept the token. Sign in again, for example with `chainctl auth login`, and check that the " +
			"provider's `audience` and `api` are those of the same platform."
	case codes.PermissionDenied:
		if e.Capability != "" {
			return fmt.Sprintf("The identity that Terraform signed in with needs %s there. Check that the group is the one that is meant: "+
				"one that does not exist may be answered in the same way. If it is, have an owner of it bind the identity to a role with "+
				"what is needed.", e.Capability)
		}
		return "The identity that Terraform signed in with may not do this."
	case codes.NotFound:
		return "Check that the group and the role exist and that the identity that Terraform signed in with can see them."
	case codes.ResourceExhausted:
		return "The platform asks for fewer requests, or a quota is used up. Run again later, or with a lower `-parallelism`."
	case codes.InvalidArgument, codes.FailedPrecondition, codes.OutOfRange, codes.AlreadyExists:
		return "Change the configuration accordingly, then run again."
	case codes.DataLoss, codes.Internal, codes.Unknown, codes.Aborted:
		return "Run again. If it stays so, ask the support of the platform about it."
	default:
		return ""
	}
}

// attributeOf is our name of a field of the platform's request.
func attributeOf(field string) (attribute string, ok bool) {
	switch field[strings.LastIndex(field, ".")+1:] {
	case "ttl":
		return "ttl", true
	case "email":
		return "email", true
	case "role_uid", "role", "roleUid":
		return "role", true
	case "single_use", "singleUse":
		return "single_use", true
	case "parent":
		return "group", true
	default:
		return "", false
	}
}

// sentence ends a text with one full stop, unless it is a question.
func sentence(text string) string {
	if strings.HasSuffix(text, "?") {
		return text
	}
	return strings.TrimRight(text, ". ") + "."
}
