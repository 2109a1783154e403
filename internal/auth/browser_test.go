package auth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// visitor stands in for the browser and its user. It follows redirects as a browser does.
type visitor struct {
	bench  *bench
	opened []*url.URL
	pages  chan string // the last page loaded
	last   chan *url.URL
}

func newVisitor(b *bench) *visitor {
	p := &visitor{bench: b, pages: make(chan string, 1), last: make(chan *url.URL, 1)}
	b.settings.Login = config.LoginBrowser
	b.options.OpenBrowser = p.open
	return p
}

// open loads a page in the background, as a browser that is already running does.
func (p *visitor) open(page string) error {
	u, err := url.Parse(page)
	if err != nil {
		return err
	}
	p.opened = append(p.opened, u)
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	go func() {
		client := &http.Client{Jar: jar}
		response, err := client.Get(page)
		if err != nil {
			p.bench.Errorf("the browser: %v", err)
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			p.bench.Errorf("the browser: %v", err)
		}
		p.last <- response.Request.URL
		p.pages <- string(body)
	}()
	return nil
}

func TestBrowser_signIn(t *testing.T) {
	t.Parallel()
	const idp = "3333333333333333333333333333333333333333/3333333333333333"
	for name, test := range map[string]struct {
		set  func(b *bench)
		want url.Values
	}{
		"by default":             {want: url.Values{"client_id": {"auth0"}, "create_refresh_token": {"true"}}},
		"by Google":              {set: func(b *bench) { b.settings.SocialLogin = "google" }, want: url.Values{"client_id": {"auth0"}, "connection": {"google-oauth2"}, "create_refresh_token": {"true"}}},
		"by GitHub":              {set: func(b *bench) { b.settings.SocialLogin = "github" }, want: url.Values{"client_id": {"auth0"}, "connection": {"github"}, "create_refresh_token": {"true"}}},
		"by email":               {set: func(b *bench) { b.settings.SocialLogin = "email" }, want: url.Values{"client_id": {"auth0"}, "create_refresh_token": {"true"}}},
		"by identity provider":   {set: func(b *bench) { b.settings.IdentityProvider = idp }, want: url.Values{"idp_id": {idp}, "create_refresh_token": {"true"}}},
		"by organization":        {set: func(b *bench) { b.settings.OrgName = "acme.example" }, want: url.Values{"idp_id": {"acme.example"}, "create_refresh_token": {"true"}}},
		"without refresh tokens": {set: func(b *bench) { b.settings.UseRefreshToken = false }, want: url.Values{"client_id": {"auth0"}}},
		"as an identity, which has no refresh token": {
			set:  func(b *bench) { b.settings.Identity = b.emulator.AdminIdentity() },
			want: url.Values{"client_id": {"auth0"}, "identity": {"IDENTITY"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			p := newVisitor(b)
			if test.set != nil {
				test.set(b)
			}
			tokens := b.tokens()
			token := b.token(tokens)
			if !b.works(token) {
				t.Error("the platform does not accept the token")
			}

			contains(t, <-p.pages, "signed in to Chainguard")
			if last := <-p.last; last.Path != "/" || last.RawQuery != "" {
				t.Errorf("the token is left in the address bar: %s", last.Path)
			}
			query := p.opened[0].Query()
			if got := "http://" + p.opened[0].Host + p.opened[0].Path; got != b.settings.Issuer+"/oauth" {
				t.Errorf("opened %s", got)
			}
			if query.Get("exit") != "redirect" || query.Get("audience") != b.settings.Audience ||
				!strings.HasPrefix(query.Get("redirect"), "http://localhost:") {
				t.Errorf("query: %v", query)
			}
			for _, name := range []string{"client_id", "connection", "idp_id", "identity", "create_refresh_token"} {
				want := test.want.Get(name)
				if want == "IDENTITY" {
					want = b.settings.Identity
				}
				if query.Get(name) != want {
					t.Errorf("%s is %q, want %q", name, query.Get(name), want)
				}
			}

			// chainctl and the next run use the cached tokens.
			folder := b.folder(b.settings.Identity)
			if b.kept(folder, accessTokenFile) != token {
				t.Error("the token is not cached")
			}
			if test.want.Has("create_refresh_token") {
				b.clock.Advance(time.Hour)
				if next := b.token(tokens); next == token || !b.works(next) || len(p.opened) != 1 {
					t.Errorf("the refresh token is not cached: %d browsers opened", len(p.opened))
				}
			}
		})
	}
}

func TestBrowser_fails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		set  func(b *bench, p *visitor)
		want string
		page string
	}{
		"an organization that is not verified": {
			set:  func(b *bench, _ *visitor) { b.settings.OrgName = "other.example" },
			want: "there is no such account",
			page: "was not signed in",
		},
		"an identity that does not exist": {
			set:  func(b *bench, _ *visitor) { b.settings.Identity = otherIdentity },
			want: "there is no such account",
			page: "was not signed in",
		},
		"no browser": {
			set: func(b *bench, _ *visitor) {
				b.options.OpenBrowser = func(string) error { return errors.New("no\x1bscreen") }
			},
			want: "no browser could be opened: no\\u001bscreen",
		},
		"switched off": {
			set:  func(b *bench, _ *visitor) { b.settings.Login = config.LoginNever },
			want: `login is not "browser"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			p := newVisitor(b)
			test.set(b, p)
			tokens := b.tokens()
			for range 3 { // A second resource must not open a second window.
				reason, _ := b.refusal(tokens, "the browser")
				contains(t, reason, test.want)
			}
			if test.page != "" {
				contains(t, <-p.pages, test.page)
				if len(p.opened) != 1 {
					t.Errorf("%d windows opened, want one", len(p.opened))
				}
			}
		})
	}
}

// answer installs a browser that calls the callback, after the test has changed its URL.
func answer(b *bench, change func(callback *url.URL, query url.Values)) chan int {
	b.settings.Login = config.LoginBrowser
	status := make(chan int, 1)
	b.options.OpenBrowser = func(page string) error {
		u, err := url.Parse(page)
		if err != nil {
			return err
		}
		callback, err := url.Parse(u.Query().Get("redirect"))
		if err != nil {
			return err
		}
		query := callback.Query()
		query.Del("token")
		query.Del("error")
		change(callback, query)
		callback.RawQuery = query.Encode()
		go func() {
			request, err := http.NewRequest(http.MethodGet, callback.String(), nil)
			if err != nil {
				b.Error(err)
				return
			}
			if callback.Fragment != "" {
				request.Host = callback.Fragment
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				b.Error(err)
				return
			}
			_ = response.Body.Close()
			status <- response.StatusCode
		}()
		return nil
	}
	return status
}

func TestBrowser_callback_refusesOthers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(callback *url.URL, query url.Values)
		status int
	}{
		"no state":     {func(_ *url.URL, q url.Values) { q.Del("state") }, http.StatusForbidden},
		"other state":  {func(_ *url.URL, q url.Values) { q.Set("state", "guessed") }, http.StatusForbidden},
		"other host":   {func(u *url.URL, _ url.Values) { u.Fragment = "evil.example" }, http.StatusMisdirectedRequest},
		"another page": {func(u *url.URL, _ url.Values) { u.Path = "/favicon.ico" }, http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			status := answer(b, func(u *url.URL, q url.Values) {
				q.Set("token", b.emulator.AdminToken())
				test.change(u, q)
			})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { _, err := b.tokens().Token(ctx); done <- err }()
			if got := <-status; got != test.status {
				t.Errorf("status %d, want %d", got, test.status)
			}
			select {
			case err := <-done:
				t.Errorf("it was accepted as the answer: %v", err)
			default:
			}
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestBrowser_callback_unusable(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		query url.Values
		want  string
	}{
		"an error":                       {url.Values{"error": {"try \x1blater " + jwt(`{"sub":"c4n4ry"}`)}, "status_code": {"500"}}, "did not sign you in: try \\u001blater (redacted)"},
		"an account that does not exist": {url.Values{"error": {"x"}, "status_code": {"404"}}, "no such account"},
		"nothing":                        {url.Values{}, "did not sign you in"},
		"a token for someone else":       {url.Values{"token": {jwt(`{"aud":"https://elsewhere.example","sub":"c4n4ry","exp":4000000000}`)}}, "another audience"},
		"a token that is malformed":      {url.Values{"token": {"c4n4ry"}}, "malformed"},
		"a token with spaces":            {url.Values{"token": {"c4n4ry and c4n4ry"}}, "a token with spaces"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			answer(b, func(_ *url.URL, q url.Values) {
				for name, values := range test.query {
					q[name] = values
				}
			})
			reason, whole := b.refusal(b.tokens(), "the browser")
			contains(t, reason, test.want)
			if strings.Contains(whole, "c4n4ry") || strings.Contains(whole, "eyJ") || strings.Contains(whole, "\x1b") {
				t.Errorf("the error shows a secret: %q", whole)
			}
		})
	}
}

func TestBrowser_callback_timesOut(t *testing.T) {
	t.Parallel()
	c, err := newCallback(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := c.wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestBrowser_callback_isClosed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := newVisitor(b)
	b.token(b.tokens())
	<-p.pages
	callback := p.opened[0].Query().Get("redirect")
	waitFor(t, func() bool {
		response, err := http.Get(callback)
		if err == nil {
			_ = response.Body.Close()
		}
		return err != nil
	})
}

func TestBrowserCommands(t *testing.T) {
	t.Parallel()
	const page = "https://a.example/?b&c"
	for name, test := range map[string]struct {
		goos string
		env  map[string]string
		want []string
	}{
		"Linux with X":                {"linux", map[string]string{"DISPLAY": ":0"}, []string{"xdg-open " + page}},
		"Linux with Wayland":          {"linux", map[string]string{"WAYLAND_DISPLAY": "wayland-0"}, []string{"xdg-open " + page}},
		"FreeBSD":                     {"freebsd", map[string]string{"DISPLAY": ":0"}, []string{"xdg-open " + page}},
		"Linux without a display":     {"linux", nil, nil},
		"macOS":                       {"darwin", nil, []string{"open " + page}},
		"Windows":                     {"windows", nil, []string{"rundll32 url.dll,FileProtocolHandler " + page}},
		"WSL":                         {"linux", map[string]string{"WSL_DISTRO_NAME": "Ubuntu"}, []string{"wslview " + page, "rundll32.exe url.dll,FileProtocolHandler " + page}},
		"BROWSER":                     {"linux", map[string]string{"BROWSER": "firefox"}, []string{"firefox " + page}},
		"BROWSER before the system's": {"linux", map[string]string{"BROWSER": "firefox", "DISPLAY": ":0"}, []string{"firefox " + page, "xdg-open " + page}},
		"BROWSER with several":        {"linux", map[string]string{"BROWSER": "a --open %s -x:b -y"}, []string{"a --open " + page + " -x", "b -y " + page}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, command := range browserCommands(test.goos, func(name string) string { return test.env[name] }, page) {
				got = append(got, strings.Join(command, " "))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestBrowser_launch_fails(t *testing.T) {
	t.Parallel()
	if err := launch(exec.Command("browser-that-is-not-there"), time.Minute); err == nil {
		t.Error("missing program: no error")
	}
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	if err := launch(exec.Command("sh", "-c", "exit 3"), time.Minute); err == nil {
		t.Error("fails at once: no error")
	}
	if err := launch(exec.Command("sh", "-c", "exit 0"), time.Minute); err != nil {
		t.Errorf("exits after opening a running browser: %v", err)
	}
}

func TestBrowser_launch_inTheForeground(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	command := exec.Command("sleep", "60")
	if err := launch(command, time.Millisecond); err != nil {
		t.Error(err)
	}
	_ = command.Process.Kill()
}

// TestTokens_areNeverShownInErrors makes every source fail, with a different secret in each and an STS that repeats
// what it was sent.
func TestTokens_areNeverShownInErrors(t *testing.T) {
	t.Parallel()
	canary := func(name string) string { return jwt(`{"sub":"c4n4ry-` + name + `","exp":4000000000,"aud":"x"}`) }
	b := newBench(t)
	newGitHub(b, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"value":"` + canary("github") + `"}`))
	})
	b.variables["TFC_WORKLOAD_IDENTITY_TOKEN"] = canary("hcp")
	b.keep(b.folder(b.settings.Identity), accessTokenFile, canary("access"))
	b.keep(b.folder(b.settings.Identity), refreshTokenFile, "c4n4ry-refresh")
	b.options.RunProgram = func(context.Context, string, ...string) ([]byte, []byte, error) {
		return []byte(canary("chainctl")), []byte(canary("chainctl")), errors.New(canary("chainctl"))
	}
	b.settings.Login = config.LoginBrowser
	b.options.OpenBrowser = func(string) error { return errors.New(canary("browser")) }
	echo := strings.Join([]string{canary("github"), canary("hcp"), canary("access"), "c4n4ry-refresh"}, " ")
	b.emulator.Inject(emulator.Fault{Method: "Exchange", Code: codes.Unauthenticated, Message: "refused: " + echo})
	b.emulator.Inject(emulator.Fault{Method: "ExchangeRefreshToken", Code: codes.Unauthenticated, Message: "refused: c4n4ry-refresh"})

	check := func(t *testing.T, err error, secrets ...string) {
		t.Helper()
		if err == nil {
			t.Fatal("no error")
		}
		// Errors may show claims of an OIDC token, which help to set up the identity.
		for _, secret := range append(secrets, "eyJ") {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s is shown: %v", secret, err)
			}
		}
	}
	_, err := b.tokens().Token(t.Context())
	check(t, err, "c4n4ry-access", "c4n4ry-chainctl", "c4n4ry-browser", gitHubBearer, canary("github"), canary("hcp"))

	set(&b.settings.IdentityToken, canary("identity"))
	_, err = b.tokens().Token(t.Context())
	check(t, err, canary("identity"))

	set(&b.settings.Token, canary("token"))
	tokens := b.tokens()
	tokens.Discard(b.token(tokens))
	_, err = tokens.Token(t.Context())
	check(t, err, "c4n4ry-token")

	expired := from(clock.NewFake(time.Unix(4_000_000_001, 0)), staticToken{value: canary("token"), requirements: tokenRequirements{clock: clock.NewFake(time.Unix(4_000_000_001, 0)), refused: func(string) bool { return false }}})
	_, err = expired.Token(t.Context())
	check(t, err, "c4n4ry-token")
}
