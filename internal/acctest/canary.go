package acctest

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/url"
	"os"
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
	files := 0
	tree := os.DirFS(folder)
	err := fs.WalkDir(tree, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		for _, suffix := range except {
			if strings.HasSuffix(path, suffix) {
				return nil
			}
		}
		content, err := fs.ReadFile(tree, path)
		if err != nil {
			return err
		}
		files++
		c.ExpectNone(t, path, string(content))
		// A saved plan is an archive, and what is in it is compressed.
		if archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content))); err == nil {
			c.expectNoneInArchive(t, path, archive)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Fatalf("no file below %s was searched", folder)
	}
}

func (c Canaries) expectNoneInArchive(t testing.TB, path string, archive *zip.Reader) {
	t.Helper()
	for _, file := range archive.File {
		content, err := fs.ReadFile(archive, file.Name)
		if err != nil {
			t.Fatalf("%s: %s: %v", path, file.Name, err)
		}
		c.ExpectNone(t, path+": "+file.Name, string(content))
	}
}
