// Package config decides what the provider is configured to do: the provider block beats the environment, which
// beats chainctl's config file, which beats the defaults. That is chainctl's own order, so a machine on which chainctl
// works needs no provider block. [Table] is where each setting is described, once.
package config

import (
	"slices"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

const (
	// DefaultAPI is the URL of the Chainguard API.
	DefaultAPI = "https://console-api.enforce.dev"

	// DefaultRequestTimeout bounds one API call.
	DefaultRequestTimeout = 30 * time.Second

	// LoginNever is the login setting without interactive login.
	LoginNever = "never"
	// LoginBrowser is the login setting that opens a browser.
	LoginBrowser = "browser"
	// LoginHeadless is the login setting that shows a URL to sign in at with a browser of any machine.
	LoginHeadless = "headless"
)

// Settings is what the provider is configured to do. A setting that is not known yet is empty here, and in Unknown.
type Settings struct {
	API      string // URL without a trailing slash
	Audience string // of the token
	Issuer   string // URL without a trailing slash

	// ConfigFile is the path that is set for chainctl's config file, empty where it is searched for.
	ConfigFile string

	// Group is the default group: a UIDP, a name, or a path of names.
	Group string

	Token            redact.Secret
	Identity         string        // UIDP
	IdentityToken    redact.Secret // literal, or the path of a file
	IdentityProvider string        // UIDP; at most one of this, OrgName and SocialLogin is set
	OrgName          string
	SocialLogin      string
	Login            string // LoginNever, LoginBrowser or LoginHeadless

	// UseRefreshToken reports whether a refresh token may be used and requested: chainctl's default.use-refresh-token.
	UseRefreshToken bool

	RequestTimeout time.Duration

	// Unknown names the settings whose value is not known yet: those that the provider block sets to something that
	// is known only after apply, and those that would take their value from one of them.
	Unknown []string

	origins       map[string]origin
	pending       []string // the attributes of the provider block that are unknown
	overruledFrom string   // the environment variable whose token is not used
}

// Origin says where a setting's value comes from, for example "CHAINGUARD_TOKEN" or "the provider block". It is empty
// for a setting that has no value.
func (s Settings) Origin(name string) string { return s.origins[name].text }

// InBlock reports whether the provider block sets the setting, be it to a value that is not known yet.
func (s Settings) InBlock(name string) bool { return s.origins[name].level == levelBlock }

// OverruledToken returns the environment variable that holds a token which is not used, because the provider block names
// another way to sign in. It is empty if there is none.
func (s Settings) OverruledToken() string { return s.overruledFrom }

// IsUnknown reports whether the setting's value is not known yet.
func (s Settings) IsUnknown(name string) bool { return slices.Contains(s.Unknown, name) }

// level is how much precedence the place has that a value comes from.
type level int

const (
	levelDefault level = iota
	levelFile
	levelEnvironment
	levelBlock
)

// origin is where a value comes from.
type origin struct {
	level level
	text  string // empty for a value that is not known yet
}
