package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// Setting is one attribute of the provider block, and every other place that its value can come from.
type Setting struct {
	Name        string
	Description string   // Markdown, without its default and the other places
	Sensitive   bool     // whether Terraform must not show it
	Variables   []string // environment variables; the first that is set wins
	Key         string   // in chainctl's config file, empty if it has none
	Default     string   // empty if it has none, or one that derive returns
	DefaultNote string   // Markdown, what the docs say of a default that is not a fixed value

	derive func(api string) string // returns the default that depends on the API
	needed need                    // when the platform cannot be called without it
	silent bool                    // whether errors must not quote the value, because it may hold a secret

	// parse checks a value and returns the function that stores it. The error goes on after the setting's name: "must
	// be ...".
	parse func(text string) (store func(*Settings), err error)
}

// need is what a setting is needed for. Each includes those before it.
type need int

const (
	neededNever   need = iota
	neededAlways       // to call the platform
	neededSignIn       // to sign in, where there is no token
	neededBrowser      // to sign in by browser
)

// Table holds all settings, in the order of the docs. The environment variables are chainctl's, which takes any key of
// its config file as a variable, and those of the official provider.
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

// fileSetting is the chainctl config file, which is resolved before all settings that it may hold.
var fileSetting = Setting{
	Name:        "config",
	Description: "Path of the chainctl configuration file.",
	Variables:   []string{"CHAINCTL_CONFIG"},
	DefaultNote: "the first that exists of `./chainctl/config.yaml`, `chainctl/config.yaml` in the user's configuration " +
		"directory, and `~/.chainguard/config.yaml`",
	needed: neededSignIn,
	parse:  into(func(s *Settings) *string { return &s.ConfigFile }, parsePath),
}

// refreshSetting is the one setting that is no attribute of the provider block.
var refreshSetting = Setting{
	Variables: []string{"CHAINGUARD_DEFAULT_USE_REFRESH_TOKEN"},
	Key:       "default.use-refresh-token",
	Default:   "true",
	parse:     into(func(s *Settings) *bool { return &s.UseRefreshToken }, parseBool),
}

// all are the settings with those that are no attributes.
var all = append(slices.Clone(Table), refreshSetting)

// identityProviders are three ways to choose the identity provider that a person signs in with, of which only one
// can be used.
var identityProviders = []string{"identity_provider", "org_name", "social_login"}

// into makes a Setting's parse of a function that parses one type and the field that keeps it.
func into[T any](field func(*Settings) *T, parse func(string) (T, error)) func(string) (func(*Settings), error) {
	return func(text string) (func(*Settings), error) {
		value, err := parse(text)
		return func(s *Settings) { *field(s) = value }, err
	}
}

// issuerOf returns the URL of the issuer that belongs to an API: console-api.enforce.dev has issuer.enforce.dev. An API
// of another name, such as one on loopback, is taken to be its own issuer.
func issuerOf(api string) string {
	u, err := url.Parse(api)
	if err != nil {
		return api
	}
	u.Host = strings.Replace(u.Host, "console-api", "issuer", 1)
	return u.String()
}

// MarkdownDescription is the description with the default and the other places that the value can come from.
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

// MarkdownTable is the table for the docs of where each setting's value comes from.
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

// quoteAll puts each of the texts into a Markdown code span.
func quoteAll(texts []string) []string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = "`" + text + "`"
	}
	return quoted
}
