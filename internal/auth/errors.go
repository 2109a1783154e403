package auth

import (
	"fmt"
	"strings"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// Error reports that no source has a token, with the reasons.
type Error struct {
	// Audience is the audience of the requested token.
	Audience string

	// SessionEnded is set if the run started with a token from a chainctl session.
	SessionEnded bool

	// Attempts are the sources tried, in order.
	Attempts []Attempt
}

// Attempt is a source that had no token.
type Attempt struct {
	Source string
	Reason string // never holds a token
}

// Error returns what to do, and each source with the reason it was skipped.
func (e *Error) Error() string {
	var b strings.Builder
	if e.SessionEnded {
		fmt.Fprintf(&b, "chainctl's session ended during this run, and the provider found no other token for the audience %s. "+
			"The organization decides how long a session lasts (`chainctl iam auth-policy`). To go on, either:\n", e.Audience)
	} else {
		fmt.Fprintf(&b, "no usable token for the Chainguard API was found (audience %s). To get one, either:\n", e.Audience)
	}
	fmt.Fprintf(&b, "  - at a workstation, run `chainctl auth login --audience %s`\n"+
		"  - in CI, set the provider's identity to the UIDP of an assumable identity, so that the provider signs in "+
		"by itself, and again when the token expires, and identity_token to the job's OIDC token (not needed on GitHub "+
		"Actions, HCP Terraform, Buildkite and Google Cloud); or set CHAINGUARD_TOKEN\n\nSources tried, in this order:\n", e.Audience)
	for _, a := range e.Attempts {
		fmt.Fprintf(&b, "  - %s: %s\n", a.Source, a.Reason)
	}
	return strings.TrimRight(b.String(), "\n")
}

// quote makes text from outside safe for an error: on one line, without secrets and control characters.
func quote(secrets *redact.Secrets, text string) string {
	return secrets.Text(strings.Join(strings.Fields(text), " "))
}
