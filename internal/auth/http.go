package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/loopback"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/rpc"
)

// maxToken bounds what is read as a token, from an answer, a file or a program.
const maxToken = 64 << 10

var (
	// once is the policy of a request that must not be repeated.
	once = rpc.Policy{Tries: 1}

	// repeated is the policy of a request that has no effect.
	repeated = rpc.Policy{Tries: 3, First: 100 * time.Millisecond, Max: time.Second}
)

// httpCaller makes HTTP requests that carry a token, or are answered with one.
type httpCaller struct {
	clock   clock.Clock
	timeout time.Duration // for all tries of a request together
}

// do makes a request and returns the body of the answer. A request that may be repeated gets half of the timeout for
// each try, so that there is time for another when an answer is lost.
//
// The error is a *statusError for an answer other than 200 OK, and an *unreachable otherwise.
func (h httpCaller) do(ctx context.Context, client *http.Client, policy rpc.Policy, request *http.Request) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	perTry := h.timeout
	if policy.Tries != 1 {
		perTry /= 2
	}
	var body []byte
	err := rpc.Retry(ctx, h.clock, policy, isTemporary, func() (err error) {
		tryCtx, cancel := context.WithTimeout(ctx, perTry)
		defer cancel()
		body, err = send(client, request.Clone(tryCtx))
		return err
	})
	return body, err
}

func send(client *http.Client, request *http.Request) ([]byte, error) {
	response, err := client.Do(request) //nolint:gosec // G704: to where the settings and the CI system say.
	if err != nil {
		// The outer error quotes the URL, with everything in its query.
		if urlError := (*url.Error)(nil); errors.As(err, &urlError) {
			err = urlError.Err
		}
		return nil, &unreachable{err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxToken))
	switch {
	case response.StatusCode != http.StatusOK:
		return nil, &statusError{status: response.StatusCode, body: body}
	case err != nil:
		return nil, &unreachable{err}
	}
	return body, nil
}

// unreachable says that a request was not answered.
type unreachable struct{ error }

func (u *unreachable) Error() string {
	if op := (*net.OpError)(nil); errors.As(u.error, &op) && op.Op == "proxyconnect" {
		return "by the proxy that HTTPS_PROXY (or https_proxy) names: " + op.Err.Error()
	}
	return u.error.Error()
}

func (u *unreachable) Unwrap() error { return u.error }

// timedOut reports whether time was up before there was an answer.
func (u *unreachable) timedOut() bool {
	var timeout net.Error
	return errors.Is(u.error, context.DeadlineExceeded) || errors.As(u.error, &timeout) && timeout.Timeout()
}

// statusError is an answer with an HTTP status other than 200 OK.
type statusError struct {
	status int
	body   []byte // as the other side sent it: not safe to show
}

func (s *statusError) Error() string {
	return fmt.Sprintf("HTTP status %d %s", s.status, http.StatusText(s.status))
}

// isTemporary is the classification that [rpc.Retry] takes. No other side says how long to wait.
func isTemporary(err error) (again bool, after time.Duration) {
	var answered *statusError
	if errors.As(err, &answered) {
		return slices.Contains([]int{
			http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
		}, answered.status), 0
	}
	return !errors.Is(err, errProxy), 0
}

// bearerClient returns a client that can be trusted with a bearer token: it follows no redirect, and without encryption
// it connects to this machine only, whatever a name resolves to and whatever proxy is configured.
func bearerClient(u *url.URL) (*http.Client, error) {
	transport := newTransport()
	switch {
	case u.Host == "":
		return nil, errors.New("it is not a URL")
	case u.Scheme == "http" && loopback.IsHost(u.Hostname()):
		transport.Proxy = nil
		transport.DialContext = loopback.Dial
	case u.Scheme != "https":
		return nil, fmt.Errorf("%s is not encrypted: a token is sent over http:// to this machine only", u.Host)
	}
	return &http.Client{Transport: transport, CheckRedirect: noRedirect}, nil
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:               proxyFromEnvironment,
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: 10 * time.Second,
		DisableKeepAlives:   true, // The next request is an hour away.
	}
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// errProxy is a proxy that is configured and cannot be used. Another try does not help.
var errProxy = errors.New("no usable proxy")

// proxyFromEnvironment is [http.ProxyFromEnvironment], which goes without a proxy where it cannot parse the variable.
func proxyFromEnvironment(request *http.Request) (*url.URL, error) {
	if err := rpc.CheckProxy(request.URL); err != nil {
		return nil, fmt.Errorf("%w: %w", errProxy, err)
	}
	return http.ProxyFromEnvironment(request)
}
