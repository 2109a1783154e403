package emulator

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Environment returns what points a client at the emulator: where it is, and a token for AdminIdentity.
func (e *Emulator) Environment() map[string]string {
	return map[string]string{
		"CHAINGUARD_PLATFORM_API":      e.URL(),
		"CHAINGUARD_PLATFORM_ISSUER":   e.URL(),
		"CHAINGUARD_PLATFORM_AUDIENCE": e.Audience(),
		"CHAINGUARD_TOKEN":             e.AdminToken(),
	}
}

// The files in which chainctl keeps tokens.
const (
	AccessTokenFile  = "oidc-token"
	RefreshTokenFile = "refresh-token"
)

// CacheToken writes a token for the emulator where chainctl would: to one of its files below the user's cache
// directory.
func (e *Emulator) CacheToken(cacheDir, file, token string) error {
	name := strings.ReplaceAll(e.Audience(), "/", "-")
	if runtime.GOOS == "windows" {
		name = strings.ReplaceAll(name, ":", "-") // A file cannot be called that there.
	}
	folder := filepath.Join(cacheDir, "chainguard", name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, file), []byte(token), 0o600)
}
