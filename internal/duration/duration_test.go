package duration

import (
	"strings"
	"testing"
	"time"
)

func TestParse_valid(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"5d":           5 * day,
		"1w":           week,
		"1w2d":         9 * day,
		"36h30m":       36*time.Hour + 30*time.Minute,
		"168h0m0s":     168 * time.Hour,
		"1.5h":         90 * time.Minute,
		"1.5d":         36 * time.Hour,
		".5h":          30 * time.Minute,
		"2.h":          2 * time.Hour,
		"1s":           time.Second,
		"1000ms":       time.Second,
		"1000000us":    time.Second,
		"1000000µs":    time.Second,
		"1000000μs":    time.Second,
		"106751d":      106751 * day,
		"1000000000ns": time.Second,
	} {
		got, err := Parse(text)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParse_invalid(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                       "must not be empty",
		"0":                      "lacks a unit",
		"7":                      "lacks a unit",
		"0s":                     "too short",
		"0d":                     "too short",
		"999ms":                  "too short",
		"1ns":                    "too short",
		"-5d":                    "is negative",
		"+5d":                    "is not a lifetime",
		"five days":              "is not a lifetime",
		"5 d":                    "is not a lifetime",
		"5days":                  "is not a lifetime",
		"5D":                     "is not a lifetime",
		"d":                      "is not a lifetime",
		".d":                     "is not a lifetime",
		"1.2.3h":                 "is not a lifetime",
		"1h.":                    "is not a lifetime",
		"1y":                     "is not a lifetime",
		"106752d":                "too long",
		"99999999999999999999w":  "too long",
		strings.Repeat("1", 100): "too long to be one",
	} {
		got, err := Parse(text)
		if err == nil {
			t.Errorf("Parse(%q) = %v, want an error", text, got)
			continue
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): %v; want it to say %q", text, err, want)
		}
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		5 * day:                        "5d",
		week:                           "7d",
		36*time.Hour + 30*time.Minute:  "36h30m",
		36 * time.Hour:                 "36h",
		time.Hour:                      "1h",
		10 * time.Minute:               "10m",
		90 * time.Second:               "1m30s",
		time.Hour + 30*time.Second:     "1h0m30s",
		20 * time.Second:               "20s",
		time.Second + time.Millisecond: "1.001s",
	} {
		if got := Format(d); got != want {
			t.Errorf("Format(%v) = %q, want %q", d, got, want)
		}
	}
}

// FuzzParse checks that Parse respects its limits, agrees with Go's parser on what both accept, and parses what Format
// returns.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"5d", "1w2d", "36h30m", "168h0m0s", "1.5h", "0s", "-1h", "999999999999w", "1h1h", ".", "µs", "1µs", "1e3s", "0x1s", "1_0s"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(text)
		if err != nil {
			if d != 0 {
				t.Errorf("Parse(%q) = %v with an error", text, d)
			}
			return
		}
		if d < Min {
			t.Errorf("Parse(%q) = %v, below Min", text, d)
		}
		// Go rounds each fraction down, while Parse adds exactly.
		if std, err := time.ParseDuration(text); err == nil && (d-std).Abs() > time.Microsecond {
			t.Errorf("Parse(%q) = %v, time.ParseDuration says %v", text, d, std)
		}
		if back, err := Parse(Format(d)); err != nil || back != d {
			t.Errorf("Parse(Format(%v)) = %v, %v", d, back, err)
		}
	})
}
