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

// googleCloud asks the metadata server for a token of the default service account. The library of Google's is not used:
// it finds out by calls on the network whether there is such a server, which takes seconds where there is none.
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
	// Google's own libraries take the address from this variable as well.
	host := cmp.Or(g.getenv("GCE_METADATA_HOST"), "169.254.169.254")
	query := url.Values{"audience": {g.audience}, "format": {"full"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet,
		"http://"+host+"/computeMetadata/v1/instance/service-accounts/default/identity?"+query.Encode(), nil)
	if err != nil {
		return "", errors.New("GCE_METADATA_HOST is not a host")
	}
	request.Header.Set("Metadata-Flavor", "Google")

	// Never by way of a proxy. Nothing secret is sent, and the answer comes from the machine's host.
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

// here reports whether this is a virtual machine, a container or a function of Google Cloud, without asking the network.
func (g googleCloud) here() bool {
	for _, name := range []string{"GCE_METADATA_HOST", "K_SERVICE", "CLOUD_RUN_JOB"} {
		if g.getenv(name) != "" {
			return true
		}
	}
	product, err := g.readFile("/sys/class/dmi/id/product_name")
	return err == nil && strings.HasPrefix(string(product), "Google")
}
