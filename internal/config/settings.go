// Package config decides what the provider is configured to do: the provider block beats the environment, which
// beats chainctl's config file, which beats the defaults. That is chainctl's own order, so a machine on which chainctl
// works needs no provider block. [Table] is where each setting is described, once.
package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
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

	// UseRefreshToken reports whether a refresh token may be spent, and asked for: chainctl's default.use-refresh-token.
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

// CheckCallable returns an error if a setting without which the platform cannot be called is not known yet, as while
// the provider block refers to something that is known only after apply. The error names the attributes of the provider
// block that are unknown.
func (s Settings) CheckCallable() error {
	needed := neededSignIn
	switch {
	case s.Token != "":
		needed = neededAlways // A token makes all other ways to sign in irrelevant.
	case s.Login == LoginBrowser, s.Login == LoginHeadless:
		needed = neededBrowser
	}
	for _, setting := range Table {
		if setting.needed != neededNever && setting.needed <= needed && s.IsUnknown(setting.Name) {
			return fmt.Errorf("the provider must call the Chainguard API, but these of its settings are not known yet: %s. "+
				"They depend on something that has not been applied. Apply that first (for example with -target), "+
				"or give the provider values that are known when planning",
				strings.Join(s.pending, ", "))
		}
	}
	return nil
}

// Value is an attribute of the provider block that is set.
type Value struct {
	Text    redact.Secret
	Unknown bool // known only after apply
}

// Resolve decides the settings. It is a pure function of the provider block, which has no entry for an attribute that
// is null, and of the environment. If one of the problems is an error, the settings must not be used.
func Resolve(block map[string]Value, env Environment) (Settings, []Problem) {
	r := resolver{block: block, env: env, found: map[string]found{}}
	r.find(fileSetting)
	r.openFile()
	for _, setting := range all {
		if setting.Name != fileSetting.Name {
			r.find(setting)
		}
	}
	r.overruleToken()
	r.chooseIdentityProvider()
	return r.settings(), r.problems
}

// Validate returns what is wrong with the provider block, as far as the block alone shows it.
func Validate(block map[string]Value) []Problem {
	r := resolver{block: block, found: map[string]found{}}
	for _, setting := range Table {
		if value, set := block[setting.Name]; set {
			r.findInBlock(setting, value)
		}
	}
	r.chooseIdentityProvider()
	r.settings()
	return r.problems
}

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

// found is what was found for one setting.
type found struct {
	origin  origin
	unknown bool
	store   func(*Settings)
	problem *Problem // the value is invalid
}

type resolver struct {
	block    map[string]Value
	env      Environment
	file     configFile // empty where there is none
	found    map[string]found
	problems []Problem

	overruledFrom string // as in Settings

	// fileUnknown is set while it is not known which config file to read: what would be read from it is unknown.
	fileUnknown bool
}

// find looks for a setting in all places. A default that depends on the API is left to settings.
func (r *resolver) find(s Setting) {
	if value, set := r.block[s.Name]; set {
		r.findInBlock(s, value)
		return
	}
	if variable, text := r.env.first(s.Variables); text != "" {
		r.found[s.Name] = parse(s, text, origin{levelEnvironment, variable})
		return
	}
	if s.Key != "" && r.fileUnknown && s.Name != "" {
		r.found[s.Name] = found{origin: origin{level: levelFile}, unknown: true}
		return
	}
	if entry, ok := r.file.entries[s.Key]; ok {
		f := parse(s, entry.text, origin{levelFile, r.file.where(entry)})
		if f.problem == nil {
			r.found[s.Name] = f
			return
		}
		r.problems = append(r.problems, *f.problem) // A warning: the default is used.
	}
	if s.Default != "" {
		r.found[s.Name] = parse(s, s.Default, origin{levelDefault, "the default"})
	}
}

func (r *resolver) findInBlock(s Setting, value Value) {
	if value.Unknown {
		r.found[s.Name] = found{origin: origin{level: levelBlock}, unknown: true}
		return
	}
	r.found[s.Name] = parse(s, value.Text.Reveal(), origin{levelBlock, "the provider block"})
}

func parse(s Setting, text string, o origin) found {
	store, err := s.parse(text)
	if err != nil {
		p := invalid(s, text, o, err)
		return found{origin: o, problem: &p}
	}
	return found{origin: o, store: store}
}

// overruleToken drops a token from the environment where the provider block names a way to sign in: two provider blocks
// with two identities must act as these two.
func (r *resolver) overruleToken() {
	token, ok := r.found["token"]
	if !ok || token.origin.level == levelBlock {
		return
	}
	for _, name := range []string{"identity", "identity_token"} {
		f := r.found[name]
		if f.origin.level != levelBlock {
			continue
		}
		delete(r.found, "token")
		r.overruledFrom = token.origin.text
		if !f.unknown { // Otherwise it may turn out to be null.
			r.problems = append(r.problems, notUsed(token.origin.text, name))
		}
		return
	}
}

// chooseIdentityProvider keeps one of identity_provider, org_name and social_login: the one with the highest precedence.
// Two in the provider block, or two in the environment, contradict each other if a browser is to be opened; of two in
// chainctl's file the first is used, as that order is chainctl's.
func (r *resolver) chooseIdentityProvider() {
	highest := levelDefault
	for _, name := range identityProviders {
		highest = max(highest, r.found[name].origin.level)
	}
	var chosen []string
	for _, name := range identityProviders {
		f, ok := r.found[name]
		switch {
		case !ok:
		case f.origin.level < highest, highest == levelFile && !f.unknown && len(chosen) > 0:
			delete(r.found, name)
		case !f.unknown && f.problem == nil: // An unknown one may turn out to be null.
			chosen = append(chosen, name)
		}
	}
	var login Settings
	if f := r.found["login"]; f.store != nil {
		f.store(&login)
	}
	if len(chosen) > 1 && login.Login != "" && login.Login != LoginNever {
		r.problems = append(r.problems, conflict(chosen, highest))
	}
}

// settings stores what was found.
func (r *resolver) settings() Settings {
	s := Settings{origins: map[string]origin{}, overruledFrom: r.overruledFrom}
	for _, setting := range all {
		f, ok := r.found[setting.Name]
		if !ok && setting.derive != nil {
			f, ok = r.derive(setting, s)
		}
		if !ok {
			continue
		}
		s.origins[setting.Name] = f.origin
		switch {
		case f.unknown:
			s.Unknown = append(s.Unknown, setting.Name)
			if f.origin.level == levelBlock {
				s.pending = append(s.pending, setting.Name)
			}
		case f.problem != nil:
			r.problems = append(r.problems, *f.problem)
		default:
			f.store(&s)
		}
	}
	return s
}

// derive returns the default of a setting that depends on the API, which is in s already.
func (r *resolver) derive(setting Setting, s Settings) (found, bool) {
	o := origin{level: levelDefault, text: "the default"}
	switch {
	case s.IsUnknown("api"):
		return found{unknown: true}, true
	case s.API == "":
		return found{}, false // It is invalid.
	}
	return parse(setting, setting.derive(s.API), o), true
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
