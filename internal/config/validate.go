package config

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"chainguard.dev/sdk/uidp"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/loopback"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/refs"
)

// maxRequestTimeout bounds request_timeout: a call that needs more than this is not going to end.
const maxRequestTimeout = time.Hour

// Validate says what is wrong with the provider block as far as that can be seen from the block alone.
func Validate(block Block) []Problem {
	var (
		problems []Problem
		settings Settings
		set      []string
	)
	if err := checkPath(block.Config.Text); block.Config.known() && err != nil {
		problems = append(problems, invalid("config", levelBlock, originBlock, err))
	}
	for _, a := range attributes {
		value := a.fromBlock(&block)
		if !value.known() {
			continue
		}
		if err := a.accept(value.Text, &settings); err != nil {
			problems = append(problems, invalid(a.name, levelBlock, originBlock, err))
			continue
		}
		if a.signIn {
			set = append(set, a.name)
		}
	}
	if len(set) > 1 && settings.Login == LoginBrowser {
		problems = append(problems, contradiction(set))
	}
	return problems
}

var errEmpty = errors.New("it must not be empty: leave it out, or set it to null, to have the default")

// checkURL takes the URL of a service that is sent bearer tokens. What it says about a URL never quotes the parts in
// which there may be a secret.
func checkURL(text string) (string, error) {
	const example = "write it like " + DefaultAPI
	text = strings.TrimSpace(text)
	if text == "" {
		return "", errEmpty
	}
	u, err := url.Parse(text)
	switch {
	case err != nil && !strings.Contains(text, "://"):
		return "", errors.New("it is not a URL with a scheme: " + example)
	case err != nil:
		return "", errors.New("it is not a URL that can be read: " + example)
	case u.User != nil:
		return "", errors.New("it has a user or a password, which do not belong there: " + example)
	case u.Scheme != "https" && u.Scheme != "http":
		return "", errors.New("it has no scheme, or another one than https:// (or http:// for this machine): " + example)
	case u.Hostname() == "":
		return "", errors.New("it has no host: " + example)
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return "", errors.New("it has a path, a query or a fragment: end it after the host, " + example)
	case !validPort(u):
		return "", errors.New("its port is not a number from 1 to 65535")
	case u.Scheme == "http" && !loopback.IsHost(u.Hostname()):
		return "", fmt.Errorf("%s is not encrypted, and tokens are sent there: write https://. "+
			"Only for this machine itself (localhost, 127.0.0.1, [::1]) http:// is allowed", printable("http://"+u.Host))
	}
	u.Path = ""
	u.Host = strings.ToLower(u.Host)
	return u.String(), nil
}

func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	port, err := strconv.Atoi(u.Port())
	return err == nil && port >= 1 && port <= 65535
}

// checkAudience takes the name of whom a token is for. It is mostly, but not always, a URL.
func checkAudience(text string) (string, error) {
	text = strings.TrimSpace(text)
	switch u, err := url.Parse(text); {
	case text == "":
		return "", errEmpty
	case err == nil && u.User != nil:
		return "", errors.New("it has a user or a password, which do not belong there")
	case strings.ContainsFunc(text, notGraphic), strings.ContainsAny(text, `,\`), text == ".", text == "..":
		return "", errors.New("it has characters that no audience has: write one audience, for example " + DefaultAPI)
	}
	return text, nil
}

func checkGroup(text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", errEmpty
	}
	if err := refs.CheckGroup(text); err != nil {
		return "", fmt.Errorf("%s %w", printable(text), err)
	}
	return text, nil
}

func checkOrgName(text string) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "", errEmpty
	case strings.ContainsFunc(text, unicode.IsControl):
		return "", errors.New("it has control characters")
	}
	return text, nil
}

func checkPath(text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return errEmpty
	case strings.ContainsRune(text, 0):
		return errors.New("it is not the path of a file")
	}
	return nil
}

// checkToken takes a bearer token, which is not to be seen in any error. Its surroundings are trimmed, as a token read
// from a file ends in a line break.
func checkToken(text string) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "", errEmpty
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", errors.New("it has spaces or other characters that no token has: give the bare token, without " +
			"\"Bearer\" before it, as `chainctl auth token` prints it")
	}
	return text, nil
}

// checkIdentityToken takes a literal token or a path: all that can be said beforehand is that it is not empty.
func checkIdentityToken(text string) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "", errEmpty
	case strings.ContainsFunc(text, unicode.IsControl):
		return "", errors.New("it has control characters: give a token, or the path of a file that holds one")
	}
	return text, nil
}

func checkUIDP(text string) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "", errEmpty
	case !uidp.Valid(text):
		return "", fmt.Errorf("%s is not a UIDP, which is 40 hexadecimal digits, and more parts of 16 after slashes",
			printable(text))
	}
	return text, nil
}

// socialLogins maps what social_login takes to its canonical form. The official provider, whose environment variable is
// taken as well, calls Google by the name that Auth0 has for it.
var socialLogins = map[string]string{
	"email": "email", "google": "google", "github": "github", "gitlab": "gitlab", "google-oauth2": "google",
}

func checkSocialLogin(text string) (string, error) {
	canonical, found := socialLogins[strings.TrimSpace(text)]
	if !found {
		return "", fmt.Errorf("%s is not one of email, google, github and gitlab", printable(text))
	}
	return canonical, nil
}

func checkLogin(text string) (string, error) {
	text = strings.TrimSpace(text)
	if text != LoginNever && text != LoginBrowser {
		return "", fmt.Errorf("%s is neither %q nor %q", printable(text), LoginNever, LoginBrowser)
	}
	return text, nil
}

func parseTimeout(text string) (time.Duration, error) {
	timeout, err := time.ParseDuration(strings.TrimSpace(text))
	switch {
	case err != nil:
		return 0, fmt.Errorf(`%s is not a duration: write it like "30s" or "1m30s"`, printable(text))
	case timeout <= 0:
		return 0, fmt.Errorf(`%s leaves no time for an answer: write more than zero, for example "30s"`, printable(text))
	case timeout > maxRequestTimeout:
		return 0, fmt.Errorf(`%s is longer than the %s that a single call may take`, printable(text), "1h")
	}
	return timeout, nil
}

func parseBool(text string) (bool, error) {
	value, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(text)))
	if err != nil {
		return false, fmt.Errorf("%s is neither true nor false", printable(text))
	}
	return value, nil
}

// printable quotes a value for an error: whatever is in it, the terminal is left alone, and it is not too long to read.
func printable(text string) string {
	const most = 100
	runes := []rune(text)
	if len(runes) > most {
		return strconv.Quote(string(runes[:most])) + " (shortened)"
	}
	return strconv.Quote(text)
}

func notGraphic(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }
