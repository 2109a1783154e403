package main

import "time"

// results are all that was measured.
type results struct {
	options
	machine      string
	providers    []subject
	startups     []startup
	measurements map[cell]measurement
}

// cell is what a measurement is of.
type cell struct {
	command, resource string
	n                 int
	latency           time.Duration
}
