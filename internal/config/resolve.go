package config

import (
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// Value is an attribute of the provider block that is set.
type Value struct {
	Text    redact.Secret
	Unknown bool // known only after apply
}

// Resolve returns the settings for a provider block, which has no entries for null attributes, and an environment. It
// is a pure function. The settings must not be used if any of the problems is an error.
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

// Validate returns the problems of the provider block that do not depend on the environment.
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

// found is the value found for a setting.
type found struct {
	origin  origin
	unknown bool
	store   func(*Settings)
	problem *Problem // the value is invalid
}

type resolver struct {
	block    map[string]Value
	env      Environment
	file     configFile // empty if there is none
	found    map[string]found
	problems []Problem

	overruledFrom string // as in Settings

	// fileUnknown is set if the path of the config file is unknown. The settings in it are then unknown as well.
	fileUnknown bool
}

// openFile reads chainctl's config file: the one that is set, or the first in chainctl's search order.
func (r *resolver) openFile() {
	var problems []Problem
	switch f, set := r.found[fileSetting.Name]; {
	case !set:
		r.file, problems = searchConfigFile(r.env)
	case f.unknown:
		r.fileUnknown = true
	case f.problem == nil:
		var s Settings
		f.store(&s)
		r.file, problems = readConfigFile(r.env, s.ConfigFile, f.origin)
	}
	r.problems = append(r.problems, problems...)
	r.problems = append(r.problems, r.file.moveSocialLogin()...)
}

// find looks for a setting in all places, except for defaults that depend on the API.
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
		r.problems = append(r.problems, *f.problem) // This is a warning, and the default is used.
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

// overruleToken drops a token from the environment if the provider block selects a way to sign in. Otherwise two
// provider blocks with different identities would act as the same one.
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
		if !f.unknown { // An unknown one may turn out to be null.
			r.problems = append(r.problems, notUsed(token.origin.text, name))
		}
		return
	}
}

// chooseIdentityProvider keeps the one of identity_provider, org_name and social_login with the highest precedence. Two
// in the provider block, or two in the environment, are an error if the user signs in with them. Of two in chainctl's
// config file, the first in this order is used; chainctl documents no order.
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

// settings returns the settings that were found.
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

// derive returns the default of a setting that depends on s.API.
func (r *resolver) derive(setting Setting, s Settings) (found, bool) {
	o := origin{level: levelDefault, text: "the default"}
	switch {
	case s.IsUnknown("api"):
		return found{unknown: true}, true
	case s.API == "":
		return found{}, false // The API is invalid.
	}
	return parse(setting, setting.derive(s.API), o), true
}
