// Package config resolves the provider's settings. As in chainctl, the provider block takes precedence over the
// environment, the environment over chainctl's config file, and that over the defaults. A machine with a working
// chainctl therefore needs no provider block. [Table] describes each setting.
package config

import (
	"slices"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

const (
	// DefaultAPI is the URL of the Chainguard API.
	DefaultAPI = "https://console-api.enforce.dev"

	// DefaultRequestTimeout limits each API call.
	DefaultRequestTimeout = 30 * time.Second

	// LoginNever disables interactive login.
	LoginNever = "never"
	// LoginBrowser opens a browser to sign in.
	LoginBrowser = "browser"
	// LoginHeadless shows a URL to sign in with a browser on any machine.
	LoginHeadless = "headless"
)

// Settings are the resolved settings of the provider. Unknown settings are empty, and listed in Unknown.
type Settings struct {
	API      string // URL without a trailing slash
	Audience string // of the token
	Issuer   string // URL without a trailing slash

	// ConfigFile is the configured path of chainctl's config file, empty to search for it.
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

	// UseRefreshToken is chainctl's default.use-refresh-token: whether a refresh token may be requested and used.
	UseRefreshToken bool

	RequestTimeout time.Duration

	// Unknown has the names of settings that are known only after apply, including those whose defaults depend on one.
	Unknown []string

	origins       map[string]origin
	pending       []string // unknown attributes of the provider block
	overruledFrom string   // environment variable with the token that is not used
}

// Origin returns where the value of a setting comes from, for example "CHAINGUARD_TOKEN" or "the provider block". It is
// empty for a setting without a value.
func (s Settings) Origin(name string) string { return s.origins[name].text }

// InBlock reports whether the provider block sets the setting, including to an unknown value.
func (s Settings) InBlock(name string) bool { return s.origins[name].level == levelBlock }

// OverruledToken returns the environment variable whose token is not used, because the provider block selects another
// way to sign in. It is empty if there is none.
func (s Settings) OverruledToken() string { return s.overruledFrom }

// IsUnknown reports whether the setting is known only after apply.
func (s Settings) IsUnknown(name string) bool { return slices.Contains(s.Unknown, name) }

// level is the precedence of an origin.
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
	text  string // empty for an unknown value
}
