package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// gitHubActions gets an OIDC token from GitHub's token service, which jobs with the permission "id-token: write" may
// call.
type gitHubActions struct {
	audience string // of the token to request
	getenv   func(string) string
	http     httpCaller
	secrets  *redact.Secrets
}

func (g gitHubActions) identityToken(ctx context.Context) (string, error) {
	rawURL, bearer := g.getenv("ACTIONS_ID_TOKEN_REQUEST_URL"), g.getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
	g.secrets.Add(bearer)
	switch {
	case rawURL == "" && bearer == "" && g.getenv("GITHUB_ACTIONS") == "true":
		return "", errors.New(`the job may not ask for an OIDC token: give it "permissions: id-token: write"`)
	case rawURL == "" || bearer == "":
		return "", errors.New("this is not a GitHub Actions job that may ask for an OIDC token (ACTIONS_ID_TOKEN_REQUEST_URL and " +
			"ACTIONS_ID_TOKEN_REQUEST_TOKEN are not both set)")
	}

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return "", errors.New("ACTIONS_ID_TOKEN_REQUEST_URL is not a URL")
	}
	client, err := bearerClient(request.URL)
	if err != nil {
		return "", fmt.Errorf("ACTIONS_ID_TOKEN_REQUEST_URL cannot be used: %s", quote(g.secrets, err.Error()))
	}
	query := request.URL.Query()
	query.Set("audience", g.audience)
	request.URL.RawQuery = query.Encode()
	request.Header.Set("Authorization", "Bearer "+bearer)
	request.Header.Set("Accept", "application/json")

	body, err := g.http.do(ctx, client, repeated, request)
	if err != nil {
		return "", g.failed(request.URL, err.Error())
	}
	var answer struct {
		Value string `json:"value"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Value == "" {
		return "", g.failed(request.URL, "its answer holds none")
	}
	return answer.Value, nil
}

func (g gitHubActions) failed(u *url.URL, reason string) error {
	return fmt.Errorf("GitHub's token service at %s gave no token: %s", quote(g.secrets, u.Host), quote(g.secrets, reason))
}
