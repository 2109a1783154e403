package platform

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/loopback"
)

// maxAnswerBytes is the size from which gRPC refuses an answer, as ResourceExhausted, which cannot be told from the
// platform's own "try again later". It is therefore set where no answer reaches it: a page of 200 invites is below
// 1 MiB. Answers with absurd fields are refused one by one, where it is known what they answer.
const maxAnswerBytes = 256 << 20

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
		return nil, errors.New("the platform's URL cannot be read")
	}
	if u.Hostname() == "" {
		return nil, fmt.Errorf("the platform's URL %q has no host: it must look like https://console-api.enforce.dev", u.Redacted())
	}

	options = append([]grpc.DialOption{
		grpc.WithUserAgent(userAgent),
		grpc.WithDisableServiceConfig(), // DNS must not be able to switch on retries of Create.
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswerBytes)),
	}, options...)

	switch u.Scheme {
	case "https":
		options = append(options, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
			MinVersion: tls.VersionTLS12,
			ServerName: u.Hostname(),
		})))
		return grpc.NewClient("dns:///"+net.JoinHostPort(u.Hostname(), portOr(u, "443")), options...)
	case "http":
		if !loopback.IsHost(u.Hostname()) {
			return nil, fmt.Errorf("the platform's URL %q is not encrypted: a bearer token is sent over http:// to loopback only", u.Redacted())
		}
		options = append(options,
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
				return loopback.Dial(ctx, "tcp", address)
			}))
		return grpc.NewClient("passthrough:///"+net.JoinHostPort(u.Hostname(), portOr(u, "80")), options...)
	default:
		return nil, fmt.Errorf("the platform's URL %q must start with https:// (or http:// for loopback)", u.Redacted())
	}
}

func portOr(u *url.URL, port string) string {
	if p := u.Port(); p != "" {
		return p
	}
	return port
}
