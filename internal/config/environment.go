package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Environment is the part of the process environment that settings depend on.
type Environment struct {
	Getenv   func(string) string
	ReadFile func(string) ([]byte, error)

	WorkDir   string // the current directory
	ConfigDir string // the user's configuration directory, empty if there is none
	HomeDir   string // empty if there is none
}

// OSEnvironment returns the environment of this process.
func OSEnvironment() Environment {
	// Directories that cannot be determined stay empty, and nothing is found in them.
	workDir, _ := os.Getwd()
	configDir, _ := os.UserConfigDir()
	homeDir, _ := os.UserHomeDir()
	return Environment{
		Getenv:    os.Getenv,
		ReadFile:  readFile,
		WorkDir:   workDir,
		ConfigDir: configDir,
		HomeDir:   homeDir,
	}
}

// ExpandPath makes a path absolute. It replaces a leading "~/" by the home directory, and resolves relative paths in
// the current directory.
func (e Environment) ExpandPath(path string) string {
	if rest, found := strings.CutPrefix(path, "~/"); found && e.HomeDir != "" {
		return filepath.Join(e.HomeDir, rest)
	}
	if filepath.IsAbs(path) || e.WorkDir == "" {
		return path
	}
	return filepath.Join(e.WorkDir, path)
}

// first returns the first variable that is set, and its value. Empty variables count as unset, because shells and
// pipelines often unset variables that way.
func (e Environment) first(variables []string) (name, value string) {
	for _, name := range variables {
		if value := e.Getenv(name); value != "" {
			return name, value
		}
	}
	return "", ""
}

const (
	// maxFileBytes limits the size of a config file.
	maxFileBytes = 1 << 20

	// readTimeout limits the time to read a file, which may be a pipe or on a file system that hangs.
	readTimeout = 10 * time.Second
)

func readFile(path string) ([]byte, error) { return readWithin(path, readTimeout) }

// readWithin reads a file, but returns an error after limit. A read cannot be interrupted, so a goroutine that hangs is
// abandoned.
func readWithin(path string, limit time.Duration) ([]byte, error) {
	var data []byte
	read := make(chan error, 1)
	go func() {
		file, err := os.Open(path)
		if err == nil {
			defer func() { _ = file.Close() }()
			data, err = io.ReadAll(io.LimitReader(file, maxFileBytes+1))
		}
		read <- err
	}()
	select {
	case err := <-read:
		if err == nil && len(data) > maxFileBytes {
			return nil, errors.New("it is longer than 1 MiB")
		}
		return data, err
	case <-time.After(limit):
		return nil, fmt.Errorf("it was not read to its end within %s; it may be a pipe that nothing writes to", limit)
	}
}
