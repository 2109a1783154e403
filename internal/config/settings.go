// Package config decides what the provider is configured to do: the provider block beats the environment, which
// beats chainctl's config file, which beats the defaults. That is chainctl's own order, so whoever has chainctl working
// needs no provider block at all.
package config

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	// DefaultAPI is where the platform lives.
	DefaultAPI = "https://console-api.enforce.dev"

	// DefaultRequestTimeout bounds one call of the platform.
	DefaultRequestTimeout = 30 * time.Second

	// LoginNever is the value of the login attribute that has nobody sign in.
	LoginNever = "never"
	// LoginBrowser is the value of the login attribute that has a person sign in at a browser.
	LoginBrowser = "browser"
)

// Settings is what the provider is configured to do. A setting that is not known yet is empty here, and in Unknown.
type Settings struct {
	API      string // URL without a trailing slash
	Audience string // of the token
	Issuer   string // URL without a trailing slash

	// Group is the default of everything that has a group: a UIDP or a name.
	Group string

	Token            string
	Identity         string // UIDP
	IdentityToken    string // literal, or the path of a file
	IdentityProvider string // UIDP; at most one of this, OrgName and SocialLogin is set
	OrgName          string
	SocialLogin      string
	Login            string // LoginNever or LoginBrowser

	// UseRefreshToken is chainctl's default.use-refresh-token: whether a refresh token may be spent, and asked for.
	UseRefreshToken bool

	RequestTimeout time.Duration

	// Unknown names the attributes whose value is not known yet: those that the provider block sets to something that
	// is known after apply only, and those that would take their default from one of them.
	Unknown []string

	// origins says for each setting where its value comes from, and pending which attributes of the provider block
	// are the cause of Unknown.
	origins map[string]string
	pending []string
}

// Origin says where a setting's value comes from, for example "CHAINGUARD_TOKEN" or "the provider block". It is empty
// for a setting that has no value.
func (s Settings) Origin(attribute string) string {
	return s.origins[attribute]
}

// IsUnknown reports whether the attribute's value is not known yet.
func (s Settings) IsUnknown(attribute string) bool {
	return slices.Contains(s.Unknown, attribute)
}

// CheckCallable returns an error if a setting without which the platform cannot be called is not known yet, which is
// the case while the provider block refers to something that is known after apply only. The error names the attributes
// of the provider block to blame.
func (s Settings) CheckCallable() error {
	needed := []string{"api", "request_timeout", "token"}
	if s.Token == "" {
		// A token that is at hand makes all other ways of signing in irrelevant.
		needed = append(needed, "audience", "issuer", "config", "identity", "identity_token", "login")
		if s.Login == LoginBrowser {
			needed = append(needed, "identity_provider", "org_name", "social_login")
		}
	}
	if !slices.ContainsFunc(needed, s.IsUnknown) {
		return nil
	}
	return fmt.Errorf("the provider needs to call the platform, but these of its settings are not known yet: %s. "+
		"They depend on something that has not been applied. Apply that first (for example with -target), "+
		"or give the provider values that are known when planning",
		strings.Join(s.pending, ", "))
}

// Format describes the settings without their secrets, whatever the verb: %+v and %#v of a struct print everything
// that is in it otherwise.
func (s Settings) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// String describes the settings without their secrets.
func (s Settings) String() string {
	text, err := s.MarshalJSON()
	if err != nil {
		return "settings" // Cannot happen: there is nothing in them that JSON cannot express.
	}
	return string(text)
}

// MarshalJSON describes the settings without their secrets, also to Terraform's log, whose lines are JSON.
func (s Settings) MarshalJSON() ([]byte, error) {
	secret := func(value string) string {
		if value == "" {
			return ""
		}
		return "[redacted]"
	}
	return json.Marshal(map[string]any{
		"api": s.API, "audience": s.Audience, "issuer": s.Issuer, "group": s.Group, "token": secret(s.Token),
		"identity": s.Identity, "identity_token": secret(s.IdentityToken), "identity_provider": s.IdentityProvider,
		"org_name": s.OrgName, "social_login": s.SocialLogin, "login": s.Login, "use_refresh_token": s.UseRefreshToken,
		"request_timeout": s.RequestTimeout.String(), "unknown": s.Unknown,
	})
}

// Resolve decides the settings. It is a pure function of the provider block and the environment, which it reads and
// never changes. If one of the problems is an error, the settings are not fit for use.
func Resolve(block Block, env Environment) (Settings, []Problem) {
	r := resolver{block: block, env: env}
	r.settings.origins = make(map[string]string)

	r.openConfigFile()
	for _, a := range attributes {
		r.resolve(a)
	}
	r.chooseSignIn()
	r.deriveFromAPI()
	r.resolveRefresh()
	return r.settings, r.problems
}

// level is how much say the place has that a value comes from.
type level int

const (
	levelBlock level = iota
	levelEnvironment
	levelFile
	levelDefault
)

// What Origin says of values that come from no place with a name of its own.
const (
	originBlock   = "the provider block"
	originDefault = "the default"
)

type resolver struct {
	block    Block
	env      Environment
	file     configFile // empty where there is none
	settings Settings
	problems []Problem

	// fileUnknown is set when it is not known yet which config file to read: what would be read from it is unknown.
	fileUnknown bool

	// signIn holds where each of the three ways to choose an identity provider was set.
	signIn map[string]level
}

// resolve decides one attribute, but for defaults that depend on other settings.
func (r *resolver) resolve(a attribute) {
	value := a.fromBlock(&r.block)
	switch {
	case value.Unknown:
		r.markUnknown(a.name)
		r.settings.pending = append(r.settings.pending, a.name)
		r.noteSignIn(a, levelBlock)
		return
	case value.Set:
		r.take(a, value.Text, levelBlock, originBlock)
		return
	}

	if name, text := r.env.first(a.variables); text != "" {
		r.take(a, text, levelEnvironment, name)
		return
	}

	if a.key != "" {
		if r.fileUnknown {
			r.markUnknown(a.name)
			return
		}
		if entry, found := r.file.lookup(a.key); found && r.take(a, entry.text, levelFile, r.file.where(a.key, entry)) {
			return
		}
	}

	if a.fallback != "" {
		r.take(a, a.fallback, levelDefault, originDefault)
	}
}

// take puts text into the settings if it is fit for the attribute, and says what is wrong with it otherwise.
func (r *resolver) take(a attribute, text string, from level, origin string) bool {
	if err := a.accept(text, &r.settings); err != nil {
		r.problems = append(r.problems, invalid(a.name, from, origin, err))
		return false
	}
	r.settings.origins[a.name] = origin
	r.noteSignIn(a, from)
	return true
}

func (r *resolver) markUnknown(attribute string) {
	r.settings.Unknown = append(r.settings.Unknown, attribute)
}

func (r *resolver) noteSignIn(a attribute, from level) {
	if a.signIn {
		if r.signIn == nil {
			r.signIn = make(map[string]level)
		}
		r.signIn[a.name] = from
	}
}

// chooseSignIn settles identity_provider, org_name and social_login, which are three ways to answer one question. An
// answer with more say overrules all others: who writes org_name into the provider block does not have to undo the
// social login in chainctl's config file. Two answers with equal say contradict each other.
func (r *resolver) chooseSignIn() {
	var chosen []string
	best := levelDefault
	for _, a := range signInChoices {
		from, set := r.signIn[a.name]
		switch {
		case !set || from > best:
			continue
		case from < best:
			best, chosen = from, nil
		}
		chosen = append(chosen, a.name)
	}
	// One that is not known yet may turn out to be null.
	certain := slices.DeleteFunc(slices.Clone(chosen), r.settings.IsUnknown)
	if len(certain) > 1 && r.settings.Login == LoginBrowser {
		r.problems = append(r.problems, contradiction(certain))
	}
	for _, a := range signInChoices {
		if !slices.Contains(chosen, a.name) {
			*a.field(&r.settings) = ""
			delete(r.settings.origins, a.name)
			if len(chosen) > 0 {
				// Not read from a config file that is unknown: overruled whatever it says.
				r.settings.Unknown = slices.DeleteFunc(r.settings.Unknown, func(u string) bool { return u == a.name })
			}
		}
	}
}

// deriveFromAPI gives audience and issuer their defaults.
func (r *resolver) deriveFromAPI() {
	s := &r.settings
	for _, derived := range []struct {
		name   string
		target *string
		value  func(string) string
	}{
		{"audience", &s.Audience, func(api string) string { return api }},
		{"issuer", &s.Issuer, issuerOf},
	} {
		switch {
		case *derived.target != "" || s.IsUnknown(derived.name):
			continue
		case s.IsUnknown("api"):
			r.markUnknown(derived.name)
		case s.API != "":
			*derived.target = derived.value(s.API)
			s.origins[derived.name] = originDefault
		}
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

// resolveRefresh reads the one setting that has no attribute: whether chainctl's refresh token may be spent.
func (r *resolver) resolveRefresh() {
	const key = "default.use-refresh-token"
	r.settings.UseRefreshToken = true

	from := levelEnvironment
	origin, text := r.env.first([]string{"CHAINGUARD_DEFAULT_USE_REFRESH_TOKEN"})
	if text == "" {
		entry, found := r.file.lookup(key)
		if !found {
			return
		}
		from, origin, text = levelFile, r.file.where(key, entry), entry.text
	}
	use, err := parseBool(text)
	if err != nil {
		r.problems = append(r.problems, invalid("", from, origin, err))
		return
	}
	r.settings.UseRefreshToken = use
}
