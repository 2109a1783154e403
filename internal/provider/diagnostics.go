package provider

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/auth"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/rpc"
)

// These are the summaries of the provider's diagnostics, except for those of package config. A test checks that the
// troubleshooting guide has an entry for each.
const (
	summaryNotSignedIn     = "Not Signed In to Chainguard"
	summaryUnknownProvider = "Provider Setting Not Known Yet"
	summaryUnusableAPI     = "Unable to Create Chainguard API Client"
	summaryUnexpectedData  = "Unexpected Provider Data"

	summaryInvalidCombination = "Invalid Attribute Combination"
	summaryInvalidEmail       = "Invalid Email Address"
	summaryInvalidGroup       = "Invalid Group"
	summaryInvalidRole        = "Invalid Role"
	summaryInvalidDuration    = "Invalid Duration"
	summaryInvalidPolicy      = "Invalid Attribute Value Match"
	summaryInvalidUIDP        = "Invalid UIDP"
	summaryInvalidRecipients  = "Invalid Recipients"

	summaryMissingGroup       = "Missing Group"
	summaryMissingRole        = "Missing Role"
	summaryMissingClusterRole = "Missing Cluster Role"
	summaryGroupNotFound      = "Group Not Found"
	summaryRoleNotFound       = "Role Not Found"
	summaryAmbiguousGroup     = "Ambiguous Group Name"
	summaryAmbiguousRole      = "Ambiguous Role Name"
	summaryFindGroup          = "Unable to Find Group"
	summaryFindRole           = "Unable to Find Role"
	summaryReadGroup          = "Unable to Read Group"
	summaryReadRole           = "Unable to Read Role"

	summaryCreateInvite         = "Unable to Create Invite Code"
	summaryReadInvite           = "Unable to Read Invite Code"
	summaryDeleteInvite         = "Unable to Delete Invite Code"
	summaryListInvites          = "Unable to List Invite Codes"
	summaryDeleteExpired        = "Unable to Delete Expired Invite Code"
	summaryInterrupted          = "Interrupted"
	summaryNotDeletedOnClose    = "Invite Code Not Deleted on Close"
	summaryNotCreatedYet        = "Invite Code Not Created Yet"
	summaryUnexpectedExpiration = "Unexpected Invite Code Expiration"
	summaryCreateRetried        = "Invite Code Create Retried"
	summaryAmbiguousStatus      = "Ambiguous Invite Code Status"
	summaryEncryptCode          = "Unable to Encrypt Invite Code"
	summaryNoCodeToEncrypt      = "No Invite Code to Encrypt"

	summaryInvalidImportID = "Invalid Import ID"
	summaryInviteNotFound  = "Invite Code Not Found"
	summaryImportedNoCode  = "Imported Without Invite Code"
	summaryMoveState       = "Unable to Move Resource State"
)

// addProblem adds a problem with a setting, on its attribute if it has one.
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

// addError adds an error of the platform: what was attempted, what the platform said, and what to do.
func addError(diags *diag.Diagnostics, summary string, err error) {
	var signIn *auth.Error
	if errors.As(err, &signIn) {
		text := signIn.Error()
		var call *rpc.SignInError
		if errors.As(err, &call) && call.Repeats() {
			text = "no usable token for the Chainguard API was found; see the error with this title that has the reasons."
		}
		diags.AddError(summaryNotSignedIn, strings.ToUpper(text[:1])+text[1:])
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
				fmt.Sprintf("The platform does not accept this value of `%s`: %s.\n\n%s", attribute, violation.Description, detail))
			placed = true
		}
	}
	if !placed {
		diags.AddError(summary, detail)
	}
}

// nameSummary returns the summary for a name that was not found or is ambiguous.
func nameSummary(e *platform.NameError) string {
	switch {
	case e.Kind == "role" && e.Ambiguous:
		return summaryAmbiguousRole
	case e.Kind == "role":
		return summaryRoleNotFound
	case e.Ambiguous:
		return summaryAmbiguousGroup
	default:
		return summaryGroupNotFound
	}
}

// explain returns the detail for an error of the platform. If the platform itself did not respond, the remedy comes
// first, and a cause that another error has explained is not repeated.
func explain(e *platform.Error) string {
	what := fmt.Sprintf("While %s at %s: %s", e.Doing, e.API, sentence(e.Message))
	if e.Answered {
		what = fmt.Sprintf("While %s, %s answered %s: %s", e.Doing, e.API, e.Code, sentence(e.Message))
	}
	if e.Reason != "" {
		what += fmt.Sprintf(" (%s)", e.Reason)
	}
	for _, violation := range e.Violations {
		if _, ok := attributeOf(violation.Field); !ok {
			what += fmt.Sprintf("\n\n  - %s: %s", violation.Field, violation.Description)
		}
	}
	remedy := advice(e)
	var parts []string
	switch {
	case e.Repeats():
		parts = []string{sentence(strings.ToUpper(e.Brief[:1]) + e.Brief[1:]), e.Left}
	case e.Answered:
		parts = []string{what, e.Left, remedy}
	default:
		parts = []string{remedy, what, e.Left}
	}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), "\n\n")
}

// advice returns what to do about an error of the platform.
func advice(e *platform.Error) string {
	if !e.Answered && e.Code != codes.Unavailable && e.Code != codes.DeadlineExceeded && e.Code != codes.DataLoss && e.Code != codes.Canceled {
		return fmt.Sprintf("Check the proxies and load balancers between this machine and %s: the answer is not the platform's own, but that of "+
			"something in between. `HTTPS_PROXY` and `NO_PROXY` select the proxy, which has to let HTTP/2 through. Check `api` as well.", e.API)
	}
	switch e.Code {
	case codes.Unavailable:
		return fmt.Sprintf("Check that `api` (%s) is correct and reachable from this machine. If `HTTPS_PROXY` or a middlebox is in between, it "+
			"has to let HTTP/2 through, and its certificate has to be trusted here. Then run Terraform again.", e.API)
	case codes.DeadlineExceeded:
		return fmt.Sprintf("Check that %s is reachable from this machine, and that a proxy in between (`HTTPS_PROXY`) does not hold calls back: it "+
			"has to let HTTP/2 through. If the platform is only slow, raise the provider's `request_timeout` or the resource's `timeouts`.", e.API)
	case codes.Unauthenticated:
		return "The platform does not accept the token. Sign in again, for example with `chainctl auth login`, and check that the " +
			"provider's `audience` and `api` belong to the same platform."
	case codes.PermissionDenied:
		if e.Capability != "" {
			return fmt.Sprintf("The identity that Terraform uses needs the capability %s in that group. Check that the group is correct: the "+
				"platform may also deny access to a group that does not exist. If it is, ask an owner of the group to bind the identity to a "+
				"role with this capability.", e.Capability)
		}
		return "The identity that Terraform uses is not allowed to do this."
	case codes.NotFound:
		return "Check that the group and the role exist and are visible to the identity that Terraform uses."
	case codes.ResourceExhausted:
		return "The platform limits the rate of requests, or a quota is exhausted. Run Terraform again later, or with a lower `-parallelism`."
	case codes.InvalidArgument, codes.FailedPrecondition, codes.OutOfRange, codes.AlreadyExists:
		return "Change the configuration accordingly, then run Terraform again."
	case codes.DataLoss, codes.Internal, codes.Unknown, codes.Aborted:
		return "Run Terraform again. If the error persists, contact Chainguard's support."
	default:
		return ""
	}
}

// attributeOf returns the attribute that sets a field of the platform's request.
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

// sentence adds a full stop to a text, unless it already ends with one or with a question mark.
func sentence(text string) string {
	if strings.HasSuffix(text, "?") {
		return text
	}
	return strings.TrimRight(text, ". ") + "."
}
