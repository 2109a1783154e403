package config

import (
	"strings"
	"testing"
	"time"
)

func TestValidate_invalidValues(t *testing.T) {
	t.Parallel()
	const canary = "c4n4ry"
	for name, test := range map[string]struct {
		attribute string
		value     string
		want      string
	}{
		"no scheme":                       {"api", "console-api.enforce.dev", "must start with https://"},
		"no scheme, with a port":          {"api", "localhost:8080", "must start with https://"},
		"no scheme, address":              {"api", "127.0.0.1:8080", "must be a URL that starts with https://"},
		"another scheme":                  {"api", "ftp://a.example", "must start with https://"},
		"user":                            {"api", "https://" + canary + "@a.example", "must not contain a user name or password"},
		"user and password":               {"api", "https://me:" + canary + "@a.example", "must not contain a user name or password"},
		"unreadable, with a password":     {"api", "https://me:" + canary + "@a.example:x%zz", "must be a valid URL"},
		"path":                            {"api", "https://a.example/" + canary, "must not have a path"},
		"query":                           {"api", "https://a.example?token=" + canary, "must not have a path"},
		"empty query":                     {"api", "https://a.example?", "must not have a path"},
		"fragment":                        {"api", "https://a.example#" + canary, "must not have a path"},
		"no host":                         {"api", "https://", "must have a host"},
		"Kelvin sign in the host":         {"api", "https://\u212a.example", "must have a host of ASCII letters"},
		"zero width space in the host":    {"api", "https://a\u200b.example", "invisible character U+200B at position 10"},
		"two hosts":                       {"api", "https://a.example,b.example", "must have a host of ASCII letters"},
		"port out of range":               {"api", "https://a.example:70000", "must have a port"},
		"colon without a port":            {"api", "https://a.example:", "must have a port"},
		"plaintext":                       {"api", "http://a.example", `tokens are sent to "a.example"`},
		"plaintext to a private net":      {"api", "http://10.0.0.1", "must start with https://, because tokens"},
		"plaintext, loopback lookalike":   {"issuer", "http://localhost.evil.example", "must start with https://, because tokens"},
		"plaintext, 127 in a name":        {"issuer", "http://127.0.0.1.evil.example", "must start with https://, because tokens"},
		"audience with a password":        {"audience", "https://me:" + canary + "@a.example", "must not contain a user name or password"},
		"audience of two":                 {"audience", "https://a.example,https://b.example", "must be one audience"},
		"audience of two words":           {"audience", "a b", "must be one audience"},
		"audience of two dots":            {"audience", "..", "must be one audience"},
		"audience with a newline":         {"audience", "a\nb", "invisible character U+000A at position 2"},
		"token with its scheme":           {"token", "Bearer " + canary, "bare token"},
		"token in two lines":              {"token", canary + "\n" + canary, "invisible character U+000A"},
		"token that is not ASCII":         {"token", canary + "é", "bare token"},
		"token with a byte order mark":    {"token", "\ufeff" + canary, "invisible character U+FEFF at position 1"},
		"identity by name":                {"identity", "ci", `"ci" of the provider's ` + "`identity` must be a UIDP"},
		"identity in capitals":            {"identity", strings.Repeat("A", 40), "must be a UIDP"},
		"identity with a soft hyphen":     {"identity", "\u00ad" + uidpA, `"\u00ad1111`},
		"identity provider by name":       {"identity_provider", "okta", "must be a UIDP"},
		"identity token in two lines":     {"identity_token", canary + "\n" + canary, "without line breaks"},
		"social login":                    {"social_login", "myspace", "must be one of email, google, github and gitlab"},
		"login":                           {"login", "always", `must be "never", "browser" or "headless"`},
		"no timeout":                      {"request_timeout", "0s", "must be longer than zero"},
		"negative timeout":                {"request_timeout", "-1s", "must be longer than zero"},
		"timeout without a unit":          {"request_timeout", "30", `"30" of the provider's ` + "`request_timeout` must be a duration"},
		"timeout of more than 1h":         {"request_timeout", "1h1s", `must be at most "1h"`},
		"group with an escape":            {"group", "a\x1b[31m", "invisible character U+001B at position 2"},
		"group in capitals":               {"group", "ACME", `Did you mean "acme"?`},
		"group that is not a name":        {"group", "Not A//Group!!", `The value "Not A//Group!!" of the provider's ` + "`group` must be a group's name"},
		"group with a slash before":       {"group", "/acme.example", `Did you mean "acme.example"?`},
		"group with a no-break space":     {"group", "acme.example\u00a0", "invisible character U+00A0 at position 13"},
		"groups without a slash":          {"group", "acme.example,other", "must be a group's name"},
		"organization with an escape":     {"org_name", "a\x1b[31m", "invisible character U+001B at position 2"},
		"organization from right to left": {"org_name", "a\u202eb", "invisible character U+202E at position 2"},
		"config file with a NUL":          {"config", "a\x00b", "must be the path of a file"},
		"a long value is cut":             {"identity", strings.Repeat("x", 200), `"` + strings.Repeat("x", 100) + `" (shortened) of`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := block(test.attribute, test.value)
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

func TestValidate_plaintextIsForLoopbackOnly(t *testing.T) {
	t.Parallel()
	for _, api := range []string{
		"http://localhost:1", "http://api.localhost:1", "http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:1", "HTTP://LOCALHOST:1",
	} {
		if problems := Validate(block("api", api)); len(problems) > 0 {
			t.Errorf("%s: %+v", api, problems)
		}
	}
}

func TestResolve_groupIsANameAPathOrAUIDP(t *testing.T) {
	t.Parallel()
	for _, group := range []string{"acme.example", "acme.example/my team/a_b-c.1", " acme.example\n", uidpA, uidpB} {
		s, problems := Resolve(block("group", group), world{}.environment())
		if len(problems) > 0 || s.Group != strings.TrimSpace(group) {
			t.Errorf("%q: %q, %+v", group, s.Group, problems)
		}
	}
}

func TestResolve_identityTokenTakesAnyLiteral(t *testing.T) {
	t.Parallel()
	for _, literal := range []string{"eyJhbGciOiJub25lIn0.e30.", "aHR0cHM6Ly9zdHMuYW1hem9uYXdzLmNvbQ==", "~/token", `C:\token`, "/run/a b/tökén"} {
		s, problems := Resolve(block("identity_token", literal), world{}.environment())
		if len(problems) > 0 || s.IdentityToken.Reveal() != literal {
			t.Errorf("%q: %+v", literal, problems)
		}
	}
}

func TestResolve_socialLoginTakesTheOfficialProvidersName(t *testing.T) {
	t.Parallel()
	s, problems := Resolve(nil, world{variables: map[string]string{"TF_CHAINGUARD_AUTH0_CONNECTION": "google-oauth2"}}.environment())
	if len(problems) > 0 || s.SocialLogin != "google" {
		t.Errorf("%q, %+v", s.SocialLogin, problems)
	}
}

func TestResolve_requestTimeoutIsADuration(t *testing.T) {
	t.Parallel()
	s, problems := Resolve(block("request_timeout", "1m30s"), world{}.environment())
	if len(problems) > 0 || s.RequestTimeout != 90*time.Second {
		t.Errorf("%s, %+v", s.RequestTimeout, problems)
	}
}
