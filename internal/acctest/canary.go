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

// Canaries are secrets, by what they are called in a report, that must not be found where they do not belong.
type Canaries map[string]string

// Find reports each place in which a canary is: in clear, or in an encoding that is easily decoded.
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

// ExpectNone fails the test where a canary is in content.
func (c Canaries) ExpectNone(t testing.TB, place string, content string) {
	t.Helper()
	for _, found := range c.Find(place, []byte(content)) {
		t.Error(found)
	}
}

// ExpectNoneIn fails the test where a canary is in a file below folder, but for those whose names end in one of except.
func (c Canaries) ExpectNoneIn(t testing.TB, folder string, except ...string) {
	t.Helper()
	if c.search(t, os.DirFS(folder), "", except) == 0 {
		t.Fatalf("no file below %s was searched", folder)
	}
}

// search searches all files of a tree, and returns how many there were.
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
