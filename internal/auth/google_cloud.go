package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// googleCloud gets an identity token of the default service account from the metadata server. It does not use Google's
// library, which probes the network for the server, and takes seconds outside of Google Cloud.
type googleCloud struct {
	audience string // of the token to request
	getenv   func(string) string
	readFile func(string) ([]byte, error)
	http     httpCaller
	secrets  *redact.Secrets
}

func (g googleCloud) identityToken(ctx context.Context) (string, error) {
	if !g.here() {
		return "", errors.New("this is not a machine of Google Cloud")
	}
	// Google's libraries read this variable as well.
	host := cmp.Or(g.getenv("GCE_METADATA_HOST"), "169.254.169.254")
	query := url.Values{"audience": {g.audience}, "format": {"full"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet,
		"http://"+host+"/computeMetadata/v1/instance/service-accounts/default/identity?"+query.Encode(), nil)
	if err != nil {
		return "", errors.New("GCE_METADATA_HOST is not a host")
	}
	request.Header.Set("Metadata-Flavor", "Google")

	// Never use a proxy: the metadata server is reachable only from the machine itself. The request has no secrets.
	transport := newTransport()
	transport.Proxy = nil
	body, err := g.http.do(ctx, &http.Client{Transport: transport, CheckRedirect: noRedirect}, repeated, request)
	if err != nil {
		return "", fmt.Errorf("the metadata server at %s gave no token: %s", quote(g.secrets, host), quote(g.secrets, err.Error()))
	}
	identityToken := strings.TrimSpace(string(body))
	g.secrets.Add(identityToken)
	if err := usable(identityToken); err != nil {
		return "", fmt.Errorf("the metadata server at %s gave an answer %w", quote(g.secrets, host), err)
	}
	return identityToken, nil
}

// here reports whether the process runs on Google Cloud, without network access.
func (g googleCloud) here() bool {
	for _, name := range []string{"GCE_METADATA_HOST", "K_SERVICE", "CLOUD_RUN_JOB"} {
		if g.getenv(name) != "" {
			return true
		}
	}
	product, err := g.readFile("/sys/class/dmi/id/product_name")
	return err == nil && strings.HasPrefix(string(product), "Google")
}
