package emulator

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Environment returns the environment variables that point a client at the emulator, signed in as AdminIdentity.
func (e *Emulator) Environment() map[string]string {
	return map[string]string{
		"CHAINGUARD_PLATFORM_API":      e.URL(),
		"CHAINGUARD_PLATFORM_ISSUER":   e.URL(),
		"CHAINGUARD_PLATFORM_AUDIENCE": e.Audience(),
		"CHAINGUARD_TOKEN":             e.AdminToken(),
	}
}

// The names of chainctl's token files.
const (
	AccessTokenFile  = "oidc-token"
	RefreshTokenFile = "refresh-token"
)

// CacheToken writes a token for the emulator to one of chainctl's token files below the user's cache directory.
func (e *Emulator) CacheToken(cacheDir, file, token string) error {
	name := strings.ReplaceAll(e.Audience(), "/", "-")
	if runtime.GOOS == "windows" {
		name = strings.ReplaceAll(name, ":", "-") // File names cannot contain colons.
	}
	folder := filepath.Join(cacheDir, "chainguard", name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, file), []byte(token), 0o600)
}
