package auth

import (
	"fmt"
	"strings"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// Error says that no source has a token, and why not.
type Error struct {
	// Audience is whom the token was to be for.
	Audience string

	// Attempts are the sources that were looked at, in order.
	Attempts []Attempt
}

// Attempt is a source that gave no token.
type Attempt struct {
	Source string
	Reason string // never holds a token
}

// Error lists each source and why it gave nothing, and the two shortest ways to get a token.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "no usable token was found to call the platform with (audience %s). Looked at, in this order:\n", e.Audience)
	for _, a := range e.Attempts {
		fmt.Fprintf(&b, "  - %s: %s\n", a.Source, a.Reason)
	}
	fmt.Fprintf(&b, "The shortest ways to get one:\n"+
		"  - at a workstation, run `chainctl auth login --audience %s`\n"+
		"  - in a pipeline, set the provider's identity to the UIDP of an assumable identity, and identity_token to the "+
		"pipeline's OIDC token (not needed on GitHub Actions and HCP Terraform); or set CHAINGUARD_TOKEN", e.Audience)
	return b.String()
}

// quote makes someone else's words fit for an error: without the secrets, in one line, and [redact.Text].
func quote(text string, secrets ...string) string {
	for _, secret := range secrets {
		if secret = strings.TrimSpace(secret); secret != "" {
			text = strings.ReplaceAll(text, secret, "(secret)")
		}
	}
	return redact.Text(strings.Join(strings.Fields(text), " "))
}
