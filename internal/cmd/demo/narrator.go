package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// narrator prints the demo: a heading in plain words, the command as one would type it, what came of it.
type narrator struct {
	out    io.Writer
	colour bool
	steps  int
}

func newNarrator(out *os.File) *narrator {
	wanted := isTerminal(out) && os.Getenv("TERM") != "dumb" || os.Getenv("CLICOLOR_FORCE") != ""
	return &narrator{out: out, colour: wanted && os.Getenv("NO_COLOR") == ""}
}

func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

const (
	bold  = "1"
	dim   = "2"
	green = "32"
	cyan  = "36"
)

func (n *narrator) paint(style, text string) string {
	if !n.colour {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// title opens the demo, and a closing line ends it.
func (n *narrator) title(text string) {
	n.line(n.paint(bold, text))
}

// step starts the next step.
func (n *narrator) step(heading string) {
	n.steps++
	n.line("")
	n.line(n.paint(bold, fmt.Sprintf("%2d. %s", n.steps, heading)))
}

// command shows a line as one would type it.
func (n *narrator) command(line string) {
	n.line("    " + n.paint(cyan, "$ "+line))
}

// text shows an excerpt of a file.
func (n *narrator) text(lines string) {
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		if line != "" {
			line = "    " + n.paint(dim, line)
		}
		n.line(line)
	}
}

// result says what came of it.
func (n *narrator) result(format string, args ...any) {
	n.line("    " + n.paint(green, fmt.Sprintf(format, args...)))
}

// line writes one line. That nobody reads on is no reason to fail: whoever closed the pipe has seen enough, and what
// ends the demo then is the signal that comes with it.
func (n *narrator) line(text string) {
	_, _ = fmt.Fprintln(n.out, text)
}
