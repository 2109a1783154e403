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

// tokenFiles reads files that hold a token. One that is a pipe that nothing writes to, that grows without end, or that is on
// a file system that hangs, must not hold up the run.
type tokenFiles struct {
	timeout time.Duration
	secrets *redact.Secrets
}

// read returns the token in a file. The error reads on after the file's name; it wraps [fs.ErrNotExist] where there is
// no such file.
func (f tokenFiles) read(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	type content struct {
		data []byte
		err  error
	}
	read := make(chan content, 1)
	// Opening and reading cannot be interrupted. What hangs is left behind, and ends with the process.
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

// readStart reads one byte more than a token may have.
func readStart(path string) ([]byte, error) {
	if _, err := os.Stat(path); err != nil && !errors.Is(err, fs.ErrPermission) {
		// Also what cannot be the name of a file, such as one that is too long.
		return nil, fs.ErrNotExist
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(io.LimitReader(file, maxToken+1))
}

// fileError says why a file cannot be used, without its path.
func fileError(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	return redact.Text(err.Error())
}
