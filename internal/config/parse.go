package config

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/loopback"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/refs"
)

// maxRequestTimeout is the maximum of request_timeout. No useful call takes longer.
const maxRequestTimeout = time.Hour

var errEmpty = errors.New("must not be empty: omit it, or set it to null, to use the default")

// clean trims whitespace around a value, and rejects empty values and invisible characters.
func clean(text string) (string, error) {
	text = trim(text)
	if text == "" {
		return "", errEmpty
	}
	return text, refs.CheckVisible(text)
}

// trim removes the whitespace that files and shells leave around values.
func trim(text string) string { return strings.Trim(text, " \t\r\n") }

// parseURL parses the URL of a service that receives bearer tokens. Errors never quote the parts of the URL that may
// contain a secret.
func parseURL(text string) (string, error) {
	const example = ", such as " + DefaultAPI
	text, err := clean(text)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(text)
	switch {
	case err != nil && !strings.Contains(text, "://"):
		return "", errors.New("must be a URL that starts with https://" + example)
	case err != nil:
		return "", errors.New("must be a valid URL" + example)
	case u.User != nil:
		return "", errors.New("must not contain a user name or password" + example)
	case u.Scheme != "https" && u.Scheme != "http":
		return "", errors.New("must start with https:// (or http:// for this machine)" + example)
	case u.Hostname() == "":
		return "", errors.New("must have a host" + example)
	case !hostPattern.MatchString(u.Host):
		return "", errors.New("must have a host of ASCII letters, digits, dots and hyphens: write an internationalized " +
			"domain name in its xn-- form")
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return "", errors.New("must not have a path, query or fragment: end it after the host" + example)
	case !validPort(u):
		return "", errors.New("must have a port from 1 to 65535, or none")
	case u.Scheme == "http" && !loopback.IsHost(u.Hostname()):
		return "", fmt.Errorf("must start with https://, because tokens are sent to %s: http:// is allowed only for this "+
			"machine (localhost, 127.0.0.1, [::1])", redact.Quote(u.Host))
	}
	u.Path = ""
	u.Host = strings.ToLower(u.Host)
	return u.String(), nil
}

// hostPattern matches the characters of host names, ports and IP addresses with zones. It excludes letters that look
// like ASCII ones, because they are another host.
var hostPattern = regexp.MustCompile(`^[A-Za-z0-9._:%\[\]-]+$`)

func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	port, err := strconv.Atoi(u.Port())
	return err == nil && port >= 1 && port <= 65535
}

// parseAudience parses the audience of a token, which is usually a URL.
func parseAudience(text string) (string, error) {
	text, err := clean(text)
	if err != nil {
		return "", err
	}
	switch u, err := url.Parse(text); {
	case err == nil && u.User != nil:
		return "", errors.New("must not contain a user name or password")
	case strings.ContainsAny(text, ` ,\`), text == ".", text == "..":
		return "", errors.New("must be one audience, such as " + DefaultAPI + ", without spaces, commas or backslashes")
	}
	return text, nil
}

func parseGroup(text string) (string, error) {
	text, err := clean(text)
	if err != nil {
		return "", err
	}
	return text, refs.CheckGroup(text)
}

func parseOrgName(text string) (string, error) { return clean(text) }

func parsePath(text string) (string, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return "", errEmpty
	case strings.ContainsRune(text, 0):
		return "", errors.New("must be the path of a file")
	}
	return text, nil
}

// parseToken parses a bearer token. Errors never quote it.
func parseToken(text string) (redact.Secret, error) {
	text, err := clean(text)
	switch {
	case err != nil:
		return "", err
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", errors.New("must be the bare token, as `chainctl auth token` prints it, without spaces and without " +
			"\"Bearer\" before it")
	}
	return redact.Secret(text), nil
}

// parseIdentityToken parses a literal token or the path of a file. The two are told apart when the value is used.
func parseIdentityToken(text string) (redact.Secret, error) {
	text = trim(text)
	switch {
	case text == "":
		return "", errEmpty
	case strings.ContainsFunc(text, unicode.IsControl):
		return "", errors.New("must be a token or the path of a file, without line breaks or other control characters")
	}
	return redact.Secret(text), nil
}

func parseUIDP(text string) (string, error) {
	text, err := clean(text)
	switch {
	case err != nil:
		return "", err
	case !refs.IsUIDP(text):
		return "", errors.New("must be " + refs.UIDP)
	}
	return text, nil
}

// socialLogins maps the values of social_login to their canonical form. The official provider, whose environment
// variable is supported as well, uses Auth0's name for Google.
var socialLogins = map[string]string{
	"email": "email", "google": "google", "github": "github", "gitlab": "gitlab", "google-oauth2": "google",
}

func parseSocialLogin(text string) (string, error) {
	text, err := clean(text)
	if err != nil {
		return "", err
	}
	canonical, ok := socialLogins[text]
	if !ok {
		return "", errors.New("must be one of email, google, github and gitlab")
	}
	return canonical, nil
}

func parseLogin(text string) (string, error) {
	text, err := clean(text)
	switch {
	case err != nil:
		return "", err
	case text != LoginNever && text != LoginBrowser && text != LoginHeadless:
		return "", fmt.Errorf("must be %q, %q or %q", LoginNever, LoginBrowser, LoginHeadless)
	}
	return text, nil
}

func parseTimeout(text string) (time.Duration, error) {
	text, err := clean(text)
	if err != nil {
		return 0, err
	}
	timeout, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, errors.New(`must be a duration such as "30s" or "1m30s"`)
	case timeout <= 0:
		return 0, errors.New(`must be longer than zero, such as "30s"`)
	case timeout > maxRequestTimeout:
		return 0, errors.New(`must be at most "1h"`)
	}
	return timeout, nil
}

func parseBool(text string) (bool, error) {
	value, err := strconv.ParseBool(strings.ToLower(trim(text)))
	if err != nil {
		return false, errors.New("must be true or false")
	}
	return value, nil
}
