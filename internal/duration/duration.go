// Package duration parses and formats durations as chainctl does: Go's syntax with days and weeks. It also has the
// Terraform type for attributes with such a duration.
package duration

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"
)

const (
	// Min is the minimum. A code that expires sooner cannot be passed on, so a smaller value is most likely a wrong
	// unit.
	Min = time.Second

	// Max is the maximum of [time.Duration], about 292 years. The platform may allow less.
	Max = time.Duration(math.MaxInt64)

	// Default is chainctl's default for `iam invites create --ttl`.
	Default = 168 * time.Hour

	// DefaultText is Default as chainctl's help shows it.
	DefaultText = "168h"

	day  = 24 * time.Hour
	week = 7 * day
)

// maxLength limits the text to parse, because its exact arithmetic has no other limit.
const maxLength = 64

var units = []struct {
	name string
	size time.Duration
}{
	// A name that is a prefix of another comes after it.
	{"ns", time.Nanosecond},
	{"us", time.Microsecond},
	{"µs", time.Microsecond}, // U+00B5, micro sign
	{"μs", time.Microsecond}, // U+03BC, Greek letter mu
	{"ms", time.Millisecond},
	{"s", time.Second},
	{"m", time.Minute},
	{"h", time.Hour},
	{"d", day},
	{"w", week},
}

const examples = `for example "5d", "1w", "36h30m" or "168h0m0s"`

// Parse parses a duration such as "5d", "1w", "1w2d", "36h30m", "1.5h" or "168h0m0s": Go's syntax with the additional
// units d (24 hours) and w (7 days). A duration below [Min] or above [Max] is an error.
func Parse(text string) (time.Duration, error) {
	switch {
	case text == "":
		return 0, errors.New("a lifetime must not be empty: write " + examples)
	case len(text) > maxLength:
		return 0, fmt.Errorf("a lifetime of %d characters is too long to be one: write %s", len(text), examples)
	case strings.HasPrefix(text, "-"):
		return 0, fmt.Errorf("%q is negative, and a lifetime cannot be: write %s", text, examples)
	}

	total := new(big.Rat)
	for rest := text; rest != ""; {
		number := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789."))]
		rest = rest[len(number):]
		if strings.Trim(number, ".") == "" || strings.Count(number, ".") > 1 {
			return 0, fmt.Errorf("%q is not a lifetime: write %s", text, examples)
		}

		size, length := unitAt(rest)
		if length == 0 {
			if rest == "" {
				return 0, fmt.Errorf("%q lacks a unit (s, m, h, d or w): write %s", text, examples)
			}
			return 0, fmt.Errorf("%q is not a lifetime, its units are s, m, h, d and w: write %s", text, examples)
		}
		rest = rest[length:]

		amount, ok := new(big.Rat).SetString(strings.TrimSuffix(number, "."))
		if !ok {
			return 0, fmt.Errorf("%q is not a lifetime: write %s", text, examples)
		}
		total.Add(total, amount.Mul(amount, new(big.Rat).SetInt64(int64(size))))
	}

	nanoseconds := new(big.Int).Quo(total.Num(), total.Denom())
	switch {
	case nanoseconds.Cmp(big.NewInt(int64(Max))) > 0:
		return 0, fmt.Errorf("%q is too long: the longest lifetime is %dd, and the platform may allow less", text, Max/day)
	case nanoseconds.Cmp(big.NewInt(int64(Min))) < 0:
		return 0, fmt.Errorf("%q is too short: the shortest lifetime is %s", text, Min)
	}
	return time.Duration(nanoseconds.Int64()), nil
}

// Format formats d in a form that [Parse] accepts: "5d", "36h30m", "1m30s". It does not use weeks, because "21d" is
// easier to compare with other durations than "3w".
func Format(d time.Duration) string {
	if d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// unitAt returns the unit at the start of text. Its length is zero if there is none.
func unitAt(text string) (size time.Duration, length int) {
	for _, unit := range units {
		if strings.HasPrefix(text, unit.name) {
			return unit.size, len(unit.name)
		}
	}
	return 0, 0
}
