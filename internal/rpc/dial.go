package rpc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpproxy"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/loopback"
)

// maxAnswer disables gRPC's limit on the size of responses. gRPC reports it as ResourceExhausted, which looks like an
// error of the server (https://github.com/grpc/grpc/pull/10612) although the server has executed the call. The callers
// check the size of what they read.
const maxAnswer = math.MaxInt

// Dial returns a connection to the gRPC service at rawURL, "https://host[:port]" or, for loopback only,
// "http://host[:port]". It does no I/O: the first call connects.
//
// The connection carries bearer tokens, so it uses TLS 1.2 or newer except on loopback. Without TLS, the host in the
// URL must be loopback, and so must the address actually connected to, regardless of DNS.
//
// userAgent is sent with every call. Dial does not use the SDK's dialer, which panics on a URL without a scheme, waits
// forever for a server that is down, retries Create, and sends the path of the executable with every call.
func Dial(rawURL, userAgent string, options ...grpc.DialOption) (*grpc.ClientConn, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		// The parser's error quotes the URL, which may contain a password.
		return nil, errors.New("the API's URL cannot be read: it must look like https://console-api.enforce.dev")
	}
	if u.Hostname() == "" {
		return nil, fmt.Errorf("the API's URL %q has no host: it must look like https://console-api.enforce.dev", u.Redacted())
	}
	if err := CheckProxy(u); err != nil {
		return nil, err
	}

	options = append([]grpc.DialOption{
		grpc.WithUserAgent(userAgent),
		grpc.WithDisableServiceConfig(), // A service config from DNS could enable retries of Create.
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)),
	}, options...)

	switch u.Scheme {
	case "https":
		options = append(options, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
			MinVersion:       tls.VersionTLS12,
			ServerName:       u.Hostname(),
			VerifyConnection: requireHTTP2,
		})))
		return grpc.NewClient("dns:///"+net.JoinHostPort(u.Hostname(), portOr(u, "443")), options...)
	case "http":
		if !loopback.IsHost(u.Hostname()) {
			return nil, fmt.Errorf("the API's URL %q is not encrypted: a bearer token is sent over http:// to loopback only. Use https://", u.Redacted())
		}
		options = append(options,
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
				return loopback.Dial(ctx, "tcp", address)
			}))
		return grpc.NewClient("passthrough:///"+net.JoinHostPort(u.Hostname(), portOr(u, "80")), options...)
	default:
		return nil, fmt.Errorf("the API's URL %q must start with https:// (or http:// for loopback)", u.Redacted())
	}
}

func portOr(u *url.URL, port string) string {
	if p := u.Port(); p != "" {
		return p
	}
	return port
}

// requireHTTP2 fails the handshake with a server or proxy that does not support HTTP/2. gRPC's own check
// (https://github.com/grpc/grpc-go/issues/2742) only names the missing TLS extension.
func requireHTTP2(state tls.ConnectionState) error {
	if state.NegotiatedProtocol == "h2" {
		return nil
	}
	return errors.New("the server does not offer HTTP/2, which the Chainguard API is called over; a proxy that intercepts TLS may speak " +
		"HTTP/1.1 only")
}

// errProxy does not quote the proxy's URL, which may contain a password.
var errProxy = errors.New("HTTPS_PROXY (or https_proxy) in the environment is not the URL of a proxy, such as " +
	"http://proxy.example.com:3128. Its value is not shown, as it may hold a password. Correct the variable, or unset it")

// CheckProxy returns an error if u is reached through a proxy whose URL is invalid. Go ignores such a proxy and
// connects directly (https://github.com/golang/go/issues/46264).
func CheckProxy(u *url.URL) error {
	environment := httpproxy.FromEnvironment()
	value := environment.HTTPSProxy
	if value == "" || u.Scheme != "https" {
		return nil
	}
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	if proxy, err := url.Parse(value); err == nil && proxy.Hostname() != "" && slices.Contains(proxySchemes, proxy.Scheme) {
		return nil
	}
	environment.HTTPSProxy = "http://proxy.invalid" // Find out whether NO_PROXY exempts u.
	if proxy, err := environment.ProxyFunc()(u); err == nil && proxy == nil {
		return nil
	}
	return errProxy
}

var proxySchemes = []string{"http", "https", "socks5", "socks5h"}
