package auth

import (
	"fmt"
	"net/url"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
)

// personTimeout is how long to wait for a person to sign in.
const personTimeout = 2 * time.Minute

// auth0 is what the issuer calls the identity provider that has social logins.
const auth0 = "auth0"

// connections maps social logins to what Auth0 calls them. Signing in by email is on the page that it shows without one.
var connections = map[string]string{"google": "google-oauth2", "github": "github", "gitlab": "gitlab"}

// person is what the two sources have in common that ask a person to sign in.
type person struct {
	settings config.Settings
	cache    cache
	sts      sts
	options  Options
}

// absent says that there was no sign-in in time. The page no longer works, but shows what was waited for.
func absent(page string) error {
	return fmt.Errorf("there was no sign-in within %s. The page to sign in at was %s", personTimeout, page)
}

// show writes to the user's terminal where to sign in. Terraform shows nothing of a provider's own before the run ends.
func (p person) show(page string) error {
	terminal, err := p.options.OpenTerminal()
	if err != nil {
		return err
	}
	defer terminal.Close()
	_, err = fmt.Fprintf(terminal, "\r\nTerraform waits for %s for you to sign in to Chainguard at:\r\n\r\n  %s\r\n\r\n", personTimeout, page)
	return err
}

// identityProvider says where to sign in, as a query of the issuer's page.
func (p person) identityProvider() url.Values {
	query := url.Values{}
	switch {
	case p.settings.IdentityProvider != "":
		query.Set("idp_id", p.settings.IdentityProvider)
	case p.settings.OrgName != "":
		query.Set("idp_id", p.settings.OrgName) // The issuer takes the name of an organization in the same place.
	default:
		query.Set("client_id", auth0)
		if connection := connections[p.settings.SocialLogin]; connection != "" {
			query.Set("connection", connection)
		}
	}
	return query
}
