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

// maxAnswer keeps gRPC from refusing an answer for its size: it does so with ResourceExhausted, which cannot be told from
// the server's own (https://github.com/grpc/grpc/pull/10612), and the server has acted. What an answer may hold is checked
// where it is known what it answers.
const maxAnswer = math.MaxInt

// Dial prepares a connection to the gRPC service at rawURL, "https://host[:port]" or, to loopback only,
// "http://host[:port]". It does no I/O: the connection is made by the first call.
//
// Bearer tokens travel over this connection, so it is TLS 1.2 or newer everywhere but on loopback. For plaintext
// the host in the URL must be loopback, and so must the address that was really connected to, whatever DNS said.
//
// userAgent is sent with every call. The SDK's own dialler is not used: it panics on a URL without scheme, waits
// forever for a server that is down, retries Create, and sends the path of the executable with every call.
func Dial(rawURL, userAgent string, options ...grpc.DialOption) (*grpc.ClientConn, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		// The parser's error quotes the URL, which may hold a password.
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
		grpc.WithDisableServiceConfig(), // DNS must not be able to switch on retries of Create.
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

// requireHTTP2 fails the handshake with a server, or a proxy in between, that does not speak HTTP/2, which gRPC needs.
// gRPC's own check (https://github.com/grpc/grpc-go/issues/2742) names the TLS extension that is missing, which tells a user
// nothing.
func requireHTTP2(state tls.ConnectionState) error {
	if state.NegotiatedProtocol == "h2" {
		return nil
	}
	return errors.New("the server does not offer HTTP/2, which the Chainguard API is called over; a proxy that intercepts TLS may speak " +
		"HTTP/1.1 only")
}

// errProxy does not quote the proxy's URL, which may hold a password.
var errProxy = errors.New("HTTPS_PROXY (or https_proxy) in the environment is not the URL of a proxy, such as " +
	"http://proxy.example.com:3128. Its value is not shown, as it may hold a password. Correct the variable, or unset it")

// CheckProxy returns an error if u is reached through a proxy whose URL cannot be parsed. Go's libraries ignore such a
// proxy (https://github.com/golang/go/issues/46264).
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
	environment.HTTPSProxy = "http://proxy.invalid" // To find out whether NO_PROXY exempts u.
	if proxy, err := environment.ProxyFunc()(u); err == nil && proxy == nil {
		return nil
	}
	return errProxy
}

var proxySchemes = []string{"http", "https", "socks5", "socks5h"}
