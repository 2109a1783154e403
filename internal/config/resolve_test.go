package config

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	uidpA = "1111111111111111111111111111111111111111"
	uidpB = "2222222222222222222222222222222222222222/2222222222222222"
)

// world is the environment of a test.
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

func TestResolve_defaults_followTheAPI(t *testing.T) {
	t.Parallel()
	for api, want := range map[string][2]string{
		"https://console-api.enforce.dev":       {"https://console-api.enforce.dev", "https://issuer.enforce.dev"},
		"https://console-api.enforce.dev/":      {"https://console-api.enforce.dev", "https://issuer.enforce.dev"},
		"https://console-api.staging.test:8443": {"https://console-api.staging.test:8443", "https://issuer.staging.test:8443"},
		"https://Console-API.Enforce.Dev":       {"https://console-api.enforce.dev", "https://issuer.enforce.dev"},
		"http://127.0.0.1:8080":                 {"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
		"https://api.example":                   {"https://api.example", "https://api.example"},
	} {
		s, problems := Resolve(block("api", api), world{}.environment())
		if got := [2]string{s.Audience, s.Issuer}; len(problems) > 0 || got != want {
			t.Errorf("%s: %q, %+v; want %q", api, got, problems, want)
		}
	}
}

func TestResolve_unknown_isNotEmpty(t *testing.T) {
	t.Parallel()
	everywhere := world{
		variables: map[string]string{
			"CHAINGUARD_PLATFORM_API": "https://env.example", "CHAINGUARD_TOKEN": "from-env", "CHAINGUARD_LOGIN": "browser",
		},
		files: map[string]string{searchedFile: "platform: {issuer: https://file.example}\ndefault: {group: from-file}\n"},
	}
	for name, test := range map[string]struct {
		block   map[string]Value
		world   world
		unknown []string
		error   string // of CheckCallable, empty for none
	}{
		"the token": {
			block:   block("token", later),
			world:   everywhere,
			unknown: []string{"token"}, error: "not known yet: token.",
		},
		"the API, which the audience and the issuer default to": {
			block:   block("api", later),
			world:   world{variables: everywhere.variables},
			unknown: []string{"api", "audience", "issuer"}, error: "not known yet: api.",
		},
		"the API, but the issuer is in the file": {
			block:   block("api", later),
			world:   everywhere,
			unknown: []string{"api", "audience"}, error: "not known yet: api.",
		},
		"calls do not need the group": {
			block:   block("group", later),
			world:   everywhere,
			unknown: []string{"group"},
		},
		"calls with a token do not need other ways to sign in": {
			block:   block("issuer", later, "org_name", later),
			world:   everywhere,
			unknown: []string{"issuer", "org_name"},
		},
		"the identity, which overrules a token of the environment": {
			block:   block("identity", later),
			world:   everywhere,
			unknown: []string{"identity"}, error: "not known yet: identity.",
		},
		"the identity token, which overrules a token of the environment": {
			block:   block("identity_token", later),
			world:   everywhere,
			unknown: []string{"identity_token"}, error: "not known yet: identity_token.",
		},
		"the identity, beside a token in the block": {
			block:   block("identity", later, "token", "from-block"),
			unknown: []string{"identity"},
		},
		"an organization that only a browser would need": {
			block:   block("org_name", later),
			unknown: []string{"org_name"},
		},
		"an organization that the browser needs": {
			block:   block("org_name", later, "login", "browser"),
			unknown: []string{"org_name"}, error: "not known yet: org_name.",
		},
		"whether to use a browser": {
			block:   block("login", later),
			unknown: []string{"login"}, error: "not known yet: login.",
		},
		"the config file, and all settings in it": {
			block:   block("config", later, "org_name", "acme"),
			world:   world{files: everywhere.files},
			unknown: []string{"api", "audience", "issuer", "config", "group"}, error: "not known yet: config.",
		},
		"the config file, with all needed settings known": {
			block:   block("config", later),
			world:   everywhere,
			unknown: []string{"audience", "issuer", "config", "group", "identity_provider", "org_name", "social_login"},
		},
		"the timeout": {
			block:   block("request_timeout", later),
			world:   everywhere,
			unknown: []string{"request_timeout"}, error: "not known yet: request_timeout.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, problems := Resolve(test.block, test.world.environment())
			if len(problems) > 0 {
				t.Errorf("problem with an unknown value: %+v", problems)
			}
			if diff := cmp.Diff(test.unknown, s.Unknown); diff != "" {
				t.Errorf("unknown (-want +got):\n%s", diff)
			}
			for _, setting := range Table {
				if slices.Contains(test.unknown, setting.Name) && s.Origin(setting.Name) != "" {
					t.Errorf("%s is unknown, but has the value from %q", setting.Name, s.Origin(setting.Name))
				}
			}
			err := s.CheckCallable()
			if (err != nil) != (test.error != "") || err != nil && !strings.Contains(err.Error(), test.error) {
				t.Errorf("CheckCallable: %v; want %q", err, test.error)
			}
			if problems := Validate(test.block); len(problems) > 0 {
				t.Errorf("validate: %+v", problems)
			}
		})
	}
}

func TestResolve_token_overruledByTheBlock(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		block   map[string]Value
		token   string // that is used
		warning string // the attribute that it is on
	}{
		"nothing":                     {token: "from-env"},
		"identity":                    {block: block("identity", uidpA), warning: "identity"},
		"identity token":              {block: block("identity_token", "/run/token"), warning: "identity_token"},
		"both":                        {block: block("identity", uidpA, "identity_token", "/run/token"), warning: "identity"},
		"a token":                     {block: block("token", "from-block"), token: "from-block"},
		"a token and an identity":     {block: block("token", "from-block", "identity", uidpA), token: "from-block"},
		"an identity that is unknown": {block: block("identity", later)},
		"the group, which is not a way to sign in": {block: block("group", "acme.example"), token: "from-env"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world{variables: map[string]string{"CHAINGUARD_TOKEN": "from-env"}}
			s, problems := Resolve(test.block, w.environment())
			if s.Token.Reveal() != test.token || (s.Origin("token") == "") != (test.token == "") {
				t.Errorf("the token is from %q", s.Origin("token"))
			}
			if got := s.OverruledToken(); (got == "CHAINGUARD_TOKEN") != (test.token == "") {
				t.Errorf("the overruled token is from %q", got)
			}
			if test.warning == "" {
				if len(problems) > 0 {
					t.Errorf("%+v", problems)
				}
				return
			}
			if len(problems) != 1 || !problems[0].Warning || problems[0].Attribute != test.warning ||
				problems[0].Summary != "Environment Variable Not Used" || !strings.Contains(problems[0].Detail, "CHAINGUARD_TOKEN") {
				t.Errorf("%+v; want a warning on %s", problems, test.warning)
			}
		})
	}
}

func TestResolve_token_overruledIsNotValidated(t *testing.T) {
	t.Parallel()
	w := world{variables: map[string]string{"CHAINGUARD_TOKEN": "two words"}}
	if _, problems := Resolve(block("identity", uidpA), w.environment()); len(problems) != 1 || !problems[0].Warning {
		t.Errorf("%+v; want the warning that it is not used", problems)
	}
}

func TestResolve_token_usedWithAnIdentityFromTheEnvironment(t *testing.T) {
	t.Parallel()
	w := world{variables: map[string]string{"CHAINGUARD_TOKEN": "from-env", "CHAINGUARD_IDENTITY": uidpA}}
	if s, problems := Resolve(nil, w.environment()); len(problems) > 0 || s.Token.Reveal() != "from-env" {
		t.Errorf("%+v, the token is from %q", problems, s.Origin("token"))
	}
}

func TestResolve_oneIdentityProvider(t *testing.T) {
	t.Parallel()
	const summary = "Conflicting Sign-In Configuration"
	file := "default:\n  social-login: github\n"
	for name, test := range map[string]struct {
		block     map[string]Value
		variables map[string]string
		file      string
		want      [3]string // identity provider, organization, social login
		conflict  string
		attribute string // of the conflict
	}{
		"the file": {file: file, want: [3]string{"", "", "github"}},
		"the block overrules the file": {
			block: block("org_name", "acme.example"), file: file,
			want: [3]string{"", "acme.example", ""},
		},
		"the environment overrules the file": {
			variables: map[string]string{"TF_CHAINGUARD_IDP": uidpB}, file: file,
			want: [3]string{uidpB, "", ""},
		},
		"the organization beats the social login in a file": {
			file: "default:\n  social-login: github\n  org-name: acme.example\n",
			want: [3]string{"", "acme.example", ""},
		},
		"the identity provider beats both in a file": {
			file: "default:\n  social-login: github\n  org-name: acme.example\n  identity-provider: " + uidpB + "\n",
			want: [3]string{uidpB, "", ""},
		},
		"two in the block": {
			block: block("org_name", "acme.example", "social_login", "github"), file: file,
			want:     [3]string{"", "acme.example", "github"},
			conflict: "org_name and social_login", attribute: "social_login",
		},
		"two in the environment": {
			variables: map[string]string{"TF_CHAINGUARD_IDP": uidpB, "TF_CHAINGUARD_ORG_NAME": "acme.example"},
			want:      [3]string{uidpB, "acme.example", ""},
			conflict:  "identity_provider and org_name",
		},
		"an unknown one in the block": {
			block: block("org_name", later, "social_login", "github"), file: file,
			want: [3]string{"", "", "github"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, login := range []string{LoginBrowser, LoginHeadless, LoginNever} {
				b := block("login", login)
				for name, value := range test.block {
					b[name] = value
				}
				s, problems := Resolve(b, world{variables: test.variables, files: map[string]string{searchedFile: test.file}}.environment())
				if got := [3]string{s.IdentityProvider, s.OrgName, s.SocialLogin}; got != test.want {
					t.Errorf("login %s: %q, want %q", login, got, test.want)
				}
				if test.conflict == "" || login == LoginNever {
					if len(problems) > 0 {
						t.Errorf("login %s: %+v", login, problems)
					}
					continue
				}
				if len(problems) != 1 || problems[0].Summary != summary || problems[0].Attribute != test.attribute ||
					!strings.Contains(problems[0].Detail, test.conflict) || problems[0].Deferrable() != (test.attribute == "") {
					t.Errorf("login %s: %+v; want %q", login, problems, test.conflict)
				}
				if validated := Validate(b); (len(validated) == 1) != (test.attribute != "") {
					t.Errorf("validate: %+v", validated)
				}
			}
		})
	}
}

func TestSettings_secretsAreNeverPrinted(t *testing.T) {
	t.Parallel()
	const token, identityToken = "c4n4ry-token", "c4n4ry-identity-token"
	b := block("token", token+"\n", "identity_token", " "+identityToken)
	s, problems := Resolve(b, world{}.environment())
	if len(problems) > 0 || s.Token.Reveal() != token || s.IdentityToken.Reveal() != identityToken {
		t.Fatalf("%+v", problems)
	}

	var printed []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{s, &s, []Settings{s}, b, &b, b["token"]} {
			printed = append(printed, fmt.Sprintf(verb, value))
		}
	}
	// Terraform logs in JSON, with this encoder.
	for _, value := range []any{s, &s, []Settings{s}, b, &b, b["token"], map[string]any{"settings": s, "block": b}} {
		asJSON, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		printed = append(printed, string(asJSON))
	}
	var logged strings.Builder
	for _, handler := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
		slog.New(handler).Info("configured", "settings", s, "block", b, "token", b["token"],
			"all", struct{ S, B, T any }{s, b, b["token"]})
	}
	printed = append(printed, logged.String())
	for _, p := range printed {
		if strings.Contains(p, "c4n4ry") || strings.Contains(p, fmt.Sprintf("%x", "c4n4ry")) {
			t.Errorf("a secret is printed: %s", p)
		}
	}
	if !strings.Contains(fmt.Sprint(s), DefaultAPI) {
		t.Errorf("the other settings are not printed: %v", s)
	}
}

func TestOSEnvironment_isComplete(t *testing.T) {
	t.Parallel()
	env := OSEnvironment()
	if env.Getenv == nil || env.ReadFile == nil || env.WorkDir == "" {
		t.Errorf("incomplete: %+v", env)
	}
	if _, err := env.ReadFile(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that does not exist was read")
	}
}

func TestEnvironment_readFile_tooLong(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, make([]byte, maxFileBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := readFile(path); err == nil {
		t.Errorf("got the first %d bytes", len(data))
	}
}

func TestEnvironment_ExpandPath(t *testing.T) {
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

func TestValidate_anEmptyBlock(t *testing.T) {
	t.Parallel()
	if problems := Validate(nil); len(problems) > 0 {
		t.Errorf("%+v", problems)
	}
}
