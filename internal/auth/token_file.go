package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// tokenFiles reads tokens from files. It returns in time even if the file is a pipe without a writer, is endless, or is
// on a file system that hangs.
type tokenFiles struct {
	timeout time.Duration
	secrets *redact.Secrets
}

// read returns the token in a file. The error completes a sentence that starts with the file's name. It wraps
// [fs.ErrNotExist] if there is no such file.
func (f tokenFiles) read(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	type content struct {
		data []byte
		err  error
	}
	read := make(chan content, 1)
	// Opening and reading cannot be interrupted, so a goroutine that hangs is abandoned.
	go func() {
		data, err := readStart(path)
		read <- content{data, err}
	}()
	select {
	case <-ctx.Done():
		return "", fmt.Errorf("was not read to its end within %s. It may be a pipe that nothing writes to", f.timeout)
	case c := <-read:
		token := string(bytes.TrimSpace(c.data))
		f.secrets.Add(token)
		switch {
		case errors.Is(c.err, fs.ErrNotExist):
			return "", c.err
		case c.err != nil:
			return "", fmt.Errorf("cannot be read: %s", fileError(c.err))
		case len(c.data) > maxToken:
			return "", fmt.Errorf("holds more than %d KiB, which no token does", maxToken>>10)
		case token == "":
			return "", errors.New("is empty")
		}
		return token, nil
	}
}

// readStart reads up to one byte more than a token may have.
func readStart(path string) ([]byte, error) {
	if _, err := os.Stat(path); err != nil && !errors.Is(err, fs.ErrPermission) {
		// This includes invalid file names, such as those that are too long.
		return nil, fs.ErrNotExist
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(io.LimitReader(file, maxToken+1))
}

// fileError describes a file error without the path.
func fileError(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	return redact.Text(err.Error())
}
