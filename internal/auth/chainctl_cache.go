package auth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

const (
	accessTokenFile  = "oidc-token"
	refreshTokenFile = "refresh-token"
)

// cache is chainctl's token cache. It does not use the SDK's functions, which create folders even when reading, do not
// write atomically, and print errors to stdout.
type cache struct {
	tokenRequirements
	dir   string // the user's cache directory
	files tokenFiles
}

// cacheFolderName returns the name of the folder with the tokens of an audience.
func cacheFolderName(audience, goos string) string {
	name := strings.ReplaceAll(audience, "/", "-")
	if goos == "windows" {
		name = strings.ReplaceAll(name, ":", "-")
	}
	return name
}

// folders returns the folders to look for a token in. The official provider keeps an identity's tokens in a folder
// below that of the audience. chainctl keeps the latest sign-in, of a user or an identity, in the audience's folder
// itself.
func (c cache) folders() ([]string, error) {
	if c.dir == "" {
		return nil, errors.New("this user has no cache directory")
	}
	folder := filepath.Join(c.dir, "chainguard", cacheFolderName(c.audience, runtime.GOOS))
	if c.identity == "" {
		return []string{folder}, nil
	}
	return []string{filepath.Join(folder, strings.ReplaceAll(c.identity, "/", "_")), folder}, nil
}

// read reads a token from a file in a folder.
func (c cache) read(ctx context.Context, folder, file string) (string, error) {
	path := filepath.Join(folder, file)
	token, err := c.files.read(ctx, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("there is no %s", path)
	case err != nil:
		return "", fmt.Errorf("%s %w", path, err)
	}
	if err := usable(token); err != nil {
		return "", fmt.Errorf("%s is malformed: a file %w", path, err)
	}
	return token, nil
}

// access returns the access token in a folder if it meets the requirements.
func (c cache) access(ctx context.Context, folder string) (token, error) {
	access, err := c.read(ctx, folder, accessTokenFile)
	if err != nil {
		return token{}, err
	}
	found, err := c.check(access)
	if err != nil {
		return token{}, fmt.Errorf("%s: %w", filepath.Join(folder, accessTokenFile), err)
	}
	return found, nil
}

// cachedToken is the source that reads the access token from chainctl's cache.
type cachedToken struct{ cache }

func (c cachedToken) name() string { return "chainctl's cached token" }

func (c cachedToken) get(ctx context.Context) (token, error) {
	folders, err := c.folders()
	if err != nil {
		return token{}, err
	}
	var (
		reasons  []string
		expiring token
	)
	for _, folder := range folders {
		found, err := c.access(ctx, folder)
		switch {
		case err != nil:
			reasons = append(reasons, err.Error())
		case found.expiresSoon(c.clock.Now()):
			expiring = found
		default:
			return found, nil
		}
	}
	if expiring.access != "" {
		return expiring, nil
	}
	return token{}, errors.New(strings.Join(reasons, "; "))
}

// save stores tokens where chainctl stores them after a sign-in.
func (c cache) save(ctx context.Context, access, refresh string) error {
	folders, err := c.folders()
	if err != nil {
		return err
	}
	folder := folders[0]
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	unlock, err := acquireLock(ctx, filepath.Join(folder, lockFile))
	if err != nil {
		return err
	}
	defer unlock()

	if refresh != "" {
		if err := replace(folder, refreshTokenFile, refresh); err != nil {
			return err
		}
	}
	return replace(folder, accessTokenFile, access)
}

// replace replaces a file in a folder atomically. The caller must hold the folder's lock. The temporary file always has
// the same name, so that the next call reuses one left by a killed process.
func replace(folder, file, token string) error {
	temporary := temporaryFile(folder, file)
	err := write(temporary, token)
	if err == nil {
		err = os.Rename(temporary, filepath.Join(folder, file))
	}
	if err != nil {
		_ = os.Remove(temporary)
	}
	return err
}

func temporaryFile(folder, file string) string {
	return filepath.Join(folder, "."+file+".terraform-provider-chainguard.tmp")
}

// write creates a file that only its owner can read, and syncs it to disk.
func write(path, content string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(content)
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return err
}
