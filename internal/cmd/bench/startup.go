//go:build unix

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
)

// startups is how often each provider is started. It is an odd number, and a start takes some milliseconds.
const startups = 21

// startup is what it takes to start a provider, in the median.
type startup struct {
	resource string
	size     int64 // bytes, of the program
	served   time.Duration
	peak     int64 // bytes
}

// measureStartups measures providers in turn, so that a machine whose speed drifts is as fast for each.
func (o options) measureStartups(ctx context.Context, subjects []subject) ([]startup, error) {
	runs := make([][]startup, len(subjects))
	for range startups {
		for i, s := range subjects {
			took, peak, err := o.measureStartup(ctx, s.provider)
			if err != nil {
				return nil, fmt.Errorf("starting %s: %w", s.provider, err)
			}
			runs[i] = append(runs[i], startup{served: took, peak: peak})
		}
	}
	var results []startup
	for i, s := range subjects {
		info, err := os.Stat(s.provider)
		if err != nil {
			return nil, err
		}
		results = append(results, startup{
			s.resource, info.Size(),
			median(runs[i], func(s startup) time.Duration { return s.served }),
			median(runs[i], func(s startup) int64 { return s.peak }),
		})
	}
	return results, nil
}

// measureStartup starts a provider twice: by itself, for the time, and then measured, for the memory.
func (o options) measureStartup(ctx context.Context, provider string) (served time.Duration, peak int64, err error) {
	dir, err := os.MkdirTemp("", "chainguard-bench-")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	cli, err := acctest.NewCLI(dir)
	if err != nil {
		return 0, 0, err
	}
	cli.Setenv("BENCH_PROVIDER", provider)
	cli.Setenv("BENCH_USAGE", usageFile(dir))
	// By the cookie a provider knows that it was not started by hand.
	cli.Setenv("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
	cli.Setenv("PLUGIN_PROTOCOL_VERSIONS", "6")
	if served, err = untilSchema(ctx, cli, provider); err != nil {
		return 0, 0, err
	}
	if _, err = untilSchema(ctx, cli, o.measured); err != nil {
		return 0, 0, err
	}
	_, peak, err = takeUsage(usageFile(dir))
	return served, peak, err
}

// untilSchema starts a provider as Terraform does, and returns how long it takes until its schema is there.
func untilSchema(ctx context.Context, cli *acctest.CLI, program string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	cmd := cli.Program(ctx, program)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	took, err := askSchema(ctx, bufio.NewReader(stdout), began)
	if err != nil {
		cancel() // Ends what was not asked to end.
	}
	return took, errors.Join(err, cmd.Wait())
}

func askSchema(ctx context.Context, stdout *bufio.Reader, began time.Time) (time.Duration, error) {
	line, err := stdout.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("it did not say where it serves: %w", err)
	}
	// "1|6|unix|/tmp/plugin123|grpc|"
	fields := strings.Split(strings.TrimSpace(line), "|")
	if len(fields) < 5 || fields[2] != "unix" || fields[4] != "grpc" {
		return 0, fmt.Errorf("it serves in a way that is not known: %q", line)
	}
	const enough = 64 << 20
	conn, err := grpc.NewClient("unix:"+filepath.Clean(fields[3]), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(enough)))
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	// The messages of the protocol are internal to Terraform's libraries. An empty one reads on the wire as each of them.
	if err := conn.Invoke(ctx, "/tfplugin6.Provider/GetProviderSchema", &emptypb.Empty{}, &emptypb.Empty{}); err != nil {
		return 0, err
	}
	took := time.Since(began)
	// It may end before it answers. Whether it ends is seen by who waits for it.
	_ = conn.Invoke(ctx, "/plugin.GRPCController/Shutdown", &emptypb.Empty{}, &emptypb.Empty{})
	return took, nil
}
