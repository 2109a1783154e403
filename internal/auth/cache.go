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

// cache is where chainctl keeps its tokens. The SDK's reader of it is not used: it creates the folders that it looks
// into, does not write atomically, and prints to stdout what it does not understand.
type cache struct {
	wanted          // what it is looked through for
	dir      string // the user's cache directory
	readFile func(string) ([]byte, error)
}

// cacheFolderName is the name of the folder that holds the tokens of an audience.
func cacheFolderName(audience, goos string) string {
	name := strings.ReplaceAll(audience, "/", "-")
	if goos == "windows" {
		name = strings.ReplaceAll(name, ":", "-")
	}
	return name
}

// folders lists where to look for a token. An identity has a folder of its own in the one of the audience, which is what
// the official provider does; chainctl keeps the token of whoever signed in last, identity or person, above it.
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

// read returns the token in a folder's file.
func (c cache) read(folder, file string) (string, error) {
	path := filepath.Join(folder, file)
	data, err := c.readFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("there is no %s", path)
	case err != nil:
		return "", fmt.Errorf("%s cannot be read: %s", path, fileError(err))
	}
	token := strings.TrimSpace(string(data))
	if err := usable(token); err != nil {
		return "", fmt.Errorf("%s is malformed: a file %w", path, err)
	}
	return token, nil
}

// access returns the access token in a folder if it is what we need.
func (c cache) access(folder string) (issued, error) {
	token, err := c.read(folder, accessTokenFile)
	if err != nil {
		return issued{}, err
	}
	found, err := c.check(token)
	if err != nil {
		return issued{}, fmt.Errorf("%s: %w", filepath.Join(folder, accessTokenFile), err)
	}
	return found, nil
}

// cachedToken is the source that takes the access token that chainctl has cached.
type cachedToken struct{ cache }

func (c cachedToken) name() string { return "chainctl's cached token" }

func (c cachedToken) token(context.Context) (issued, error) {
	folders, err := c.folders()
	if err != nil {
		return issued{}, err
	}
	var (
		reasons  []string
		expiring issued
	)
	for _, folder := range folders {
		found, err := c.access(folder)
		switch {
		case err != nil:
			reasons = append(reasons, err.Error())
		case found.nearlyOver(c.now()):
			expiring = found
		default:
			return found, nil
		}
	}
	if expiring.access != "" {
		return expiring, nil
	}
	return issued{}, errors.New(strings.Join(reasons, "; "))
}

// save puts tokens where chainctl would after signing in.
func (c cache) save(ctx context.Context, access, refresh string) error {
	folders, err := c.folders()
	if err != nil {
		return err
	}
	folder := folders[0]
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
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

func replace(folder, file, token string) error {
	r, err := prepare(folder, file)
	if err != nil {
		return err
	}
	defer r.abandon()
	return r.commit(token)
}

// replacement is a file on its way to take the place of another. It exists before the token that goes into it, so that a
// refresh token is never spent where the next one cannot be kept.
type replacement struct {
	target string
	file   *os.File
}

// prepare makes ready to replace a file in the folder. CreateTemp makes a file that only its owner can read.
func prepare(folder, file string) (*replacement, error) {
	temporary, err := os.CreateTemp(folder, "."+file+"-*")
	if err != nil {
		return nil, err
	}
	return &replacement{target: filepath.Join(folder, file), file: temporary}, nil
}

// commit replaces the file at once: whoever reads it sees the old or the new token, and never a part of one.
func (r *replacement) commit(token string) error {
	_, err := r.file.WriteString(token)
	if err == nil {
		err = r.file.Sync()
	}
	if closeErr := r.file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(r.file.Name(), r.target)
	}
	return err
}

// abandon removes what commit did not put in place. After a commit it does nothing.
func (r *replacement) abandon() {
	_ = r.file.Close()
	_ = os.Remove(r.file.Name())
}
