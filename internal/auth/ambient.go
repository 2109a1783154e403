package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/loopback"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// identityToken is the OIDC token that the user gave, or the path of a file that holds it. GitLab, Buildkite, CircleCI
// and Kubernetes hand over theirs in one of these ways.
type identityToken struct {
	value  string
	origin string
	env    config.Environment
	now    func() time.Time
}

func (i identityToken) identityToken(context.Context) (string, error) {
	if looksLikeJWT(i.value) {
		if err := stillLives(i.value, i.now()); err != nil {
			return "", fmt.Errorf("the token from %s %w. One that is given literally cannot be renewed: give the path of a "+
				"file that is kept fresh, or a fresh token", i.origin, err)
		}
		return i.value, nil
	}

	// The file is read anew each time, as it is replaced when its token nears its end.
	data, err := i.env.ReadFile(i.env.ExpandPath(i.value))
	if err != nil {
		if !clearlyPath(i.value) {
			return "", fmt.Errorf("the value from %s is neither a JWT nor the path of a file that can be read. It is not shown "+
				"here, as it may be a secret", i.origin)
		}
		return "", fmt.Errorf("the file %s, which %s names, cannot be read: %s", i.value, i.origin, fileError(err))
	}
	token := string(bytes.TrimSpace(data))
	if token == "" {
		return "", fmt.Errorf("the file that %s names is empty", i.origin)
	}
	if err := stillLives(token, i.now()); err != nil {
		return "", fmt.Errorf("the token in the file that %s names %w", i.origin, err)
	}
	return token, nil
}

// stillLives says whether a JWT has expired, so far as it states that.
func stillLives(token string, now time.Time) error {
	c, err := readClaims(token)
	if err == nil && !c.expiry.IsZero() && !now.Before(c.expiry) {
		return fmt.Errorf("expired at %s", c.expiry.UTC().Format(time.RFC3339))
	}
	return nil
}

// pathShape matches what is written like a path from a known beginning, with parts that are names and not keys: no part
// is long enough to be one, and the characters that base64 has and paths seldom have are missing.
var pathShape = regexp.MustCompile(`^(~|\.{1,2}|[A-Za-z]:)?([/\\][A-Za-z0-9 ._-]{1,40})+$`)

// clearlyPath reports whether a value can be shown in an error, because it cannot be anything but a path.
func clearlyPath(value string) bool {
	return len(value) <= 256 && pathShape.MatchString(value) && !redact.LooksSecret(value)
}

// fileError says why a file cannot be used, without its path.
func fileError(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	return quote(err.Error())
}

// errNoIdentity is why a pipeline's own token is not used.
var errNoIdentity = errors.New("not looked at, as no identity is set (identity in the provider block, CHAINGUARD_IDENTITY " +
	"or TF_CHAINGUARD_IDENTITY)")

// gitHubActions asks GitHub's token service, which a job can do that has the permission "id-token: write".
type gitHubActions struct {
	identity string
	audience string // what the token is to be for: the issuer's URL
	getenv   func(string) string
	client   *http.Client // nil for our own
	timeout  time.Duration
	wait     func(context.Context, time.Duration) error
}

func (g gitHubActions) identityToken(ctx context.Context) (string, error) {
	if g.identity == "" {
		return "", errNoIdentity
	}
	rawURL, bearer := g.getenv("ACTIONS_ID_TOKEN_REQUEST_URL"), g.getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
	switch {
	case rawURL == "" && bearer == "" && g.getenv("GITHUB_ACTIONS") == "true":
		return "", errors.New(`the job may not ask for an OIDC token: give it "permissions: id-token: write"`)
	case rawURL == "" || bearer == "":
		return "", errors.New("this is not a GitHub Actions job that may ask for an OIDC token (ACTIONS_ID_TOKEN_REQUEST_URL and " +
			"ACTIONS_ID_TOKEN_REQUEST_TOKEN are not both set)")
	}

	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return "", errors.New("ACTIONS_ID_TOKEN_REQUEST_URL is not a URL")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback.IsHost(u.Hostname())) {
		return "", fmt.Errorf("ACTIONS_ID_TOKEN_REQUEST_URL is at %s, which is not https://: the job's token is not sent there", quote(u.Host))
	}
	query := u.Query()
	query.Set("audience", g.audience)
	u.RawQuery = query.Encode()

	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	var token string
	err = retry(ctx, g.wait, isTemporary, func() (err error) {
		token, err = g.ask(ctx, u, bearer)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("GitHub's token service at %s gave no token: %s", quote(u.Host), quote(err.Error(), bearer, token))
	}
	return token, nil
}

func (g gitHubActions) ask(ctx context.Context, u *url.URL, bearer string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", errors.New("its URL cannot be used")
	}
	request.Header.Set("Authorization", "Bearer "+bearer)
	request.Header.Set("Accept", "application/json")

	response, err := bearerClient(g.client, u).Do(request)
	if err != nil {
		// The outer error quotes the URL, with everything in its query.
		if urlError := (*url.Error)(nil); errors.As(err, &urlError) {
			err = urlError.Err
		}
		return "", temporary{err}
	}
	defer response.Body.Close()

	const maxAnswer = 64 << 10
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	switch {
	case response.StatusCode >= 500:
		return "", temporary{errors.New(response.Status)}
	case response.StatusCode != http.StatusOK:
		return "", errors.New(response.Status)
	case err != nil:
		return "", temporary{err}
	}
	var answer struct {
		Value string `json:"value"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Value == "" {
		return "", errors.New("its answer holds none")
	}
	return answer.Value, nil
}

// bearerClient returns a client that can be trusted with a bearer token: it follows no redirect, and without encryption
// it connects to this machine only, whatever a name resolves to and whatever proxy is configured.
func bearerClient(client *http.Client, u *url.URL) *http.Client {
	var trusted http.Client
	if client != nil {
		trusted = *client
	} else {
		transport := &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			ForceAttemptHTTP2:   true,
			TLSHandshakeTimeout: 10 * time.Second,
			DisableKeepAlives:   true, // The next request is an hour away.
		}
		if u.Scheme == "http" {
			transport.Proxy = nil
			transport.DialContext = loopback.Dial
		}
		trusted.Transport = transport
	}
	trusted.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &trusted
}

// temporary is an error that may be gone at the next try.
type temporary struct{ error }

func isTemporary(err error) bool {
	var t temporary
	return errors.As(err, &t)
}

// hcpTerraform takes the token that HCP Terraform hands to a run. One with the tag CHAINGUARD is meant for us.
type hcpTerraform struct {
	identity string
	audience string
	getenv   func(string) string
	now      func() time.Time
}

func (h hcpTerraform) identityToken(context.Context) (string, error) {
	if h.identity == "" {
		return "", errNoIdentity
	}
	for _, name := range []string{"TFC_WORKLOAD_IDENTITY_TOKEN_CHAINGUARD", "TFC_WORKLOAD_IDENTITY_TOKEN"} {
		token := strings.TrimSpace(h.getenv(name))
		if token == "" {
			continue
		}
		if err := stillLives(token, h.now()); err != nil {
			return "", fmt.Errorf("the token in %s %w: HCP Terraform issues one for each plan and each apply, so this run is too long for it", name, err)
		}
		return token, nil
	}
	return "", fmt.Errorf("TFC_WORKLOAD_IDENTITY_TOKEN_CHAINGUARD and TFC_WORKLOAD_IDENTITY_TOKEN are not set. In a workspace, "+
		"set TFC_WORKLOAD_IDENTITY_AUDIENCE_CHAINGUARD to %s", h.audience)
}
