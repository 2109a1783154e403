package acctest

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
)

// Canaries are secrets that must not leak, by the names under which leaks are reported.
type Canaries map[string]string

// Find describes each canary in content, in plain text or in an encoding that is easily reversed.
func (c Canaries) Find(place string, content []byte) []string {
	var found []string
	for name, secret := range c {
		for encoding, needle := range map[string]string{
			"":               secret,
			", in base64":    base64.StdEncoding.EncodeToString([]byte(secret)),
			", in a URL":     url.QueryEscape(secret),
			", cut in half":  secret[:len(secret)/2],
			", from the end": secret[len(secret)/2:],
		} {
			if bytes.Contains(content, []byte(needle)) {
				found = append(found, fmt.Sprintf("%s has the %s%s", place, name, encoding))
			}
		}
	}
	return found
}

// ExpectNone fails the test if content contains a canary.
func (c Canaries) ExpectNone(t testing.TB, place string, content string) {
	t.Helper()
	for _, found := range c.Find(place, []byte(content)) {
		t.Error(found)
	}
}

// ExpectNoneIn fails the test if a file below folder contains a canary, except for files with one of these suffixes.
func (c Canaries) ExpectNoneIn(t testing.TB, folder string, except ...string) {
	t.Helper()
	if c.search(t, os.DirFS(folder), "", except) == 0 {
		t.Fatalf("no file below %s was searched", folder)
	}
}

// search applies ExpectNone to all files of a tree and returns how many there were.
func (c Canaries) search(t testing.TB, tree fs.FS, place string, except []string) (files int) {
	t.Helper()
	err := fs.WalkDir(tree, ".", func(path string, entry fs.DirEntry, err error) error {
		excepted := slices.ContainsFunc(except, func(suffix string) bool { return strings.HasSuffix(path, suffix) })
		if err != nil || entry.IsDir() || excepted {
			return err
		}
		content, err := fs.ReadFile(tree, path)
		if err != nil {
			return err
		}
		files++
		c.ExpectNone(t, place+path, string(content))
		// A saved plan is a compressed archive.
		if archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content))); err == nil {
			c.search(t, archive, place+path+": ", nil)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("searching %s: %v", place, err)
	}
	return files
}
