package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	oidc "chainguard.dev/sdk/proto/platform/oidc/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// signedInLongAgo stores an expired access token and a valid refresh token.
func (b *bench) signedInLongAgo(folder string) (refresh string) {
	b.Helper()
	access := b.emulator.Token(b.emulator.AdminIdentity(), b.settings.Audience, -time.Hour)
	refresh = b.emulator.RefreshToken(b.emulator.AdminIdentity(), 24*time.Hour)
	b.keep(folder, accessTokenFile, access)
	b.keep(folder, refreshTokenFile, refresh)
	return refresh
}

func TestRefreshToken_isSpentAndReplaced(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	folder := b.folder("")
	refresh := b.signedInLongAgo(folder)
	tokens := b.tokens()

	token := b.token(tokens)
	if !b.works(token) {
		t.Error("the platform does not accept the token")
	}
	if kept := b.kept(folder, accessTokenFile); kept != token {
		t.Error("the access token is not stored")
	}
	rotated := b.kept(folder, refreshTokenFile)
	if rotated == refresh || rotated == "" {
		t.Error("the next refresh token is not stored")
	}
	for _, r := range b.emulator.Requests() {
		if r.Method == "ExchangeRefreshToken" && !slices.Equal(r.Request.(*oidc.ExchangeRefreshTokenRequest).GetAud(), []string{b.settings.Audience}) {
			t.Errorf("asked for: %v", r.Request)
		}
	}
	if runtime.GOOS != "windows" {
		for _, file := range []string{accessTokenFile, refreshTokenFile} {
			if info, err := os.Stat(filepath.Join(folder, file)); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", file, info.Mode(), err)
			}
		}
	}
	leftBehind(t, folder)

	// The next refresh token works as well.
	b.clock.Advance(time.Hour)
	if next := b.token(tokens); next == token || !b.works(next) {
		t.Error("the rotated token is not spent at the next renewal")
	}
}

// leftBehind fails the test if a folder of the cache has unexpected files.
func leftBehind(t *testing.T, folder string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains([]string{accessTokenFile, refreshTokenFile, lockFile}, e.Name()) {
			t.Errorf("%s is left behind", e.Name())
		}
	}
}

func TestRefreshToken_beforeTheAccessTokenExpires(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	folder := b.folder("")
	b.signedInLongAgo(folder)
	b.keep(folder, accessTokenFile, b.emulator.Token(b.emulator.AdminIdentity(), b.settings.Audience, time.Hour))
	b.clock.Advance(59*time.Minute + 30*time.Second)
	old := b.kept(folder, accessTokenFile)
	if token := b.token(b.tokens()); token == old || !b.works(token) {
		t.Error("it is not refreshed")
	}
}

func TestRefreshToken_afterARefusal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	folder := b.folder("")
	b.signedInLongAgo(folder)
	b.keep(folder, accessTokenFile, b.emulator.AdminToken())
	tokens := b.tokens()
	revoked := b.token(tokens)
	b.emulator.RevokeTokens()
	tokens.Discard(revoked)
	if token := b.token(tokens); !b.works(token) {
		t.Error("the platform does not accept the token")
	}
}

func TestRefreshToken_ofAnIdentity(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.settings.Identity = b.emulator.AdminIdentity()
	b.signedInLongAgo(b.folder(b.settings.Identity))
	if !b.works(b.token(b.tokens())) {
		t.Error("its own: the platform does not accept the token")
	}

	b = newBench(t)
	b.settings.Identity = b.emulator.AdminIdentity()
	b.signedInLongAgo(b.folder(""))
	if !b.works(b.token(b.tokens())) {
		t.Error("latest sign-in of the identity: the platform does not accept the token")
	}

	b = newBench(t)
	b.settings.Identity = otherIdentity
	b.signedInLongAgo(b.folder(""))
	reason, _ := b.refusal(b.tokens(), "chainctl's refresh token")
	contains(t, reason, "is not known to be that of the identity "+otherIdentity)
	if b.emulator.Count("ExchangeRefreshToken") != 0 {
		t.Error("the refresh token of another identity was spent")
	}
}

func TestRefreshToken_notSpent(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		set   func(b *bench, folder string)
		want  string
		calls int
	}{
		"switched off": {
			set:  func(b *bench, _ string) { b.settings.UseRefreshToken = false },
			want: "switched off by default.use-refresh-token",
		},
		"none": {
			set:  func(b *bench, folder string) { remove(b.T, filepath.Join(folder, refreshTokenFile)) },
			want: "there is no ",
		},
		"over": {
			set: func(b *bench, folder string) {
				b.keep(folder, refreshTokenFile, base64.StdEncoding.EncodeToString([]byte(`{"exp":1000000000}`)))
			},
			want: "refresh-token expired at 2001-09-09T01:46:40Z",
		},
		"malformed": {
			set:  func(b *bench, folder string) { b.keep(folder, refreshTokenFile, "c4n4ry\n\x00c4n4ry") },
			want: "malformed",
		},
		"not known to the issuer": {
			set:   func(b *bench, folder string) { b.keep(folder, refreshTokenFile, "c4n4ry") },
			want:  "Unauthenticated",
			calls: 1,
		},
		"unavailable, which is not retried": {
			set: func(b *bench, _ string) {
				b.emulator.Inject(emulator.Fault{Method: "ExchangeRefreshToken", Code: codes.Unavailable, Message: "later"})
			},
			want:  "is unavailable: later",
			calls: 1,
		},
		"an answer without a token": {
			set: func(b *bench, _ string) {
				b.emulator.Inject(emulator.Fault{Method: "ExchangeRefreshToken", Mutate: func(m proto.Message) { m.(*oidc.TokenPair).Token = nil }})
			},
			want:  "an answer without a token",
			calls: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			folder := b.folder("")
			b.signedInLongAgo(folder)
			test.set(b, folder)
			reason, whole := b.refusal(b.tokens(), "chainctl's refresh token")
			contains(t, reason, test.want)
			if strings.Contains(whole, "c4n4ry") {
				t.Errorf("the error shows the token: %s", whole)
			}
			if got := b.emulator.Count("ExchangeRefreshToken"); got != test.calls {
				t.Errorf("%d calls, want %d", got, test.calls)
			}
			leftBehind(t, folder)
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func TestRefreshToken_notSpentIfTheNextCannotBeStored(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" || os.Getuid() == 0 {
		t.Skip("this user may write everywhere")
	}
	b := newBench(t)
	folder := b.folder("")
	refresh := b.signedInLongAgo(folder)
	if err := os.Chmod(folder, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(folder, 0o700) })
	reason, _ := b.refusal(b.tokens(), "chainctl's refresh token")
	contains(t, reason, "not spent", "permission denied")
	if b.kept(folder, refreshTokenFile) != refresh || b.emulator.Count("") != 0 {
		t.Error("it is spent")
	}
}

func TestRefreshToken_notSpentIfNoFileCanBeCreated(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	folder := b.folder("")
	b.signedInLongAgo(folder)
	// A folder in place of the lock file cannot be locked.
	if err := os.Mkdir(filepath.Join(folder, lockFile), 0o700); err != nil {
		t.Fatal(err)
	}
	reason, _ := b.refusal(b.tokens(), "chainctl's refresh token")
	contains(t, reason, "cannot be locked, so the refresh token is not spent")

	s := refreshToken{}
	if _, err := s.spend(t.Context(), filepath.Join(folder, "none"), "token"); err == nil || !strings.Contains(err.Error(), "cannot be written to") {
		t.Errorf("missing folder: %v", err)
	}
	if b.emulator.Count("") != 0 {
		t.Error("it is spent")
	}
}

func TestRefreshToken_isSpentOnceByManyProcesses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signedInLongAgo(b.folder(""))
	var wg sync.WaitGroup
	got := make([]string, 20)
	for i := range got {
		tokens := b.tokens() // The Tokens share nothing, like those of separate processes.
		wg.Go(func() {
			token, err := tokens.Token(b.Context())
			if err != nil {
				t.Errorf("%v", err)
				return
			}
			got[i] = token.AccessToken
		})
	}
	wg.Wait()
	if unique := len(slices.Compact(slices.Sorted(slices.Values(got)))); unique != 1 {
		t.Errorf("%d different tokens, want 1", unique)
	}
	if calls := b.emulator.Count("ExchangeRefreshToken"); calls != 1 {
		t.Errorf("spent %d times", calls)
	}
}

func TestRefreshToken_spentByChainctlInTheMeantime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	folder := b.folder("")
	b.signedInLongAgo(folder)
	fresh := b.emulator.Token(b.emulator.AdminIdentity(), b.settings.Audience, time.Hour)
	b.emulator.Inject(emulator.Fault{
		Method: "ExchangeRefreshToken", Code: codes.Unauthenticated, Message: "used before",
		Match: func(proto.Message) bool {
			b.keep(folder, accessTokenFile, fresh) // chainctl does not know our lock.
			return true
		},
	})
	if got := b.token(b.tokens()); got != fresh {
		t.Error("another token")
	}
}

func TestLock_isWaitedFor(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), lockFile)
	unlock, err := acquireLock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*lockPoll)
	defer cancel()
	if _, err := acquireLock(ctx, path); !errors.Is(err, errLocked) {
		t.Errorf("held: %v", err)
	}
	acquired := make(chan error)
	go func() {
		again, err := acquireLock(t.Context(), path)
		if err == nil {
			again()
		}
		acquired <- err
	}()
	unlock()
	if err := <-acquired; err != nil {
		t.Errorf("released: %v", err)
	}
}

func TestChainctlCache_replace_isAtomic(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, accessTokenFile)
	tokens := []string{strings.Repeat("a", 4096), strings.Repeat("b", 100), strings.Repeat("c", 9000)}
	if err := replace(folder, accessTokenFile, tokens[0]); err != nil {
		t.Fatal(err)
	}
	var (
		wg sync.WaitGroup
		mu sync.Mutex
	)
	for i := range 100 {
		wg.Go(func() {
			mu.Lock() // This stands in for the lock between processes.
			defer mu.Unlock()
			if err := replace(folder, accessTokenFile, tokens[i%len(tokens)]); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			data, err := os.ReadFile(path)
			if err != nil || !slices.Contains(tokens, string(data)) {
				t.Errorf("%d bytes, %v: neither the old token nor the new", len(data), err)
			}
		})
	}
	wg.Wait()
	leftBehind(t, folder)
}

func TestChainctlCache_save(t *testing.T) {
	t.Parallel()
	for _, refresh := range []string{"", "refresh"} {
		c := cache{dir: filepath.Join(t.TempDir(), "new"), files: tokenFiles{timeout: time.Minute}, tokenRequirements: tokenRequirements{audience: "https://api.example"}}
		if err := c.save(t.Context(), "access", refresh); err != nil {
			t.Fatal(err)
		}
		folders, err := c.folders()
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(folders[0])
		if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
			t.Errorf("folder: %v, %v", info, err)
		}
		if got, err := c.read(t.Context(), folders[0], accessTokenFile); err != nil || got != "access" {
			t.Errorf("access token: %q, %v", got, err)
		}
		if got, err := c.read(t.Context(), folders[0], refreshTokenFile); got != refresh {
			t.Errorf("refresh token: %q, %v", got, err)
		}
	}
	// A file in place of the cache folder makes save fail.
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "chainguard"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (cache{dir: dir, tokenRequirements: tokenRequirements{audience: "a"}}).save(t.Context(), "access", ""); err == nil {
		t.Error("saved in a file")
	}
}

func TestRefreshToken_leftToChainctl(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	folder := b.folder("")
	refresh := b.signedInLongAgo(folder)
	want := b.emulator.AdminToken()
	var fails error
	b.options.RunProgram = func(context.Context, string, ...string) ([]byte, []byte, error) { return []byte(want), nil, fails }
	if got := b.token(b.tokens()); got != want {
		t.Error("chainctl is not asked first")
	}
	fails = errors.New("exit status 1")
	reason, _ := b.refusal(b.tokens(), "chainctl's refresh token")
	contains(t, reason, "not spent", "only the chainctl program may")
	if b.kept(folder, refreshTokenFile) != refresh || b.emulator.Count("ExchangeRefreshToken") != 0 {
		t.Error("it is spent")
	}
}

// TestRefreshToken_interrupted checks that tokens are stored even if the caller gives up during the exchange.
func TestRefreshToken_interrupted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	folder := b.folder("")
	refresh := b.signedInLongAgo(folder)
	release := make(chan struct{})
	b.emulator.Inject(emulator.Fault{Method: "ExchangeRefreshToken", When: emulator.AfterCommit, Match: func(proto.Message) bool {
		<-release
		return false
	}})
	tokens := b.tokens()
	ctx, interrupt := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() { _, err := tokens.Token(ctx); failed <- err }()
	waitFor(t, func() bool { return b.emulator.Count("ExchangeRefreshToken") == 1 })
	interrupt()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	leftBehind(t, folder) // A process killed now leaves no temporary file.
	close(release)
	tokens.Wait(t.Context())
	if next := b.kept(folder, refreshTokenFile); next == refresh {
		t.Error("the next refresh token is lost")
	}
	leftBehind(t, folder)
	if !b.works(b.token(b.tokens())) {
		t.Error("the next run does not find the access token")
	}
	if got := b.emulator.Count("ExchangeRefreshToken"); got != 1 {
		t.Errorf("%d refreshes, want one", got)
	}
}

// A response may have the next refresh token without a usable access token.
func TestRefreshToken_storesTheNextOfAnUnusableResponse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	folder := b.folder("")
	refresh := b.signedInLongAgo(folder)
	b.emulator.Inject(emulator.Fault{Method: "ExchangeRefreshToken", Times: 1, Mutate: func(m proto.Message) { m.(*oidc.TokenPair).Token = nil }})
	reason, _ := b.refusal(b.tokens(), "chainctl's refresh token")
	contains(t, reason, "an answer without a token")
	if next := b.kept(folder, refreshTokenFile); next == refresh {
		t.Error("the next refresh token is lost")
	}
	if !b.works(b.token(b.tokens())) {
		t.Error("it cannot be spent")
	}
}

func TestRefreshToken_clearsWhatAKilledProcessLeft(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	folder := b.folder("")
	b.signedInLongAgo(folder)
	for _, file := range []string{accessTokenFile, refreshTokenFile} {
		if err := os.WriteFile(temporaryFile(folder, file), []byte("half a tok"), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	if !b.works(b.token(b.tokens())) {
		t.Error("the platform does not accept the token")
	}
	leftBehind(t, folder)
}
