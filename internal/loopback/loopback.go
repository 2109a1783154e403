// Package loopback knows what is on this machine, which is where tokens may go without encryption: no one can
// read what stays on it, and a platform that runs here, as in tests, has no certificate.
//
// This machine is "localhost", every name below that, and the loopback addresses. Its other addresses are not: another
// machine can have them tomorrow. A name is a promise that a resolver may break, so that it takes [Dial], too.
package loopback

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// IsHost reports whether host, as it stands in a URL, names this machine.
func IsHost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

// Dial connects to address, and gives up unless the other end really is on this machine, whatever its name resolved to.
func Dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if remote, ok := conn.RemoteAddr().(*net.TCPAddr); !ok || !remote.IP.IsLoopback() {
		_ = conn.Close()
		return nil, fmt.Errorf("%s is not on this machine, and a token is not sent anywhere else without encryption", address)
	}
	return conn, nil
}
