package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestStylesBecomeElementsAndNothingElseDoes(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"plain":                                   "plain",
		"a \x1b[36m$ echo <&>\x1b[0m b":           `a <tspan class="cyan">$ echo &lt;&amp;&gt;</tspan> b`,
		"\x1b[1m 1. Heading\x1b[0m":               `<tspan class="bold"> 1. Heading</tspan>`,
		"\x1b[35ma colour without a style\x1b[0m": "a colour without a style",
	} {
		if got := spans(line); got != want {
			t.Errorf("%q becomes %q, want %q", line, got, want)
		}
	}
}

func TestPictureIsWellFormed(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := draw(strings.NewReader("\x1b[1mtitle\x1b[0m\n\n  <text> & \"more\"\n\n"), &out); err != nil {
		t.Fatal(err)
	}
	decoder := xml.NewDecoder(strings.NewReader(out.String()))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, out.String())
		}
	}
	if strings.Count(out.String(), "<text ") != 2 {
		t.Errorf("it has other lines than two:\n%s", out.String())
	}
}

func TestNothingIsNotDrawn(t *testing.T) {
	t.Parallel()
	if err := draw(strings.NewReader("\n"), io.Discard); err == nil {
		t.Error("nothing is drawn")
	}
}
