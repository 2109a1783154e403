package main

import "time"

// results are all that was measured.
type results struct {
	options
	machine      string
	providers    []subject
	startups     []startup
	measurements map[cell]measurement
	attributes   map[int]map[string]measurement // of terraform_data with so many attributes, by command
}

// cell is what a measurement is of.
type cell struct {
	command, resource string
	n                 int
	latency           time.Duration
	// floor is of terraform_data whose state is as large as that of the resource.
	floor bool
}
