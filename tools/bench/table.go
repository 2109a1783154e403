package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// markdown is all results as tables, which are to be read in a terminal too.
func (r *results) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on: %s.\n", r.machine)
	if r.runs > 1 {
		fmt.Fprintf(&b, "Medians of %d runs.\n", r.runs)
	}
	fmt.Fprintf(&b, "\nUntil a provider that is started serves its schema:\n\n%s", r.startupTable())
	for _, command := range shown {
		fmt.Fprintf(&b, "\n%s%s, by how long each call takes:\n\n%s", strings.ToUpper(command[:1]), command[1:], r.commandTable(command))
	}
	fmt.Fprintf(&b, "\nCalls, CPU and peak memory (the provider's; of all its processes, and of the largest) are those at %s.\n", r.slowest())
	if r.groups > 1 {
		fmt.Fprintf(&b, "The invites are spread over %d groups.\n", r.groups)
	}
	return b.String()
}

func (r *results) startupTable() string {
	rows := [][]string{{"provider of", "program", "time", "peak memory"}}
	for _, s := range r.startups {
		rows = append(rows, []string{s.resource, mebibytes(s.size), fmt.Sprintf("%.1f ms", s.served.Seconds()*1000), mebibytes(s.peak)})
	}
	return table(rows)
}

func (r *results) commandTable(command string) string {
	heading := []string{"N", "resource"}
	for _, latency := range r.latencies {
		heading = append(heading, latency.String())
	}
	rows := [][]string{append(heading, "CPU", "peak memory", "API calls")}
	for _, n := range r.numbers {
		for _, resource := range r.resources() {
			row := []string{fmt.Sprint(n), resource}
			for _, latency := range r.latencies {
				m, _ := r.find(command, resource, n, latency)
				row = append(row, seconds(m.wall))
			}
			m, _ := r.find(command, resource, n, r.slowest())
			if m.peak == 0 {
				rows = append(rows, append(row, "", "", ""))
				continue
			}
			rows = append(rows, append(row, seconds(m.cpu), mebibytes(m.peak), calls(m.calls)))
		}
	}
	return table(rows)
}

// table is a Markdown table, in columns. The first row is its heading.
func table(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	line := func(row []string) {
		for i, cell := range row {
			fmt.Fprintf(&b, "| %-*s ", widths[i], cell)
		}
		b.WriteString("|\n")
	}
	line(rows[0])
	for _, width := range widths {
		b.WriteString("|" + strings.Repeat("-", width+2))
	}
	b.WriteString("|\n")
	for _, row := range rows[1:] {
		line(row)
	}
	return b.String()
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func mebibytes(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }

// calls are the methods that were called, the one that was called most first.
func calls(counts map[string]int) string {
	methods := slices.Sorted(maps.Keys(counts))
	slices.SortStableFunc(methods, func(a, b string) int { return counts[b] - counts[a] })
	var parts []string
	for _, method := range methods {
		parts = append(parts, fmt.Sprintf("%d %s", counts[method], method))
	}
	return strings.Join(parts, ", ")
}

const (
	opening = "<!-- what `make bench` measured: written by it -->\n"
	closing = "<!-- end of what `make bench` measured -->\n"
	picture = "tools/bench/results.svg"
)

// document puts the results between the markers of a Markdown file, and their plot where that links to it.
func (r *results) document(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), opening)
	_, after, ended := strings.Cut(rest, closing)
	if !found || !ended {
		return fmt.Errorf("%s lacks the markers %q and %q", path, opening, closing)
	}
	written := fmt.Sprintf("%s%s%s\n![Time and API calls against the number of invites](%s)\n%s%s", before, opening, r.markdown(), picture, closing, after)
	return errors.Join(
		os.WriteFile(path, []byte(written), 0o600),
		r.plot(filepath.Join(filepath.Dir(path), filepath.FromSlash(picture))),
	)
}
