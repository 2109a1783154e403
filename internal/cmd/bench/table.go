//go:build unix

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// shown are the commands in the order in which results are shown, the most frequent first.
var shown = []string{"plan", "apply", "destroy"}

// markdown is all results as a page.
func (r *results) markdown() string {
	var b strings.Builder
	b.WriteString(`<!-- Written by "make bench". -->

# Benchmarks

What the provider costs against the number of invites, measured by ` + "`make bench`" + ` with a real Terraform and the emulator, whose every call takes as long as the column says.

- **Terraform** is what Terraform takes for the same number of ` + "`terraform_data`" + ` resources whose state is as large, without a provider process or an API. It is a lower bound, because such a resource has only three attributes.
- **provider** is the rest of the time, **in all** is both.
- **CPU per invite** and **peak memory** are those of the provider's processes.

`)
	fmt.Fprintf(&b, "%s. Medians of %d runs.\n", r.machine, r.runs)
	if r.groups > 1 {
		fmt.Fprintf(&b, "The invites are spread over %d groups.\n", r.groups)
	}
	for _, command := range shown {
		fmt.Fprintf(&b, "\n## %s\n\n%s", heading[command], table(r.commandRows(command)))
	}
	fmt.Fprintf(&b, "\nCPU is that at %s, memory and API calls are those at %s.\n", slices.Min(r.latencies), slices.Max(r.latencies))
	if len(r.providers) > 1 {
		fmt.Fprintf(&b, "\n## Against the official provider\n\nOurs divided by the official one's, in all, for %d invites; less than 1 is less. An invite of ours "+
			"holds more attributes, with which Terraform takes longer to apply and to destroy, as the next section shows.\n\n%s",
			slices.Max(r.numbers), table(r.ratioRows()))
	}
	fmt.Fprintf(&b, `
## What an attribute costs in Terraform

For each resource that it creates or deletes, Terraform writes its whole state again, so that takes longer the more a resource holds. An invite holds:

%s
What that costs Terraform alone, for %d `+"`terraform_data`"+` resources, by the number of attributes of %d characters that each holds in `+"`triggers_replace`"+`:

%s`, table(r.stateRows()), slices.Max(r.numbers), attributeLength, table(r.attributeRows()))
	fmt.Fprintf(&b, "\n## Start\n\nUntil a provider that is started serves its schema:\n\n%s", table(r.startupRows()))
	return b.String()
}

var heading = map[string]string{"plan": "Plan, with a refresh", "apply": "Apply", "destroy": "Destroy"}

func (r *results) commandRows(command string) [][]string {
	columns := []string{"N", "resource", "Terraform"}
	for _, part := range []string{"provider", "in all"} {
		for _, latency := range r.latencies {
			columns = append(columns, fmt.Sprintf("%s at %s", part, latency))
		}
	}
	rows := [][]string{append(columns, "CPU per invite", "peak memory", "API calls")}
	for _, n := range r.numbers {
		for _, s := range r.providers {
			terraform := r.measurements[cell{command: command, resource: s.resource, n: n, floor: true}].wall
			row := []string{fmt.Sprint(n), s.resource, seconds(terraform)}
			var all []string
			for _, latency := range r.latencies {
				wall := r.measurements[cell{command: command, resource: s.resource, n: n, latency: latency}].wall
				row, all = append(row, seconds(max(0, wall-terraform))), append(all, seconds(wall))
			}
			fast := r.measurements[cell{command: command, resource: s.resource, n: n, latency: slices.Min(r.latencies)}]
			slow := r.measurements[cell{command: command, resource: s.resource, n: n, latency: slices.Max(r.latencies)}]
			row = append(row, all...)
			rows = append(rows, append(row, milliseconds(fast.cpu/time.Duration(n)), mebibytes(slow.peak), calls(slow.calls)))
		}
	}
	return rows
}

func (r *results) ratioRows() [][]string {
	columns := []string{""}
	for _, latency := range r.latencies {
		columns = append(columns, fmt.Sprintf("time at %s", latency))
	}
	rows := [][]string{append(columns, "CPU")}
	for _, command := range shown {
		row := []string{command}
		of := func(s subject, latency time.Duration) measurement {
			return r.measurements[cell{command: command, resource: s.resource, n: slices.Max(r.numbers), latency: latency}]
		}
		for _, latency := range r.latencies {
			row = append(row, fmt.Sprintf("%.2f", of(r.providers[0], latency).wall.Seconds()/of(r.providers[1], latency).wall.Seconds()))
		}
		fastest := slices.Min(r.latencies)
		rows = append(rows, append(row, fmt.Sprintf("%.2f", of(r.providers[0], fastest).cpu.Seconds()/of(r.providers[1], fastest).cpu.Seconds())))
	}
	return rows
}

// attributeCounts are about how many attributes the invites of both providers have, and none.
var attributeCounts = []int{0, 6, 20}

func (r *results) stateRows() [][]string {
	rows := [][]string{{"resource", "attributes", "bytes of state"}}
	n := slices.Max(r.numbers)
	for _, s := range r.providers {
		of := r.measurements[cell{command: "apply", resource: s.resource, n: n, latency: slices.Min(r.latencies)}].state
		rows = append(rows, []string{s.resource, fmt.Sprint(of.attributes), fmt.Sprint(of.bytes / n)})
	}
	return rows
}

func (r *results) attributeRows() [][]string {
	rows := [][]string{append([]string{"attributes", "bytes of state"}, shown...)}
	for _, attributes := range attributeCounts {
		of := r.attributes[attributes]
		row := []string{fmt.Sprint(attributes), fmt.Sprint(of["apply"].state.bytes / slices.Max(r.numbers))}
		for _, command := range shown {
			row = append(row, seconds(of[command].wall))
		}
		rows = append(rows, row)
	}
	return rows
}

func (r *results) startupRows() [][]string {
	rows := [][]string{{"provider of", "program", "time", "peak memory"}}
	for _, s := range r.startups {
		rows = append(rows, []string{s.resource, mebibytes(s.size), milliseconds(s.served), mebibytes(s.peak)})
	}
	return rows
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

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) }

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
