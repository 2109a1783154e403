package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// farewellTimeout is how long to wait for the browser to load the page that confirms the sign-in.
const farewellTimeout = 2 * time.Second

// browser is the source that opens a browser for the user to sign in. It does not use the SDK's flow, which writes to
// stdout, opens the browser itself, and accepts a token from any page that calls back.
type browser struct{ person }

func (b browser) name() string { return "the browser" }

func (b browser) get(ctx context.Context) (token, error) {
	if b.settings.Login != config.LoginBrowser {
		return token{}, errors.New(`not opened, as login is not "browser" (in the provider block or CHAINGUARD_LOGIN)`)
	}
	ctx, cancel := context.WithTimeout(ctx, personTimeout)
	defer cancel()

	answers, err := newCallback(b.options.Secrets)
	if err != nil {
		return token{}, fmt.Errorf("no port could be opened on this machine for the answer: %s", quote(b.options.Secrets, err.Error()))
	}
	defer answers.close()

	page := b.signInURL(answers.url)
	noTerminal := b.show(page)
	if err := b.options.OpenBrowser(page); err != nil && noTerminal != nil {
		return token{}, fmt.Errorf(`no browser could be opened: %s. Set login = "headless", or run `+"`chainctl auth login --headless` first",
			quote(b.options.Secrets, err.Error()))
	}
	answer, err := answers.wait(ctx)
	if ctx.Err() != nil && err != nil {
		return token{}, absent(page)
	}
	if err != nil {
		return token{}, err
	}

	if err := usable(answer.access); err != nil {
		return token{}, fmt.Errorf("the issuer %s sent back a token %w", b.settings.Issuer, err)
	}
	issued, err := b.cache.check(answer.access)
	if err != nil {
		return token{}, fmt.Errorf("what the issuer %s sent back cannot be used: %w", b.settings.Issuer, err)
	}
	// Save the tokens for chainctl and the next run. This run works without it, so ignore the error.
	_ = b.cache.save(context.WithoutCancel(ctx), answer.access, answer.refresh)
	return issued, nil
}

// signInURL returns the URL of the page that signs the user in and then redirects the browser to the callback.
func (b browser) signInURL(callback string) string {
	query := b.identityProvider()
	query.Set("exit", "redirect")
	query.Set("redirect", callback)
	query.Set("audience", b.settings.Audience)
	if b.settings.Identity != "" {
		query.Set("identity", b.settings.Identity)
	} else if b.settings.UseRefreshToken {
		// An assumed identity cannot have a refresh token.
		query.Set("create_refresh_token", "true")
	}
	return b.settings.Issuer + "/oauth?" + query.Encode()
}

// signedIn is the issuer's answer, received through the browser.
type signedIn struct {
	access  string
	refresh string // empty if none was asked for
	err     error
}

// callback is a local HTTP server that the issuer redirects the browser to after sign-in.
type callback struct {
	url     string // of the redirect
	host    string // the only Host header that is accepted
	state   string // proves that an answer belongs to this sign-in
	server  *http.Server
	secrets *redact.Secrets

	once     sync.Once
	answer   chan signedIn
	farewell chan struct{} // closed when the last page has been sent
	goodbye  sync.Once
}

func newCallback(secrets *redact.Secrets) (*callback, error) {
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return nil, err
	}
	c := &callback{
		// The issuer allows redirects to chainctl's callback, which uses this name.
		host:     net.JoinHostPort("localhost", port),
		state:    rand.Text(),
		secrets:  secrets,
		answer:   make(chan signedIn, 1),
		farewell: make(chan struct{}),
	}
	// The issuer fills in "token" and "error", and returns other parameters unchanged. Without the state, any web page
	// could sign the user in with another account.
	c.url = "http://" + c.host + "/callback?" + url.Values{"token": {"true"}, "error": {"true"}, "state": {c.state}}.Encode()

	routes := http.NewServeMux()
	routes.HandleFunc("GET /callback", c.receive)
	routes.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		c.sayGoodbye(w, "Terraform is signed in to Chainguard. You can close this window.")
	})
	c.server = &http.Server{
		Handler:           c.guard(routes),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // The default is stderr.
	}
	go func() { _ = c.server.Serve(listener) }() // Serve returns when close is called.
	return c, nil
}

// guard rejects requests for another host name, such as those of DNS rebinding, and keeps the URL, which has the token,
// out of caches and Referer headers.
func (c *callback) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != c.host {
			http.Error(w, "wrong host", http.StatusMisdirectedRequest)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		next.ServeHTTP(w, r)
	})
}

// receive handles the redirect from the issuer.
func (c *callback) receive(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(c.state)) != 1 {
		http.Error(w, "This is not the answer to the question that Terraform asked.", http.StatusForbidden)
		return
	}
	answer := signedIn{access: query.Get("token"), refresh: query.Get("refresh_token")}
	c.secrets.Add(answer.access)
	c.secrets.Add(answer.refresh)
	if answer.access == "" {
		reason := quote(c.secrets, query.Get("error"))
		if query.Get("status_code") == fmt.Sprint(http.StatusNotFound) {
			reason = "there is no such account: register it first, or accept an invite with `chainctl auth login --invite-code`"
		}
		answer = signedIn{err: errors.New("the issuer did not sign you in: " + strings.TrimSpace(reason))}
	}
	c.once.Do(func() { c.answer <- answer })
	if answer.err != nil {
		c.sayGoodbye(w, "Terraform was not signed in to Chainguard, and says why.")
		return
	}
	// Redirect so that the token does not stay in the address bar and the history.
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// sayGoodbye responds with the last page.
func (c *callback) sayGoodbye(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(text + "\n"))
	c.goodbye.Do(func() { close(c.farewell) })
}

// wait waits for the answer, and then for the browser to load the last page.
func (c *callback) wait(ctx context.Context) (signedIn, error) {
	var answer signedIn
	select {
	case <-ctx.Done():
		return signedIn{}, ctx.Err()
	case answer = <-c.answer:
	}
	select {
	case <-c.farewell:
	case <-ctx.Done():
	case <-time.After(farewellTimeout):
	}
	return answer, answer.err
}

func (c *callback) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if c.server.Shutdown(ctx) != nil {
		_ = c.server.Close()
	}
}
