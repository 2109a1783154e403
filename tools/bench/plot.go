package main

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	width  = 11 * vg.Inch
	height = 6.5 * vg.Inch
)

// hues tell resources apart, also for those who see few colours.
var hues = []color.Color{color.Gray{Y: 0x88}, color.RGBA{R: 0x00, G: 0x72, B: 0xb2, A: 0xff}, color.RGBA{R: 0xd5, G: 0x5e, B: 0x00, A: 0xff}}

// plot draws the results, as PNG or SVG by the path's extension: above the time that commands took, below their calls.
func (r *results) plot(path string) error {
	grid := make([][]*plot.Plot, 2)
	for _, command := range shown {
		time, err := r.timePlot(command)
		if err != nil {
			return err
		}
		calls, err := r.callsPlot(command)
		if err != nil {
			return err
		}
		grid[0], grid[1] = append(grid[0], time), append(grid[1], calls)
	}
	// To be compared from left to right.
	for _, row := range grid {
		low, high := math.Inf(1), math.Inf(-1)
		for _, p := range row {
			low, high = min(low, p.Y.Min), max(high, p.Y.Max)
		}
		for _, p := range row {
			p.X.Min, p.X.Max = around(p.X.Min, p.X.Max)
			p.Y.Min, p.Y.Max = around(low, high)
		}
	}

	var canvas vg.CanvasSizer
	var writer io.WriterTo
	if filepath.Ext(path) == ".svg" {
		svg := vgsvg.New(width, height)
		canvas, writer = svg, svg
	} else {
		png := vgimg.PngCanvas{Canvas: vgimg.New(width, height)}
		canvas, writer = png, png
	}
	tiles := draw.Tiles{
		Rows: 2, Cols: len(grid[0]), PadX: vg.Points(12), PadY: vg.Points(12),
		PadTop: vg.Points(8), PadBottom: vg.Points(8), PadLeft: vg.Points(8), PadRight: vg.Points(16),
	}
	area := draw.New(canvas)
	for i, row := range plot.Align(grid, tiles, area) {
		for j, tile := range row {
			grid[i][j].Draw(tile)
		}
	}

	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := writer.WriteTo(file); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

// around is the range of an axis. The library would put a single value into the middle of one that may begin at zero,
// which a logarithmic axis cannot.
func around(low, high float64) (lower, upper float64) {
	if low == high {
		return low / 2, high * 2
	}
	return low, high
}

func (r *results) timePlot(command string) (*plot.Plot, error) {
	p := r.newPlot(command, "seconds")
	for i, resource := range r.resources() {
		latencies := r.latencies
		if resource == floor().resource {
			latencies = latencies[:1]
		}
		for j, latency := range latencies {
			label := resource
			if len(latencies) > 1 {
				label = fmt.Sprintf("%s, %s a call", resource, latency)
			}
			dashed := j < len(latencies)-1
			if err := r.line(p, label, hues[i], dashed, command, resource, latency, func(m measurement) float64 { return m.wall.Seconds() }); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

func (r *results) callsPlot(command string) (*plot.Plot, error) {
	p := r.newPlot("", "API calls")
	for i, resource := range r.resources() {
		if err := r.line(p, resource, hues[i], false, command, resource, r.slowest(), func(m measurement) float64 { return float64(m.totalCalls()) }); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (r *results) newPlot(title, unit string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.Title.Padding = title, vg.Points(6)
	p.X.Label.Text, p.Y.Label.Text = "invites", unit
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Scale, axis.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	}
	p.Legend.Top, p.Legend.Left, p.Legend.Padding = true, true, vg.Points(2)
	p.Legend.TextStyle.Font.Size = vg.Points(8)
	p.Add(plotter.NewGrid())
	return p
}

// line adds what a command took on a resource, against the number of them. What took none has no place on a
// logarithmic scale.
func (r *results) line(p *plot.Plot, label string, hue color.Color, dashed bool, command, resource string, latency time.Duration, value func(measurement) float64) error {
	var points plotter.XYs
	for _, n := range r.numbers {
		if m, found := r.find(command, resource, n, latency); found && value(m) > 0 {
			points = append(points, plotter.XY{X: float64(n), Y: value(m)})
		}
	}
	if len(points) == 0 {
		return nil
	}
	line, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return err
	}
	line.Color, line.Width = hue, vg.Points(1.5)
	if dashed {
		line.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
	}
	dots.Color, dots.Shape, dots.Radius = hue, draw.CircleGlyph{}, vg.Points(2.5)
	p.Add(line, dots)
	if command == shown[0] {
		p.Legend.Add(label, line, dots) // It holds for the whole row.
	}
	return nil
}
