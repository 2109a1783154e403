package loopback

import (
	"net"
	"strings"
	"testing"
)

func TestIsHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"localhost":              true,
		"LocalHost":              true,
		"localhost.":             true,
		"api.localhost":          true,
		"127.0.0.1":              true,
		"127.9.9.9":              true,
		"::1":                    true,
		"::ffff:127.0.0.1":       true,
		"":                       false,
		"0.0.0.0":                false,
		"::":                     false,
		"10.0.0.1":               false,
		"169.254.169.254":        false,
		"api.example":            false,
		"localhost.evil.example": false,
		"notlocalhost":           false,
		"127.0.0.1.evil.example": false,
		"127.1":                  false,
		"2130706433":             false,
	} {
		if got := IsHost(host); got != want {
			t.Errorf("%q: %t, want %t", host, got, want)
		}
	}
}

func TestLoopback_dialsThisMachineOnly(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	conn, err := Dial(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatalf("loopback: %v", err)
	}
	_ = conn.Close()
	for _, address := range ownAddresses(t) {
		elsewhere, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
		if err != nil {
			continue
		}
		if _, err := Dial(t.Context(), "tcp", elsewhere.Addr().String()); err == nil || !strings.Contains(err.Error(), "not on this machine") {
			t.Errorf("%s is not loopback, but was dialled: %v", address, err)
		}
		_ = elsewhere.Close()
	}
}

// ownAddresses lists the addresses of this machine that others can reach.
func ownAddresses(t *testing.T) []string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Skip(err)
	}
	var own []string
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			own = append(own, n.IP.String())
		}
	}
	return own
}
