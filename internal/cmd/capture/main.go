// Command capture draws what a program printed to a terminal as an SVG image: it reads text with ANSI colours from its
// standard input and writes the image to its standard output. `make capture` draws the demo for the README with it.
package main

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"
)

func main() {
	if err := draw(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "capture: %v\n", err)
		os.Exit(1)
	}
}

// Of one character cell, and of the frame around all of them.
const (
	cellWidth  = 8.4
	lineHeight = 19
	margin     = 16
	titleBar   = 34
)

// classes are the styles that the demo uses, by their ANSI numbers.
var classes = map[string]string{"1": "bold", "2": "dim", "32": "green", "36": "cyan"}

const head = `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" xml:space="preserve" role="img" aria-label="What make demo prints">
<style>
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d7dae0; white-space: pre; }
.bold { font-weight: bold; fill: #ffffff; }
.dim { fill: #9aa3b2; }
.green { fill: #8fd694; }
.cyan { fill: #7cc7e8; }
</style>
<rect width="100%%" height="100%%" rx="10" fill="#1b1f27"/>
<circle cx="20" cy="18" r="6" fill="#ff5f57"/><circle cx="40" cy="18" r="6" fill="#febc2e"/><circle cx="60" cy="18" r="6" fill="#28c840"/>
`

// draw writes the picture of a terminal in which everything was printed.
func draw(in io.Reader, out io.Writer) error {
	lines, err := readLines(in)
	if err != nil {
		return err
	}
	widest := 0
	for _, line := range lines {
		widest = max(widest, utf8.RuneCountInString(escape.ReplaceAllString(line, "")))
	}
	width := int(float64(widest)*cellWidth) + 2*margin
	height := titleBar + len(lines)*lineHeight + margin

	w := bufio.NewWriter(out)
	fmt.Fprintf(w, head, width, height)
	for i, line := range lines {
		if line != "" {
			fmt.Fprintf(w, "<text x=\"%d\" y=\"%d\">%s</text>\n", margin, titleBar+(i+1)*lineHeight-5, spans(line))
		}
	}
	fmt.Fprintln(w, "</svg>")
	return w.Flush()
}

func readLines(in io.Reader) ([]string, error) {
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	trimmed := strings.TrimRight(string(text), "\n")
	if trimmed == "" {
		return nil, fmt.Errorf("there is nothing to draw")
	}
	return strings.Split(trimmed, "\n"), nil
}

var escape = regexp.MustCompile("\x1b\\[([0-9;]*)m")

// spans is a line with each change of style as an element.
func spans(line string) string {
	var b strings.Builder
	class := ""
	write := func(text string) {
		if text == "" {
			return
		}
		if class == "" {
			b.WriteString(html.EscapeString(text))
			return
		}
		fmt.Fprintf(&b, "<tspan class=%q>%s</tspan>", class, html.EscapeString(text))
	}
	from := 0
	for _, match := range escape.FindAllStringSubmatchIndex(line, -1) {
		write(line[from:match[0]])
		class, from = classes[line[match[2]:match[3]]], match[1]
	}
	write(line[from:])
	return b.String()
}
