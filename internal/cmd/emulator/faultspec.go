package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// parseFault parses METHOD:WHEN:WHAT[:KEY=VALUE...].
func parseFault(spec string) (emulator.Fault, error) {
	parts := strings.Split(spec, ":")
	if len(parts) < 3 {
		return emulator.Fault{}, errors.New("a fault is METHOD:WHEN:WHAT[:KEY=VALUE...], as in CreateGroupInvite:after:UNAVAILABLE:times=1")
	}
	var f emulator.Fault
	if f.Method = parts[0]; f.Method == "*" {
		f.Method = ""
	} else if !emulator.KnownMethod(f.Method) {
		return emulator.Fault{}, fmt.Errorf("%q is neither * nor the short name of an RPC, such as CreateGroupInvite", f.Method)
	}
	switch parts[1] {
	case "before":
		f.When = emulator.BeforeCommit
	case "after":
		f.When = emulator.AfterCommit
	default:
		return emulator.Fault{}, fmt.Errorf("%q is neither before nor after", parts[1])
	}
	for _, part := range parts[3:] {
		if err := setFaultKey(&f, part); err != nil {
			return emulator.Fault{}, err
		}
	}
	switch what := parts[2]; what {
	case "hang":
		f.Hang = true
	case "drop":
		f.Drop = true
	case "delay":
		if f.Delay == 0 {
			return emulator.Fault{}, errors.New("delay needs to know how long, as in *:before:delay:delay=50ms")
		}
	default:
		f.Code = codes.Code(code.Code_value[strings.ToUpper(what)])
		if f.Code == codes.OK {
			return emulator.Fault{}, fmt.Errorf("%q is not hang, drop, delay, or a gRPC status such as UNAVAILABLE", what)
		}
	}
	return f, nil
}

func setFaultKey(f *emulator.Fault, part string) error {
	key, value, _ := strings.Cut(part, "=")
	var err error
	switch key {
	case "times":
		f.Times, err = strconv.Atoi(value)
		if err == nil && f.Times < 1 {
			err = errors.New("it must be at least 1")
		}
	case "delay":
		f.Delay, err = positiveDuration(value)
	case "retry-after":
		f.RetryAfter, err = positiveDuration(value)
	case "probability":
		f.Probability, err = strconv.ParseFloat(value, 64)
		if err == nil && (f.Probability <= 0 || f.Probability > 1) {
			err = errors.New("it must be above 0 and at most 1")
		}
	case "seed":
		f.Seed, err = strconv.ParseUint(value, 10, 64)
	case "message":
		f.Message = value
	default:
		return fmt.Errorf("%q is not one of the keys times, delay, probability, seed, retry-after and message", key)
	}
	if err != nil {
		return fmt.Errorf("%s=%s: %w", key, value, err)
	}
	return nil
}

func positiveDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err == nil && d <= 0 {
		err = errors.New("it must be positive")
	}
	return d, err
}
