package rpc

import (
	"strings"
	"testing"
)

func TestDial_refusesPlaintextToOtherHosts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ url, want string }{
		"no scheme":                     {"console-api.enforce.dev", "no host"},
		"host and port only":            {"localhost:8080", "no host"},
		"empty":                         {"", "no host"},
		"other scheme":                  {"ftp://console-api.enforce.dev", "must start with https://"},
		"plaintext to the world":        {"http://console-api.enforce.dev", "not encrypted"},
		"plaintext to a private":        {"http://10.0.0.1:8080", "not encrypted"},
		"name that looks like loopback": {"http://localhost.example.com", "not encrypted"},
		"unreadable":                    {"https://user:hunter2@%zz", "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := Dial(test.url, "test")
			if err == nil {
				_ = conn.Close()
				t.Fatalf("Dial(%q) succeeded", test.url)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("Dial(%q): %v; want it to say %q", test.url, err, test.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error prints the password: %v", err)
			}
		})
	}
}

func TestDial_acceptsTLSAndLoopback(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"https://console-api.enforce.dev", "https://[2001:db8::1]:8443/", "http://localhost:1", "http://127.0.0.2:1",
		"http://[::1]:1", "http://api.localhost:1",
	} {
		conn, err := Dial(url, "test")
		if err != nil {
			t.Errorf("Dial(%q): %v", url, err)
			continue
		}
		_ = conn.Close()
	}
}

func TestDial_proxy_invalid(t *testing.T) {
	for value, ok := range map[string]bool{
		"": true, "http://proxy.example:3128": true, "proxy.example:3128": true, "socks5://proxy.example:1080": true,
		"http://[::1": false, "://nope": false, "proxy.example:notaport": false, "http://user:pa%ss@proxy:3128": false, "socks9://x:1": false,
	} {
		t.Setenv("HTTPS_PROXY", value)
		conn, err := Dial("https://console-api.example", "test")
		if err == nil {
			_ = conn.Close()
		}
		if (err == nil) != ok {
			t.Errorf("%q: %v", value, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "HTTPS_PROXY") || strings.Contains(err.Error(), "pa%ss")) {
			t.Errorf("%q: %v; want it to name the variable and not its value", value, err)
		}
	}
	t.Setenv("HTTPS_PROXY", "://nope")
	t.Setenv("NO_PROXY", "console-api.example")
	conn, err := Dial("https://console-api.example", "test")
	if err != nil {
		t.Fatalf("NO_PROXY exempts the API, but: %v", err)
	}
	_ = conn.Close()
}
