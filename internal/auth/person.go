package auth

import (
	"fmt"
	"net/url"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
)

// personTimeout is how long to wait for the user to sign in.
const personTimeout = 2 * time.Minute

// auth0 is the issuer's name of the identity provider for social logins.
const auth0 = "auth0"

// connections maps social logins to Auth0's connections. There is none for sign-in by email, which Auth0's page offers
// by default.
var connections = map[string]string{"google": "google-oauth2", "github": "github", "gitlab": "gitlab"}

// person is the common part of the sources that ask the user to sign in.
type person struct {
	settings config.Settings
	cache    cache
	sts      sts
	options  Options
}

// absent returns the error for a sign-in that timed out. It has the URL, which no longer works but shows what was
// requested.
func absent(page string) error {
	return fmt.Errorf("there was no sign-in within %s. The page to sign in at was %s", personTimeout, page)
}

// show prints the sign-in URL to the user's terminal, because Terraform shows the provider's own output only after the
// run.
func (p person) show(page string) error {
	terminal, err := p.options.OpenTerminal()
	if err != nil {
		return err
	}
	defer terminal.Close()
	_, err = fmt.Fprintf(terminal, "\r\nTerraform waits for %s for you to sign in to Chainguard at:\r\n\r\n  %s\r\n\r\n", personTimeout, page)
	return err
}

// identityProvider returns the query parameters that select the identity provider.
func (p person) identityProvider() url.Values {
	query := url.Values{}
	switch {
	case p.settings.IdentityProvider != "":
		query.Set("idp_id", p.settings.IdentityProvider)
	case p.settings.OrgName != "":
		query.Set("idp_id", p.settings.OrgName) // The issuer accepts an organization's name here as well.
	default:
		query.Set("client_id", auth0)
		if connection := connections[p.settings.SocialLogin]; connection != "" {
			query.Set("connection", connection)
		}
	}
	return query
}
