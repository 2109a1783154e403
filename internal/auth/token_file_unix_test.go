//go:build unix

package auth

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestIdentityToken_file_isAPipe(t *testing.T) {
	t.Parallel()
	pipe := func(b *bench) string {
		path := filepath.Join(b.TempDir(), "pipe")
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			b.Fatal(err)
		}
		set(&b.settings.IdentityToken, path)
		return path
	}
	for name, write := range map[string]func(path string){
		"without a writer": func(string) {},
		"with a writer that stays open": func(path string) {
			file, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err == nil {
				defer func() { _ = file.Close() }() // Keep it reachable: the garbage collector would close it.
				_, _ = file.WriteString("c4n4ry")
				<-t.Context().Done()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.settings.RequestTimeout = 50 * time.Millisecond
			go write(pipe(b))
			reason, _ := b.refusal(b.tokens(), "identity_token")
			contains(t, reason, "was not read to its end within 50ms", "a pipe that nothing writes to")
		})
	}
	t.Run("with a token", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		b.settings.Identity = b.emulator.AdminIdentity()
		path := pipe(b)
		go func() { _ = os.WriteFile(path, []byte(b.upstream()+"\n"), 0o600) }()
		if !b.works(b.token(b.tokens())) {
			t.Error("the platform does not accept the token")
		}
	})
}
