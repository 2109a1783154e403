package config

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	uidpA = "1111111111111111111111111111111111111111"
	uidpB = "2222222222222222222222222222222222222222/2222222222222222"
	uidpC = "3333333333333333333333333333333333333333"
)

// world is an environment made up for a test.
type world struct {
	variables map[string]string
	files     map[string]string
	failing   map[string]error
}

func (w world) environment() Environment {
	return Environment{
		Getenv: func(name string) string { return w.variables[name] },
		ReadFile: func(path string) ([]byte, error) {
			path = filepath.ToSlash(path)
			if err := w.failing[path]; err != nil {
				return nil, &fs.PathError{Op: "open", Path: path, Err: err}
			}
			text, found := w.files[path]
			if !found {
				return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
			}
			return []byte(text), nil
		},
		WorkDir:   "/work",
		ConfigDir: "/home/me/.config",
		HomeDir:   "/home/me",
	}
}

const searchedFile = "/home/me/.config/chainctl/config.yaml"

func block(change func(*Block)) Block {
	var b Block
	if change != nil {
		change(&b)
	}
	return b
}

func set(text string) Value { return Value{Text: text, Set: true} }

func unknown() Value { return Value{Set: true, Unknown: true} }

func text(s Settings, attribute string) string {
	return map[string]string{
		"api": s.API, "audience": s.Audience, "issuer": s.Issuer, "group": s.Group, "token": s.Token,
		"identity": s.Identity, "identity_token": s.IdentityToken, "identity_provider": s.IdentityProvider,
		"org_name": s.OrgName, "social_login": s.SocialLogin, "login": s.Login,
		"request_timeout": s.RequestTimeout.String(),
	}[attribute]
}

func TestTheBlockBeatsTheEnvironmentBeatsTheFileBeatsTheDefault(t *testing.T) {
	t.Parallel()
	setters := map[string]func(*Block, Value){
		"api":               func(b *Block, v Value) { b.API = v },
		"audience":          func(b *Block, v Value) { b.Audience = v },
		"issuer":            func(b *Block, v Value) { b.Issuer = v },
		"group":             func(b *Block, v Value) { b.Group = v },
		"token":             func(b *Block, v Value) { b.Token = v },
		"identity":          func(b *Block, v Value) { b.Identity = v },
		"identity_token":    func(b *Block, v Value) { b.IdentityToken = v },
		"identity_provider": func(b *Block, v Value) { b.IdentityProvider = v },
		"org_name":          func(b *Block, v Value) { b.OrgName = v },
		"social_login":      func(b *Block, v Value) { b.SocialLogin = v },
		"login":             func(b *Block, v Value) { b.Login = v },
		"request_timeout":   func(b *Block, v Value) { b.RequestTimeout = v },
	}
	urls := []string{"https://a.example", "https://b.example", "https://c.example", "https://d.example"}
	names := []string{"a", "b", "c", "d"}
	uidps := []string{uidpA, uidpB, uidpC, strings.Repeat("4", 40)}
	tests := []struct {
		attribute string
		variables []string
		key       string
		values    []string // for the block, the variables, the file
		fallback  string
	}{
		{"api", []string{"CHAINGUARD_PLATFORM_API", "CHAINGUARD_CONSOLE_API"}, "platform.api", urls, "https://console-api.enforce.dev"},
		{"audience", []string{"CHAINGUARD_PLATFORM_AUDIENCE", "CHAINGUARD_AUDIENCE"}, "platform.audience", urls, "https://console-api.enforce.dev"},
		{"issuer", []string{"CHAINGUARD_PLATFORM_ISSUER"}, "platform.issuer", urls, "https://issuer.enforce.dev"},
		{"group", []string{"CHAINGUARD_DEFAULT_GROUP"}, "default.group", names, ""},
		{"token", []string{"CHAINGUARD_TOKEN"}, "", names, ""},
		{"identity", []string{"CHAINGUARD_IDENTITY", "TF_CHAINGUARD_IDENTITY"}, "", uidps, ""},
		{"identity_token", []string{"CHAINGUARD_IDENTITY_TOKEN", "TF_CHAINGUARD_IDENTITY_TOKEN"}, "", names, ""},
		{"identity_provider", []string{"TF_CHAINGUARD_IDP", "CHAINGUARD_DEFAULT_IDENTITY_PROVIDER"}, "default.identity-provider", uidps, ""},
		{"org_name", []string{"TF_CHAINGUARD_ORG_NAME", "CHAINGUARD_DEFAULT_ORG_NAME"}, "default.org-name", names, ""},
		{"social_login", []string{"TF_CHAINGUARD_AUTH0_CONNECTION", "CHAINGUARD_DEFAULT_SOCIAL_LOGIN"}, "default.social-login", []string{"email", "google", "github", "gitlab"}, ""},
		{"login", []string{"CHAINGUARD_LOGIN"}, "", []string{"browser", "browser"}, "never"},
		{"request_timeout", []string{"CHAINGUARD_REQUEST_TIMEOUT"}, "", []string{"1m0s", "2m0s"}, "30s"},
	}
	if len(tests) != len(attributes) {
		t.Errorf("%d attributes are tested, of %d", len(tests), len(attributes))
	}

	for _, test := range tests {
		t.Run(test.attribute, func(t *testing.T) {
			t.Parallel()
			// Everything is set at first, and then one place after the other is taken away.
			w := world{variables: map[string]string{}, files: map[string]string{}}
			b := block(func(b *Block) { setters[test.attribute](b, set(test.values[0])) })
			values := test.values[1:]
			for i, name := range test.variables {
				w.variables[name] = values[i]
			}
			if test.key != "" {
				section, key, _ := strings.Cut(test.key, ".")
				w.files[searchedFile] = fmt.Sprintf("%s:\n  %s: %s\n", section, key, values[len(test.variables)])
			}

			check := func(from, want, wantOrigin string) {
				t.Helper()
				s, problems := Resolve(b, w.environment())
				if len(problems) > 0 {
					t.Errorf("%s: %+v", from, problems)
				}
				if got := text(s, test.attribute); got != want {
					t.Errorf("%s: %q, want %q", from, got, want)
				}
				if got := s.Origin(test.attribute); got != wantOrigin {
					t.Errorf("%s: said to come from %q, want %q", from, got, wantOrigin)
				}
			}
			check("block", test.values[0], "the provider block")
			b = Block{}
			for i, name := range test.variables {
				check(name, values[i], name)
				w.variables[name] = ""
			}
			if test.key != "" {
				check("file", values[len(test.variables)], test.key+" in "+searchedFile+", line 2")
				delete(w.files, searchedFile)
			}
			origin := "the default"
			if test.fallback == "" {
				origin = ""
			}
			check("default", test.fallback, origin)
		})
	}
}

func TestAudienceAndIssuerFollowTheAPI(t *testing.T) {
	t.Parallel()
	for api, want := range map[string][2]string{
		"https://console-api.enforce.dev":       {"https://console-api.enforce.dev", "https://issuer.enforce.dev"},
		"https://console-api.enforce.dev/":      {"https://console-api.enforce.dev", "https://issuer.enforce.dev"},
		"https://console-api.staging.test:8443": {"https://console-api.staging.test:8443", "https://issuer.staging.test:8443"},
		"https://Console-API.Enforce.Dev":       {"https://console-api.enforce.dev", "https://issuer.enforce.dev"},
		"http://127.0.0.1:8080":                 {"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
		"https://api.example":                   {"https://api.example", "https://api.example"},
	} {
		s, problems := Resolve(block(func(b *Block) { b.API = set(api) }), world{}.environment())
		if got := [2]string{s.Audience, s.Issuer}; len(problems) > 0 || got != want {
			t.Errorf("%s: %q, %+v; want %q", api, got, problems, want)
		}
	}
}

func TestUnknownIsNotEmpty(t *testing.T) {
	t.Parallel()
	everywhere := world{
		variables: map[string]string{
			"CHAINGUARD_PLATFORM_API": "https://env.example", "CHAINGUARD_TOKEN": "from-env", "CHAINGUARD_LOGIN": "browser",
		},
		files: map[string]string{searchedFile: "platform: {issuer: https://file.example}\ndefault: {group: from-file}\n"},
	}
	for name, test := range map[string]struct {
		block   func(*Block)
		world   world
		unknown []string
		empty   []string // must not have a value
		error   string   // of CheckCallable, empty for none
	}{
		"the token": {
			block:   func(b *Block) { b.Token = unknown() },
			world:   everywhere,
			unknown: []string{"token"}, empty: []string{"token"}, error: "not known yet: token.",
		},
		"the API, which the audience and the issuer default to": {
			block:   func(b *Block) { b.API = unknown() },
			world:   world{variables: everywhere.variables},
			unknown: []string{"api", "audience", "issuer"}, empty: []string{"api", "audience", "issuer"}, error: "not known yet: api.",
		},
		"the API, but the issuer is in the file": {
			block:   func(b *Block) { b.API = unknown() },
			world:   everywhere,
			unknown: []string{"api", "audience"}, empty: []string{"api", "audience"}, error: "not known yet: api.",
		},
		"the group alone does not keep from calling the platform": {
			block:   func(b *Block) { b.Group = unknown() },
			world:   everywhere,
			unknown: []string{"group"}, empty: []string{"group"},
		},
		"what a token makes irrelevant does not keep from calling the platform": {
			block: func(b *Block) {
				b.Identity, b.IdentityToken, b.Issuer, b.OrgName = unknown(), unknown(), unknown(), unknown()
			},
			world:   everywhere,
			unknown: []string{"issuer", "identity", "identity_token", "org_name"}, empty: []string{"identity", "identity_token", "issuer"},
		},
		"the identity, without a token": {
			block:   func(b *Block) { b.Identity = unknown() },
			unknown: []string{"identity"}, empty: []string{"identity"}, error: "not known yet: identity.",
		},
		"an organization that only a browser would need": {
			block:   func(b *Block) { b.OrgName = unknown() },
			unknown: []string{"org_name"}, empty: []string{"org_name"},
		},
		"an organization that the browser needs": {
			block:   func(b *Block) { b.OrgName, b.Login = unknown(), set("browser") },
			unknown: []string{"org_name"}, empty: []string{"org_name"}, error: "not known yet: org_name.",
		},
		"whether to use a browser": {
			block:   func(b *Block) { b.Login = unknown() },
			unknown: []string{"login"}, empty: []string{"login"}, error: "not known yet: login.",
		},
		"the config file, and all that may be in it": {
			block: func(b *Block) { b.Config, b.OrgName = unknown(), set("acme") },
			world: world{files: everywhere.files},
			unknown: []string{
				"config", "api", "audience", "issuer", "group",
			},
			empty: []string{"api", "audience", "issuer", "group"}, error: "not known yet: config.",
		},
		"the config file, but all that matters is known": {
			block: func(b *Block) { b.Config = unknown() },
			world: everywhere,
			unknown: []string{
				"config", "audience", "issuer", "group", "identity_provider", "org_name", "social_login",
			},
			empty: []string{"group"},
		},
		"the timeout": {
			block:   func(b *Block) { b.RequestTimeout = unknown() },
			world:   everywhere,
			unknown: []string{"request_timeout"}, error: "not known yet: request_timeout.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, problems := Resolve(block(test.block), test.world.environment())
			if len(problems) > 0 {
				t.Errorf("unknown is no reason for a problem: %+v", problems)
			}
			if diff := cmp.Diff(test.unknown, s.Unknown); diff != "" {
				t.Errorf("unknown (-want +got):\n%s", diff)
			}
			for _, attribute := range test.empty {
				if got := text(s, attribute); got != "" {
					t.Errorf("%s is not known, but taken to be %q", attribute, got)
				}
			}
			err := s.CheckCallable()
			if (err != nil) != (test.error != "") || err != nil && !strings.Contains(err.Error(), test.error) {
				t.Errorf("CheckCallable: %v; want %q", err, test.error)
			}
			if problems := Validate(block(test.block)); len(problems) > 0 {
				t.Errorf("validate: %+v", problems)
			}
		})
	}
}

func TestBadValuesAreErrorsOnTheirAttribute(t *testing.T) {
	t.Parallel()
	const canary = "c4n4ry"
	for name, test := range map[string]struct {
		attribute string
		block     func(*Block, Value)
		value     string
		want      string
	}{
		"no scheme":                   {"api", setAPI, "console-api.enforce.dev", "has no scheme"},
		"no scheme, with a port":      {"api", setAPI, "localhost:8080", "has no scheme"},
		"no scheme, address":          {"api", setAPI, "127.0.0.1:8080", "not a URL with a scheme"},
		"another scheme":              {"api", setAPI, "ftp://a.example", "has no scheme, or another one"},
		"user":                        {"api", setAPI, "https://" + canary + "@a.example", "has a user or a password"},
		"user and password":           {"api", setAPI, "https://me:" + canary + "@a.example", "has a user or a password"},
		"unreadable, with a password": {"api", setAPI, "https://me:" + canary + "@a.example:x%zz", "not a URL that can be read"},
		"path":                        {"api", setAPI, "https://a.example/" + canary, "has a path"},
		"query":                       {"api", setAPI, "https://a.example?token=" + canary, "has a path, a query"},
		"empty query":                 {"api", setAPI, "https://a.example?", "has a path, a query"},
		"fragment":                    {"api", setAPI, "https://a.example#" + canary, "has a path, a query"},
		"no host":                     {"api", setAPI, "https://", "has no host"},
		"port out of range":           {"api", setAPI, "https://a.example:70000", "port is not a number"},
		"colon without a port":        {"api", setAPI, "https://a.example:", "port is not a number"},
		"plaintext":                   {"api", setAPI, "http://a.example", "is not encrypted"},
		"plaintext to a private net":  {"api", setAPI, "http://10.0.0.1", "is not encrypted"},
		"plaintext, loopback lookalike": {"issuer", func(b *Block, v Value) { b.Issuer = v }, "http://localhost.evil.example",
			"is not encrypted"},
		"plaintext, 127 in a name":             {"issuer", func(b *Block, v Value) { b.Issuer = v }, "http://127.0.0.1.evil.example", "is not encrypted"},
		"empty":                                {"api", setAPI, "", "must not be empty"},
		"blank":                                {"api", setAPI, "  ", "must not be empty"},
		"audience with a password":             {"audience", setAudience, "https://me:" + canary + "@a.example", "has a user or a password"},
		"audience of two":                      {"audience", setAudience, "https://a.example,https://b.example", "no audience has"},
		"audience that is a step up":           {"audience", setAudience, "..", "no audience has"},
		"audience with a newline":              {"audience", setAudience, "a\nb", "no audience has"},
		"empty token":                          {"token", setToken, "", "must not be empty"},
		"token with its scheme":                {"token", setToken, "Bearer " + canary, "bare token"},
		"token in two lines":                   {"token", setToken, canary + "\n" + canary, "bare token"},
		"token that is not ASCII":              {"token", setToken, canary + "é", "bare token"},
		"identity by name":                     {"identity", func(b *Block, v Value) { b.Identity = v }, "ci", "is not a UIDP"},
		"identity in capitals":                 {"identity", func(b *Block, v Value) { b.Identity = v }, strings.Repeat("A", 40), "is not a UIDP"},
		"identity provider by name":            {"identity_provider", func(b *Block, v Value) { b.IdentityProvider = v }, "okta", "is not a UIDP"},
		"identity token of control characters": {"identity_token", func(b *Block, v Value) { b.IdentityToken = v }, canary + "\x00", "control characters"},
		"social login":                         {"social_login", func(b *Block, v Value) { b.SocialLogin = v }, "myspace", "is not one of email, google, github and gitlab"},
		"login":                                {"login", func(b *Block, v Value) { b.Login = v }, "always", `is neither "never" nor "browser"`},
		"no timeout":                           {"request_timeout", setTimeout, "0s", "leaves no time"},
		"negative timeout":                     {"request_timeout", setTimeout, "-1s", "leaves no time"},
		"timeout without a unit":               {"request_timeout", setTimeout, "30", "is not a duration"},
		"timeout of more than 1h":              {"request_timeout", setTimeout, "1h1s", "longer than the 1h"},
		"group with an escape":                 {"group", setGroup, "a\x1b[31m", "must be a group's name"},
		"group of capitals":                    {"group", setGroup, "ACME", `"ACME" must be a group's name`},
		"group that can be none":               {"group", setGroup, "Not A//Group!!", `"Not A//Group!!" must be a group's name`},
		"group below no name":                  {"group", setGroup, "/acme.example", "must be a group's name"},
		"group of two names without a slash":   {"group", setGroup, "acme.example,other", "must be a group's name"},
		"organization with an escape":          {"org_name", func(b *Block, v Value) { b.OrgName = v }, "a\x1b[31m", "control characters"},
		"no group":                             {"group", setGroup, "", "must not be empty"},
		"no config file":                       {"config", func(b *Block, v Value) { b.Config = v }, "", "must not be empty"},
		"config file with a NUL":               {"config", func(b *Block, v Value) { b.Config = v }, "a\x00b", "not the path of a file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := block(func(b *Block) { test.block(b, set(test.value)) })
			_, resolved := Resolve(b, world{}.environment())
			for call, problems := range map[string][]Problem{"validate": Validate(b), "resolve": resolved} {
				if len(problems) != 1 {
					t.Fatalf("%s: %d problems, want one: %+v", call, len(problems), problems)
				}
				p := problems[0]
				if p.Warning || p.Attribute != test.attribute || !strings.Contains(p.Detail, test.want) {
					t.Errorf("%s: %+v; want an error on %s that says %q", call, p, test.attribute, test.want)
				}
				if strings.Contains(p.Detail, canary) {
					t.Errorf("%s: the problem shows what may be a secret: %s", call, p.Detail)
				}
				if strings.ContainsAny(p.Detail, "\x00\x1b\n") {
					t.Errorf("%s: the problem has control characters: %q", call, p.Detail)
				}
			}
		})
	}
}

func setAPI(b *Block, v Value)      { b.API = v }
func setAudience(b *Block, v Value) { b.Audience = v }
func setGroup(b *Block, v Value)    { b.Group = v }
func setToken(b *Block, v Value)    { b.Token = v }
func setTimeout(b *Block, v Value)  { b.RequestTimeout = v }

func TestPlaintextIsForLoopbackOnly(t *testing.T) {
	t.Parallel()
	for _, api := range []string{
		"http://localhost:1", "http://api.localhost:1", "http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:1", "HTTP://LOCALHOST:1",
	} {
		if problems := Validate(block(func(b *Block) { b.API = set(api) })); len(problems) > 0 {
			t.Errorf("%s: %+v", api, problems)
		}
	}
}

func TestABadEnvironmentVariableIsAnErrorThatNamesIt(t *testing.T) {
	t.Parallel()
	for variable, value := range map[string]string{
		"CHAINGUARD_CONSOLE_API":               "console-api.enforce.dev",
		"CHAINGUARD_DEFAULT_GROUP":             "Not A//Group!!",
		"CHAINGUARD_TOKEN":                     "two words",
		"TF_CHAINGUARD_IDENTITY":               "ci",
		"CHAINGUARD_REQUEST_TIMEOUT":           "soon",
		"TF_CHAINGUARD_AUTH0_CONNECTION":       "myspace",
		"CHAINGUARD_DEFAULT_USE_REFRESH_TOKEN": "perhaps",
		"CHAINCTL_CONFIG":                      "  ",
	} {
		_, problems := Resolve(Block{}, world{variables: map[string]string{variable: value}}.environment())
		if len(problems) != 1 || problems[0].Warning || problems[0].Summary != "Invalid Environment Variable" ||
			!strings.Contains(problems[0].Detail, variable) {
			t.Errorf("%s=%s: %+v; want one error that names the variable", variable, value, problems)
		}
		if variable == "CHAINGUARD_TOKEN" && strings.Contains(problems[0].Detail, value) {
			t.Errorf("the token is shown: %s", problems[0].Detail)
		}
	}
}

func TestTheDefaultGroupIsANameAPathOrAUIDP(t *testing.T) {
	t.Parallel()
	for _, group := range []string{"acme.example", "acme.example/my team/a_b-c.1", " acme.example\n", uidpA, uidpB} {
		b := block(func(b *Block) { b.Group = set(group) })
		s, problems := Resolve(b, world{}.environment())
		if len(problems) > 0 || s.Group != strings.TrimSpace(group) {
			t.Errorf("%q: %q, %+v", group, s.Group, problems)
		}
	}
}

func TestSocialLoginTakesTheOfficialProvidersName(t *testing.T) {
	t.Parallel()
	s, problems := Resolve(Block{}, world{variables: map[string]string{"TF_CHAINGUARD_AUTH0_CONNECTION": "google-oauth2"}}.environment())
	if len(problems) > 0 || s.SocialLogin != "google" {
		t.Errorf("%q, %+v", s.SocialLogin, problems)
	}
}

func TestOneWayToChooseTheIdentityProvider(t *testing.T) {
	t.Parallel()
	file := map[string]string{searchedFile: "default:\n  social-login: github\n"}
	for name, test := range map[string]struct {
		block     func(*Block)
		variables map[string]string
		want      [3]string // identity provider, organization, social login
		error     string
	}{
		"from the file": {want: [3]string{"", "", "github"}},
		"the block overrules the file": {
			block: func(b *Block) { b.OrgName = set("acme.example") },
			want:  [3]string{"", "acme.example", ""},
		},
		"the environment overrules the file": {
			variables: map[string]string{"TF_CHAINGUARD_IDP": uidpB},
			want:      [3]string{uidpB, "", ""},
		},
		"two in the block contradict each other": {
			block: func(b *Block) { b.OrgName, b.SocialLogin = set("acme.example"), set("github") },
			want:  [3]string{"", "acme.example", "github"},
			error: "org_name and social_login are set together",
		},
		"two in the environment contradict each other": {
			variables: map[string]string{"TF_CHAINGUARD_IDP": uidpB, "TF_CHAINGUARD_ORG_NAME": "acme.example"},
			want:      [3]string{uidpB, "acme.example", ""},
			error:     "identity_provider and org_name are set together",
		},
		"one in the block that may turn out null does not contradict": {
			block: func(b *Block) { b.OrgName, b.SocialLogin = unknown(), set("github") },
			want:  [3]string{"", "", "github"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world{variables: test.variables, files: file}
			for _, login := range []string{LoginBrowser, LoginNever} {
				s, problems := Resolve(block(func(b *Block) {
					b.Login = set(login)
					if test.block != nil {
						test.block(b)
					}
				}), w.environment())
				if got := [3]string{s.IdentityProvider, s.OrgName, s.SocialLogin}; got != test.want {
					t.Errorf("login %s: %q, want %q", login, got, test.want)
				}
				wrong := login == LoginBrowser && test.error != ""
				if wrong != (len(problems) == 1) || wrong && !strings.Contains(problems[0].Detail, test.error) {
					t.Errorf("login %s: %+v; want %q", login, problems, test.error)
				}
			}
		})
	}
}

func TestValidateSeesAContradictionInTheBlock(t *testing.T) {
	t.Parallel()
	problems := Validate(block(func(b *Block) {
		b.OrgName, b.SocialLogin, b.Login = set("acme.example"), set("github"), set("browser")
	}))
	if len(problems) != 1 || problems[0].Attribute != "social_login" {
		t.Errorf("%+v", problems)
	}
}

func TestSecretsAreTrimmedAndNeverPrinted(t *testing.T) {
	t.Parallel()
	const token, identityToken = "c4n4ry-token", "c4n4ry-identity-token"
	b := block(func(b *Block) { b.Token, b.IdentityToken = set(token+"\n"), set(" "+identityToken) })
	s, problems := Resolve(b, world{}.environment())
	if len(problems) > 0 || s.Token != token || s.IdentityToken != identityToken {
		t.Fatalf("%+v", problems)
	}

	var printed []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{s, &s, []Settings{s}, b, &b, b.Token, map[string]Value{"token": b.Token}} {
			printed = append(printed, fmt.Sprintf(verb, value))
		}
	}
	// Terraform's log is JSON, made by the encoder that this is.
	for _, value := range []any{s, &s, []Settings{s}, b, &b, b.Token, map[string]any{"settings": s, "block": b}} {
		asJSON, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		printed = append(printed, string(asJSON))
	}
	var logged strings.Builder
	for _, handler := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
		slog.New(handler).Info("configured", "settings", s, "block", b, "token", b.Token,
			"all", struct{ S, B, T any }{s, b, b.Token})
	}
	printed = append(printed, logged.String(), s.String(), fmt.Sprint(s), fmt.Sprint(b))
	for _, p := range printed {
		if strings.Contains(p, "c4n4ry") || strings.Contains(p, fmt.Sprintf("%x", "c4n4ry")) {
			t.Errorf("a secret is printed: %s", p)
		}
	}
	if !strings.Contains(s.String(), DefaultAPI) {
		t.Errorf("the rest is not printed: %s", s)
	}
}

func TestOSEnvironmentIsUsable(t *testing.T) {
	t.Parallel()
	env := OSEnvironment()
	if env.Getenv == nil || env.ReadFile == nil || env.WorkDir == "" {
		t.Errorf("incomplete: %+v", env)
	}
	if _, err := env.ReadFile(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that does not exist was read")
	}
}

func TestPathsOfUsersAreExpanded(t *testing.T) {
	t.Parallel()
	env := world{}.environment()
	for path, want := range map[string]string{
		"~/token":     "/home/me/token",
		"/run/token":  "/run/token",
		"token":       "/work/token",
		"./a/token":   "/work/a/token",
		"~other/file": "/work/~other/file",
	} {
		if got := filepath.ToSlash(env.ExpandPath(path)); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestRequestTimeoutIsADuration(t *testing.T) {
	t.Parallel()
	s, problems := Resolve(block(func(b *Block) { b.RequestTimeout = set("1m30s") }), world{}.environment())
	if len(problems) > 0 || s.RequestTimeout != 90*time.Second {
		t.Errorf("%s, %+v", s.RequestTimeout, problems)
	}
}

func TestEveryAttributeIsInTheBlock(t *testing.T) {
	t.Parallel()
	var all Block // with each attribute set to nothing, which none of them takes
	values := reflect.ValueOf(&all).Elem()
	for i := range values.NumField() {
		values.Field(i).Set(reflect.ValueOf(set("")))
	}
	var named []string
	for _, p := range Validate(all) {
		named = append(named, p.Attribute)
	}
	if len(named) != values.NumField() {
		t.Errorf("the block has %d attributes, and these are read from it: %q", values.NumField(), named)
	}
	for _, a := range attributes {
		if !slices.Contains(named, a.name) {
			t.Errorf("%s is not read from the block", a.name)
		}
	}
}

func TestAnEmptyBlockHasNothingWrong(t *testing.T) {
	t.Parallel()
	if problems := Validate(Block{}); len(problems) > 0 {
		t.Errorf("%+v", problems)
	}
}
