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

// maxToken limits the size of a token read from a response, a file or a program.
const maxToken = 64 << 10

var (
	// once is the policy for requests that must not be repeated.
	once = rpc.Policy{Tries: 1}

	// repeated is the policy for requests without side effects.
	repeated = rpc.Policy{Tries: 3, First: 100 * time.Millisecond, Max: time.Second}
)

// httpCaller sends HTTP requests that contain a token or return one.
type httpCaller struct {
	clock   clock.Clock
	timeout time.Duration // for all tries together
}

// do sends a request and returns the body of the response. With a policy that allows retries, each try gets half of the
// timeout, which leaves time for another if a response is lost.
//
// The error is a *statusError for a response other than 200 OK, and otherwise an *unreachable.
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
		// The outer error contains the URL with its query, which may have secrets.
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

// unreachable reports that there was no response.
type unreachable struct{ error }

func (u *unreachable) Error() string {
	if op := (*net.OpError)(nil); errors.As(u.error, &op) && op.Op == "proxyconnect" {
		return "by the proxy that HTTPS_PROXY (or https_proxy) names: " + op.Err.Error()
	}
	return u.error.Error()
}

func (u *unreachable) Unwrap() error { return u.error }

// timedOut reports whether the request timed out.
func (u *unreachable) timedOut() bool {
	var timeout net.Error
	return errors.Is(u.error, context.DeadlineExceeded) || errors.As(u.error, &timeout) && timeout.Timeout()
}

// statusError is a response other than 200 OK.
type statusError struct {
	status int
	body   []byte // unredacted: not safe to show
}

func (s *statusError) Error() string {
	return fmt.Sprintf("HTTP status %d %s", s.status, http.StatusText(s.status))
}

// isTemporary reports whether to retry, for [rpc.Retry]. It returns no delay, because none of the servers send one.
func isTemporary(err error) (again bool, after time.Duration) {
	var answered *statusError
	if errors.As(err, &answered) {
		return slices.Contains([]int{
			http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
		}, answered.status), 0
	}
	return !errors.Is(err, errProxy), 0
}

// bearerClient returns a client that is safe to send a bearer token with. It follows no redirects, and without TLS it
// connects only to loopback addresses, regardless of DNS and proxies.
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
		DisableKeepAlives:   true, // The next request is about an hour away.
	}
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// errProxy reports an invalid proxy setting. Retrying does not help.
var errProxy = errors.New("no usable proxy")

// proxyFromEnvironment is like [http.ProxyFromEnvironment], but fails if the proxy setting is invalid instead of
// connecting directly.
func proxyFromEnvironment(request *http.Request) (*url.URL, error) {
	if err := rpc.CheckProxy(request.URL); err != nil {
		return nil, fmt.Errorf("%w: %w", errProxy, err)
	}
	return http.ProxyFromEnvironment(request)
}
