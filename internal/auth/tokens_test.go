package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
)

func TestTokens_Token_renewsShortlyBeforeExpiry(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lifetime time.Duration
		kept     time.Duration // when the first token is still used
		renewed  time.Duration // when it has been renewed
	}{
		"an hour: a minute before":         {time.Hour, 59*time.Minute - time.Second, 59 * time.Minute},
		"two minutes: a minute before":     {2 * time.Minute, 59 * time.Second, time.Minute},
		"a minute: with a fifth left":      {time.Minute, 47 * time.Second, 48 * time.Second},
		"five seconds: with a second left": {5 * time.Second, 3999 * time.Millisecond, 4 * time.Second},
		"one second: with a fifth left":    {time.Second, 799 * time.Millisecond, 800 * time.Millisecond},
		"no expiry: never":                 {0, 1000 * time.Hour, 0},
		"an expired token: at every call":  {-time.Hour, 0, time.Nanosecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := clock.NewFake(start)
			source := counted(c, test.lifetime)
			if test.lifetime < 0 {
				source.give = func(context.Context) (token, error) {
					return token{access: fmt.Sprintf("token-%d", source.count()), expiry: c.Now(), lifetime: time.Hour}, nil
				}
			}
			tokens := from(c, source)
			get := func() string {
				t.Helper()
				token, err := tokens.Token(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return token.AccessToken
			}
			get()
			if test.kept > 0 {
				c.Set(start.Add(test.kept))
				if got := get(); got != "token-1" {
					t.Errorf("after %s: %s, want the first token", test.kept, got)
				}
			}
			if test.renewed > 0 {
				c.Set(start.Add(test.renewed))
				if got := get(); got != "token-2" {
					t.Errorf("after %s: %s, want the second token", test.renewed, got)
				}
			}
		})
	}
}

func TestTokens_Token_renewsOnceForAllCallers(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start)
	source := counted(c, time.Hour)
	tokens := from(c, source)

	all := func(want string) {
		t.Helper()
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				token, err := tokens.Token(t.Context())
				if err != nil || token.AccessToken != want {
					t.Errorf("%+v, %v; want %s", token, err, want)
				}
				token.AccessToken = "" // Each caller gets its own copy.
			})
		}
		wg.Wait()
	}
	all("token-1")
	all("token-1")
	c.Advance(time.Hour)
	all("token-2")
	if got := source.count(); got != 2 {
		t.Errorf("%d renewals, want 2", got)
	}
}

func TestTokens_Discard_replacesATokenOnce(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start)
	source := counted(c, time.Hour)
	tokens := from(c, source)
	for _, step := range []struct{ discard, want string }{
		{"", "token-1"},
		{"token-1", "token-2"},
		{"token-1", "token-2"}, // A call still used token-1, which has already been replaced.
		{"token-7", "token-2"},
		{"token-2", "token-3"},
	} {
		tokens.Discard(step.discard)
		if token, err := tokens.Token(t.Context()); err != nil || token.AccessToken != step.want {
			t.Errorf("discarded %q: %+v, %v; want %s", step.discard, token, err, step.want)
		}
	}
}

func TestTokens_Discard_skipsASourceThatRepeatsIt(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start)
	stubborn := &fakeSource{label: "stubborn", give: func(context.Context) (token, error) { return token{access: "same"}, nil }}
	tokens := from(c, stubborn, counted(c, time.Hour))
	if _, err := tokens.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	tokens.Discard("same")
	if token, err := tokens.Token(t.Context()); err != nil || token.AccessToken != "token-1" {
		t.Errorf("%+v, %v; want that of the next source", token, err)
	}
}

func TestTokens_Discard_duringARenewal(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start)
	var tokens *Tokens
	source := counted(c, time.Hour)
	give := source.give
	source.give = func(ctx context.Context) (token, error) {
		if source.count() == 2 {
			// The source still returns token-1 while a call with it is rejected.
			tokens.Discard("token-1")
			return token{access: "token-1"}, nil
		}
		return give(ctx)
	}
	tokens = from(c, source)
	if _, err := tokens.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Advance(59*time.Minute + time.Second)
	// No source has a token yet, but one will later.
	_, _ = tokens.Token(t.Context())
	c.Advance(failureMemory)
	if token, err := tokens.Token(t.Context()); err != nil || token.AccessToken != "token-3" {
		t.Errorf("%+v, %v; want token-3", token, err)
	}
}

func TestTokens_Token_endsWithItsOwnContextOnly(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start)
	entered, release := make(chan struct{}), make(chan struct{})
	source := &fakeSource{label: "slow", give: func(ctx context.Context) (token, error) {
		close(entered)
		select {
		case <-release:
			return token{access: "token"}, nil
		case <-ctx.Done():
			return token{}, ctx.Err()
		}
	}}
	tokens := from(c, source)

	patient := make(chan error, 1)
	impatientCtx, cancel := context.WithCancel(t.Context())
	impatient := make(chan error, 1)
	go func() {
		_, err := tokens.Token(impatientCtx) // This caller starts the renewal.
		impatient <- err
	}()
	<-entered
	go func() {
		_, err := tokens.Token(t.Context())
		patient <- err
	}()
	waitFor(t, func() bool {
		tokens.mu.Lock()
		defer tokens.mu.Unlock()
		return tokens.renewal != nil && tokens.renewal.waiters == 2
	})

	cancel()
	if err := <-impatient; !errors.Is(err, context.Canceled) {
		t.Errorf("the impatient one: %v", err)
	}
	close(release)
	if err := <-patient; err != nil {
		t.Errorf("the patient one: %v", err)
	}
}

func TestTokens_Token_cancelsARenewalWhenTheLastCallerLeaves(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start)
	entered, mayEnd := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	running, overlap := 0, false
	source := &fakeSource{label: "slow"}
	source.give = func(ctx context.Context) (token, error) {
		mu.Lock()
		running++
		overlap = overlap || running > 1
		mu.Unlock()
		defer func() { mu.Lock(); running--; mu.Unlock() }()
		if source.count() == 1 {
			close(entered)
			<-ctx.Done() // The renewal is canceled,
			<-mayEnd     // but does not return at once.
			return token{}, ctx.Err()
		}
		return token{access: "token"}, nil
	}
	tokens := from(c, source)

	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() { _, err := tokens.Token(ctx); first <- err }()
	<-entered
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the first: %v", err)
	}

	second := make(chan error, 1)
	go func() { _, err := tokens.Token(t.Context()); second <- err }()
	waitFor(t, func() bool {
		tokens.mu.Lock()
		defer tokens.mu.Unlock()
		return tokens.renewal != nil
	})
	close(mayEnd)
	if err := <-second; err != nil {
		t.Errorf("the second: %v", err)
	}
	if overlap {
		t.Error("two renewals at a time")
	}
}

func TestTokens_Token_withAnEndedContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	source := counted(clock.NewFake(start), time.Hour)
	if _, err := from(clock.NewFake(start), source).Token(ctx); !errors.Is(err, context.Canceled) || source.count() > 0 {
		t.Errorf("%v, %d calls", err, source.count())
	}
}

func TestTokens_Token_remembersAFailure(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start)
	source := &fakeSource{label: "broken", give: func(context.Context) (token, error) { return token{}, errors.New("no") }}
	tokens := from(c, source)
	for range 50 {
		if _, err := tokens.Token(t.Context()); err == nil {
			t.Fatal("got a token without a source")
		}
	}
	if source.count() != 1 {
		t.Errorf("%d immediate tries, want one", source.count())
	}
	c.Advance(failureMemory)
	source.give = func(context.Context) (token, error) { return token{access: "token"}, nil }
	if _, err := tokens.Token(t.Context()); err != nil {
		t.Errorf("the failure is remembered for too long: %v", err)
	}
}

func TestTokens_Token_usesUpATokenThatCannotBeRenewed(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start)
	source := counted(c, time.Hour)
	tokens := from(c, source)
	if _, err := tokens.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	source.give = func(context.Context) (token, error) { return token{}, errors.New("the issuer is down") }

	c.Set(start.Add(59*time.Minute + 30*time.Second))
	for range 10 {
		if token, err := tokens.Token(t.Context()); err != nil || token.AccessToken != "token-1" {
			t.Errorf("in its last half minute: %+v, %v", token, err)
		}
	}
	if got := source.count(); got != 2 {
		t.Errorf("%d calls, want one retry only", got)
	}
	c.Set(start.Add(time.Hour))
	if _, err := tokens.Token(t.Context()); err == nil {
		t.Error("after its expiry: no error")
	}
}

func TestTokens_Token_fallsBackToATokenThatExpiresSoon(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start)
	expiring := &fakeSource{label: "cache", give: func(context.Context) (token, error) {
		return token{access: "expiring", expiry: start.Add(40 * time.Second), lifetime: time.Hour}, nil
	}}
	if token, err := from(c, expiring, counted(c, time.Hour)).Token(t.Context()); err != nil || token.AccessToken != "token-1" {
		t.Errorf("with a better one: %+v, %v", token, err)
	}
	broken := &fakeSource{label: "broken", give: func(context.Context) (token, error) { return token{}, errors.New("no") }}
	tokens := from(c, expiring, broken)
	for range 5 {
		if token, err := tokens.Token(t.Context()); err != nil || token.AccessToken != "expiring" {
			t.Errorf("without: %+v, %v", token, err)
		}
	}
	if broken.count() != 1 {
		t.Errorf("the sources were tried %d times, want once", broken.count())
	}
}

func TestError_listsEachSourceInOrder(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, err := b.tokens().Token(t.Context())
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%v", err)
	}
	want := []string{
		"token", "identity_token", "OIDC token of the machine", "chainctl's cached token", "the chainctl program",
		"chainctl's refresh token", "the browser", "headless sign-in",
	}
	var got []string
	for _, a := range e.Attempts {
		got = append(got, a.Source)
		if a.Reason == "" {
			t.Errorf("%s: no reason", a.Source)
		}
	}
	if strings.Join(got, ",") != strings.Join(want, ",") {
		t.Errorf("sources %q, want %q", got, want)
	}
	contains(t, err.Error(), "chainctl auth login --audience "+b.settings.Audience, "CHAINGUARD_TOKEN", "CHAINGUARD_IDENTITY_TOKEN",
		"no identity is set", "oidc-token", "refresh-token", "PATH", `login is not "browser"`)
	if got := b.emulator.Count(""); got != 0 {
		t.Errorf("%d calls of the platform, want none", got)
	}
}

func TestOptions_defaultToTheRealWorld(t *testing.T) {
	t.Parallel()
	o := Options{}.withDefaults()
	if o.Clock == nil || o.Secrets == nil || o.Environment.Getenv == nil || o.RunProgram == nil || o.OpenBrowser == nil || o.OpenTerminal == nil {
		t.Errorf("something is missing: %+v", o)
	}
	if New(config.Settings{Token: "x"}, Options{}) == nil {
		t.Error("nothing")
	}
}

// waitFor waits for another goroutine to get this far.
func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); {
		if time.Now().After(deadline) {
			t.Fatal("timed out")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestTokens_areNotPrinted(t *testing.T) {
	t.Parallel()
	const secret = "a-token-that-is-not-to-be-seen"
	settings := config.Settings{Audience: "https://api.example"}
	set(&settings.Token, secret)
	tokens := New(settings, Options{})
	if _, err := tokens.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("", "tokens", tokens)
	for _, text := range []string{fmt.Sprintf("%v", tokens), fmt.Sprintf("%+v", tokens), fmt.Sprintf("%#v", tokens), fmt.Sprintf("%s", tokens), log.String()} {
		if strings.Contains(text, secret) || !strings.Contains(text, "https://api.example") {
			t.Errorf("tokens print as %q", text)
		}
	}
}

func TestTokens_Token_saysThatChainctlsSessionEnded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.keep(b.folder(""), accessTokenFile, b.emulator.Token(b.emulator.AdminIdentity(), b.settings.Audience, time.Hour))
	tokens := b.tokens()
	b.token(tokens)
	b.clock.Advance(24 * time.Hour)
	reason, whole := b.refusal(tokens, "chainctl's cached token")
	contains(t, whole, "chainctl's session ended during this run", "chainctl iam auth-policy", "chainctl auth login", "set the provider's identity")
	contains(t, reason, "expired at", "(this machine's clock says 2026-03-02T12:00:00Z)")

	// A run without a session must not report that one ended.
	_, whole = b.refusal(b.tokens(), "chainctl's cached token")
	if strings.Contains(whole, "session ended") {
		t.Errorf("it was not signed in before: %s", whole)
	}
}

// A remaining caller, such as a shared lookup, must not delay the exit of the process.
func TestTokens_Wait_cancelsTheRenewal(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	tokens := from(clock.NewFake(start), &fakeSource{label: "browser", give: func(ctx context.Context) (token, error) {
		close(entered)
		<-ctx.Done()
		return token{}, ctx.Err()
	}})
	failed := make(chan error, 1)
	go func() {
		_, err := tokens.Token(t.Context())
		failed <- err
	}()
	<-entered
	tokens.Wait(t.Context())
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("want the error of a renewal that was canceled, got: %v", err)
	}
}

func TestTokens_Wait(t *testing.T) {
	t.Parallel()
	c := clock.NewFake(start)

	// There is no renewal to wait for.
	from(c).Wait(t.Context())

	// The callers of this renewal have left, but it does not return at once.
	entered, release, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	tokens := from(c, &fakeSource{label: "spending", give: func(context.Context) (token, error) {
		close(entered)
		<-release
		close(ended)
		return token{access: "access"}, nil
	}})
	caller, leave := context.WithCancel(t.Context())
	go func() { _, _ = tokens.Token(caller) }()
	<-entered
	leave()

	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	tokens.Wait(ctx)
	if ctx.Err() == nil {
		t.Error("it was not waited for")
	}
	close(release)
	tokens.Wait(t.Context())
	select {
	case <-ended:
	default:
		t.Error("it was not waited for to its end")
	}
}
