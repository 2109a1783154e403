package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// Setting describes an attribute of the provider block and the other origins of its value.
type Setting struct {
	Name        string
	Description string   // Markdown, without the default and the other origins
	Sensitive   bool     // whether Terraform must not show it
	Variables   []string // environment variables; the first that is set wins
	Key         string   // in chainctl's config file, or empty
	Default     string   // empty if there is none, or if derive returns it
	DefaultNote string   // Markdown, for the docs of a default that is not a constant

	derive func(api string) string // returns a default that depends on the API
	needed need                    // when the setting is needed
	silent bool                    // whether errors must not quote the value, which may contain a secret

	// parse validates a value and returns a function that stores it. The error completes a sentence that starts with
	// the setting's name, as in "must be ...".
	parse func(text string) (store func(*Settings), err error)
}

// need is when a setting is needed. Each value includes those before it.
type need int

const (
	neededNever   need = iota
	neededAlways       // to call the platform
	neededSignIn       // to sign in without a token
	neededBrowser      // to sign in by browser
)

// Table has all settings in the order of the docs. The environment variables are those of the official provider and of
// chainctl, which reads each key of its config file from a variable as well.
var Table = []Setting{
	{
		Name:        "api",
		Description: "URL of the Chainguard API.",
		Variables:   []string{"CHAINGUARD_PLATFORM_API", "CHAINGUARD_CONSOLE_API"},
		Key:         "platform.api",
		Default:     DefaultAPI,
		needed:      neededAlways,
		silent:      true,
		parse:       into(func(s *Settings) *string { return &s.API }, parseURL),
	},
	{
		Name:        "audience",
		Description: "Audience that the token must be for.",
		Variables:   []string{"CHAINGUARD_PLATFORM_AUDIENCE", "CHAINGUARD_AUDIENCE"},
		Key:         "platform.audience",
		DefaultNote: "the value of `api`",
		derive:      func(api string) string { return api },
		needed:      neededSignIn,
		silent:      true,
		parse:       into(func(s *Settings) *string { return &s.Audience }, parseAudience),
	},
	{
		Name:        "issuer",
		Description: "URL of the issuer that exchanges and refreshes tokens.",
		Variables:   []string{"CHAINGUARD_PLATFORM_ISSUER"},
		Key:         "platform.issuer",
		DefaultNote: "the value of `api` with `console-api` in its host replaced by `issuer`",
		derive:      issuerOf,
		needed:      neededSignIn,
		silent:      true,
		parse:       into(func(s *Settings) *string { return &s.Issuer }, parseURL),
	},
	fileSetting,
	{
		Name: "group",
		Description: "Default group for invite codes that do not set `group`: a name, a path such as " +
			"`acme.example/platform`, or a UIDP.",
		Variables: []string{"CHAINGUARD_DEFAULT_GROUP"},
		Key:       "default.group",
		parse:     into(func(s *Settings) *string { return &s.Group }, parseGroup),
	},
	{
		Name: "token",
		Description: "Chainguard token to call the API with. The provider cannot refresh this token, so it must remain " +
			"valid for the whole run.",
		Sensitive: true,
		Variables: []string{"CHAINGUARD_TOKEN"},
		needed:    neededAlways,
		silent:    true,
		parse:     into(func(s *Settings) *redact.Secret { return &s.Token }, parseToken),
	},
	{
		Name: "identity",
		Description: "UIDP of the Chainguard identity to assume with an OIDC token. If the provider block sets `identity` or " +
			"`identity_token`, `CHAINGUARD_TOKEN` is not used.",
		Variables: []string{"CHAINGUARD_IDENTITY", "TF_CHAINGUARD_IDENTITY"},
		needed:    neededSignIn,
		parse:     into(func(s *Settings) *string { return &s.Identity }, parseUIDP),
	},
	{
		Name: "identity_token",
		Description: "OIDC token to exchange for a Chainguard token, or the path of a file that contains it. A file is read " +
			"again each time the Chainguard token is refreshed.",
		Sensitive: true,
		Variables: []string{"CHAINGUARD_IDENTITY_TOKEN", "TF_CHAINGUARD_IDENTITY_TOKEN"},
		needed:    neededSignIn,
		silent:    true,
		parse:     into(func(s *Settings) *redact.Secret { return &s.IdentityToken }, parseIdentityToken),
	},
	{
		Name:        "identity_provider",
		Description: "UIDP of the custom identity provider to sign in with in the browser.",
		Variables:   []string{"TF_CHAINGUARD_IDP", "CHAINGUARD_DEFAULT_IDENTITY_PROVIDER"},
		Key:         "default.identity-provider",
		needed:      neededBrowser,
		parse:       into(func(s *Settings) *string { return &s.IdentityProvider }, parseUIDP),
	},
	{
		Name:        "org_name",
		Description: "Verified organization whose identity provider to sign in with in the browser.",
		Variables:   []string{"TF_CHAINGUARD_ORG_NAME", "CHAINGUARD_DEFAULT_ORG_NAME"},
		Key:         "default.org-name",
		needed:      neededBrowser,
		parse:       into(func(s *Settings) *string { return &s.OrgName }, parseOrgName),
	},
	{
		Name:        "social_login",
		Description: "Social login to sign in with in the browser: `email`, `google`, `github`, or `gitlab`.",
		Variables:   []string{"TF_CHAINGUARD_AUTH0_CONNECTION", "CHAINGUARD_DEFAULT_SOCIAL_LOGIN"},
		Key:         "default.social-login",
		needed:      neededBrowser,
		parse:       into(func(s *Settings) *string { return &s.SocialLogin }, parseSocialLogin),
	},
	{
		Name: "login",
		Description: "Interactive login when no token is found: `never` returns an error, `browser` opens a browser to sign " +
			"in, `headless` shows a URL on the terminal to sign in at with the browser of any machine.",
		Variables: []string{"CHAINGUARD_LOGIN"},
		Default:   LoginNever,
		needed:    neededSignIn,
		parse:     into(func(s *Settings) *string { return &s.Login }, parseLogin),
	},
	{
		Name:        "request_timeout",
		Description: "Timeout for a single API call, such as `10s` or `1m`.",
		Variables:   []string{"CHAINGUARD_REQUEST_TIMEOUT"},
		Default:     DefaultRequestTimeout.String(),
		needed:      neededAlways,
		parse:       into(func(s *Settings) *time.Duration { return &s.RequestTimeout }, parseTimeout),
	},
}

// fileSetting is the path of chainctl's config file. It is resolved before the settings in the file.
var fileSetting = Setting{
	Name:        "config",
	Description: "Path of the chainctl configuration file.",
	Variables:   []string{"CHAINCTL_CONFIG"},
	DefaultNote: "the first that exists of `./chainctl/config.yaml`, `chainctl/config.yaml` in the user's configuration " +
		"directory, and `~/.chainguard/config.yaml`",
	needed: neededSignIn,
	parse:  into(func(s *Settings) *string { return &s.ConfigFile }, parsePath),
}

// refreshSetting is the only setting without an attribute.
var refreshSetting = Setting{
	Variables: []string{"CHAINGUARD_DEFAULT_USE_REFRESH_TOKEN"},
	Key:       "default.use-refresh-token",
	Default:   "true",
	parse:     into(func(s *Settings) *bool { return &s.UseRefreshToken }, parseBool),
}

// all has Table and the settings without an attribute.
var all = append(slices.Clone(Table), refreshSetting)

// identityProviders are the settings that choose an identity provider. They are mutually exclusive.
var identityProviders = []string{"identity_provider", "org_name", "social_login"}

// into returns the parse function of a Setting from a parser and the field that stores the value.
func into[T any](field func(*Settings) *T, parse func(string) (T, error)) func(string) (func(*Settings), error) {
	return func(text string) (func(*Settings), error) {
		value, err := parse(text)
		return func(s *Settings) { *field(s) = value }, err
	}
}

// issuerOf returns the URL of the issuer for an API, such as issuer.enforce.dev for console-api.enforce.dev. An API
// with another name, such as one on loopback, is its own issuer.
func issuerOf(api string) string {
	u, err := url.Parse(api)
	if err != nil {
		return api
	}
	u.Host = strings.Replace(u.Host, "console-api", "issuer", 1)
	return u.String()
}

// MarkdownDescription returns the description with the default and the other origins.
func (s Setting) MarkdownDescription() string {
	text := s.Description
	if value := s.markdownDefault(); value != "" {
		text += " Defaults to " + value + "."
	}
	text += " Can also be set with the environment variable " + strings.Join(quoteAll(s.Variables), " or ")
	if s.Key != "" {
		text += fmt.Sprintf(", or the key `%s` of chainctl's configuration file", s.Key)
	}
	return text + "."
}

// MarkdownTable returns the table of all origins for the docs.
func MarkdownTable() string {
	var table strings.Builder
	table.WriteString("| Attribute | Environment variables | chainctl configuration key | Default |\n|---|---|---|---|\n")
	for _, s := range Table {
		key, value := "", s.markdownDefault()
		if s.Key != "" {
			key = "`" + s.Key + "`"
		}
		if value == "" {
			value = "none"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", s.Name, strings.Join(quoteAll(s.Variables), ", "), key, value)
	}
	return table.String()
}

func (s Setting) markdownDefault() string {
	if s.Default != "" {
		return "`" + s.Default + "`"
	}
	return s.DefaultNote
}

// quoteAll formats each text as a Markdown code span.
func quoteAll(texts []string) []string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = "`" + text + "`"
	}
	return quoted
}
