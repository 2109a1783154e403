package config

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestConfigFile_isFoundWhereChainctlLooks(t *testing.T) {
	t.Parallel()
	const (
		local  = "/work/chainctl/config.yaml"
		config = "/home/me/.config/chainctl/config.yaml"
		home   = "/home/me/.chainguard/config.yaml"
		named  = "/etc/chainctl.yaml"
		inHome = "/home/me/mine.yaml"
	)
	for name, test := range map[string]struct {
		missing  []string
		block    map[string]Value
		variable string
		want     string
	}{
		"the current directory first":                     {want: local},
		"then the configuration directory":                {missing: []string{local}, want: config},
		"then the home directory":                         {missing: []string{local, config}, want: home},
		"then none":                                       {missing: []string{local, config, home}},
		"CHAINCTL_CONFIG ends the search":                 {variable: named, want: named},
		"the block beats CHAINCTL_CONFIG":                 {block: block("config", "~/mine.yaml"), variable: named, want: inHome},
		"a relative path starts in the current directory": {block: block("config", "chainctl/config.yaml"), want: local},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world{variables: map[string]string{"CHAINCTL_CONFIG": test.variable}, files: map[string]string{}}
			for _, path := range []string{local, config, home, named, inHome} {
				w.files[path] = "default: {group: acme.example}\n"
			}
			for _, path := range test.missing {
				delete(w.files, path)
			}
			s, problems := Resolve(test.block, w.environment())
			var want string
			if test.want != "" {
				want = "default.group in " + test.want + ", line 1"
			}
			if got := s.Origin("group"); len(problems) > 0 || got != want {
				t.Errorf("the group is %q, %+v; want %q", got, problems, want)
			}
		})
	}
}

// malformed has invalid config files, with the line of the error.
var malformed = map[string]struct{ text, want string }{
	"not YAML":             {"platform:\n  api: [\n", "line "},
	"tabs":                 {"platform:\n\tapi: https://a.example\n", "line 2"},
	"a list":               {"- platform\n", "line 1"},
	"a word":               {"# config\nplatform\n", "line 2"},
	"a section of text":    {"default:\n  group: a\nplatform: https://a.example\n", "line 3"},
	"a section of a list":  {"platform:\n  - api\n", "line 2"},
	"a mapping as a value": {"platform:\n  api:\n    url: https://a.example\n", "line 3"},
}

func TestConfigFile_malformed_setIsAnError(t *testing.T) {
	t.Parallel()
	for name, test := range malformed {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world{files: map[string]string{"/etc/c.yaml": test.text, searchedFile: "default: {group: other}\n"}}
			s, problems := Resolve(block("config", "/etc/c.yaml"), w.environment())
			if len(problems) != 1 || problems[0].Warning || problems[0].Attribute != "config" ||
				!strings.Contains(problems[0].Detail, "/etc/c.yaml") || !strings.Contains(problems[0].Detail, test.want) {
				t.Errorf("%+v; want an error on config with the path and %q", problems, test.want)
			}
			if s.Group != "" {
				t.Errorf("another file was used instead: group %q", s.Group)
			}

			w.variables = map[string]string{"CHAINCTL_CONFIG": "/etc/c.yaml"}
			_, problems = Resolve(nil, w.environment())
			if len(problems) != 1 || problems[0].Warning || !strings.Contains(problems[0].Detail, "CHAINCTL_CONFIG") ||
				!strings.Contains(problems[0].Detail, test.want) {
				t.Errorf("%+v; want an error that names CHAINCTL_CONFIG and %q", problems, test.want)
			}
		})
	}
}

func TestConfigFile_malformed_foundIsAWarning(t *testing.T) {
	t.Parallel()
	for name, test := range malformed {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world{files: map[string]string{searchedFile: test.text, "/home/me/.chainguard/config.yaml": "default: {group: next}\n"}}
			s, problems := Resolve(nil, w.environment())
			if len(problems) != 1 || !problems[0].Warning || !strings.Contains(problems[0].Detail, searchedFile) ||
				!strings.Contains(problems[0].Detail, test.want) {
				t.Errorf("%+v; want a warning with the path and %q", problems, test.want)
			}
			if s.Group != "next" {
				t.Errorf("group %q: the next file was not read", s.Group)
			}
		})
	}
}

func TestConfigFile_unreadable(t *testing.T) {
	t.Parallel()
	w := world{failing: map[string]error{searchedFile: fs.ErrPermission, "/etc/c.yaml": errors.New("is a directory")}}
	_, problems := Resolve(nil, w.environment())
	if len(problems) != 1 || !problems[0].Warning || !strings.Contains(problems[0].Detail, "permission denied") {
		t.Errorf("found: %+v; want a warning", problems)
	}
	for path, want := range map[string]string{"/etc/c.yaml": "is a directory", "/none.yaml": "file does not exist"} {
		_, problems = Resolve(block("config", path), w.environment())
		if len(problems) != 1 || problems[0].Warning || !strings.Contains(problems[0].Detail, path) || !strings.Contains(problems[0].Detail, want) {
			t.Errorf("named: %+v; want an error that says %q", problems, want)
		}
	}
}

func TestConfigFile_invalidValuesGiveWayToDefaults(t *testing.T) {
	t.Parallel()
	w := world{files: map[string]string{searchedFile: `
platform:
  api: console-api.enforce.dev
  issuer: http://evil.example
  audience: "two words"
default:
  group: Not A//Group!!
  identity-provider: okta
  social-login: myspace
  use-refresh-token: perhaps
`}}
	s, problems := Resolve(nil, w.environment())
	if s.API != DefaultAPI || s.Issuer != "https://issuer.enforce.dev" || s.Audience != DefaultAPI || s.Group != "" ||
		s.IdentityProvider != "" || s.SocialLogin != "" || !s.UseRefreshToken {
		t.Errorf("the defaults are not used: %+v", s)
	}
	if len(problems) != 7 {
		t.Errorf("%d problems, want 7: %+v", len(problems), problems)
	}
	for _, p := range problems {
		if !p.Warning || !strings.Contains(p.Detail, searchedFile) || !strings.Contains(p.Detail, "line ") {
			t.Errorf("%+v; want a warning with path and line", p)
		}
	}
}

func TestConfigFile_withoutSettings(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty":          "",
		"comments":       "# nothing\n",
		"null":           "~\n",
		"empty sections": "platform:\ndefault: {}\nauth:\n  mode: headless\n",
		"empty values":   "platform:\n  api:\n  issuer: \"\"\n  audience: ~\n",
		"unknown keys":   "future: [1, 2]\nplatform:\n  console: {a: b}\n  registry: cgr.dev\ndefault:\n  skip-auto-login: true\n",
	} {
		s, problems := Resolve(nil, world{files: map[string]string{searchedFile: text}}.environment())
		if len(problems) > 0 || s.API != DefaultAPI {
			t.Errorf("%s: %s, %+v", name, s.API, problems)
		}
	}
}

func TestConfigFile_anchors(t *testing.T) {
	t.Parallel()
	text := "x: &url https://a.example\nplatform:\n  api: *url\n"
	s, problems := Resolve(nil, world{files: map[string]string{searchedFile: text}}.environment())
	if len(problems) > 0 || s.API != "https://a.example" {
		t.Errorf("%s, %+v", s.API, problems)
	}
}

func TestConfigFile_useRefreshToken(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		file, variable string
		want           bool
	}{
		"by default":                     {want: true},
		"off in the file":                {file: "default:\n  use-refresh-token: false\n"},
		"on in the environment":          {file: "default:\n  use-refresh-token: false\n", variable: "true", want: true},
		"off in the environment":         {variable: "0"},
		"off in the file, in other case": {file: "default:\n  use-refresh-token: FALSE\n"},
	} {
		s, problems := Resolve(nil, world{
			files:     map[string]string{searchedFile: test.file},
			variables: map[string]string{"CHAINGUARD_DEFAULT_USE_REFRESH_TOKEN": test.variable},
		}.environment())
		if len(problems) > 0 || s.UseRefreshToken != test.want {
			t.Errorf("%s: %t, %+v", name, s.UseRefreshToken, problems)
		}
	}
}

func TestConfigFile_deprecatedIdentityProviderIsASocialLogin(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ file, want, origin string }{
		"alone":                 {"default: {identity-provider: google}\n", "google", "default.identity-provider in " + searchedFile + ", line 1"},
		"beside a social login": {"default: {identity-provider: google, social-login: github}\n", "github", "default.social-login in " + searchedFile + ", line 1"},
	} {
		s, problems := Resolve(nil, world{files: map[string]string{searchedFile: test.file}}.environment())
		if s.SocialLogin != test.want || s.IdentityProvider != "" || s.Origin("social_login") != test.origin {
			t.Errorf("%s: social login %q from %q, identity provider %q", name, s.SocialLogin, s.Origin("social_login"), s.IdentityProvider)
		}
		if len(problems) != 1 || !problems[0].Warning || problems[0].Summary != "Deprecated chainctl Configuration Setting" ||
			!strings.Contains(problems[0].Detail, "default.social-login") {
			t.Errorf("%s: %+v; want one warning", name, problems)
		}
	}
}

func FuzzConfigFile(f *testing.F) {
	for _, test := range malformed {
		f.Add(test.text)
	}
	f.Add("platform:\n  api: https://console-api.enforce.dev\n  audience: a\n  issuer: https://issuer.enforce.dev\n")
	f.Add("default:\n  group: acme.example\n  org-name: acme.example\n  social-login: github\n  use-refresh-token: false\n")
	f.Add("platform: {api: \"https://a,b.example\"}\n")
	f.Add("x: &a [*a]\nplatform: *a\n")
	f.Add("platform: &p {api: *p}\n")
	f.Add("<<: {platform: {api: https://a.example}}\n")
	f.Add("\ufeffplatform: {api: \"\\e[31m\"}\n")
	f.Add("? {a: b}\n: c\n")
	f.Fuzz(func(t *testing.T, text string) {
		w := world{files: map[string]string{searchedFile: text}}
		s, problems := Resolve(nil, w.environment())
		for _, p := range problems {
			if !p.Warning {
				t.Errorf("error instead of a warning for a file that was not set: %+v", p)
			}
			if !strings.Contains(p.Detail, "line ") {
				t.Errorf("no line: %s", p.Detail)
			}
			if !utf8.ValidString(p.Detail) || strings.ContainsFunc(p.Detail, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("control characters: %q", p.Detail)
			}
		}
		for name, value := range map[string]string{"api": s.API, "issuer": s.Issuer} {
			if canonical, err := parseURL(value); err != nil || canonical != value {
				t.Errorf("%s %q: %v", name, value, err)
			}
		}
		if _, err := parseAudience(s.Audience); err != nil {
			t.Errorf("audience %q: %v", s.Audience, err)
		}
	})
}
