package provider

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"
)

const (
	// shutdownTimeout limits how long the CLI waits for the provider to exit.
	shutdownTimeout = 10 * time.Second

	// orphanTimeout limits how long the provider outlives its CLI. The longest cleanup is the search for the invite of
	// a lost create.
	orphanTimeout = time.Minute

	// connectTimeout is how long go-plugin's client waits for a provider to start. A CLI that has not connected by then
	// has exited.
	connectTimeout = time.Minute

	// maxMessage is the maximum size of a message in bytes, as in [tf6server.Serve].
	maxMessage = 256 << 20

	// gcPercent lets the heap, which is only a few MiB, grow to six times its live size. With Go's default, garbage
	// collection takes a quarter of the CPU time of a plan with a thousand invites.
	gcPercent = 500

	// streamWorkers is how many goroutines handle requests one after another, as many as Terraform's default parallelism.
	// The framework's calls nest deeply, so a goroutine of its own for each request spends time on growing its stack.
	streamWorkers = 10
)

// Serve serves the provider to the CLI that started this process, until the CLI exits. It then deletes invites that the
// CLI cannot delete. With debugging, the provider runs on its own for a debugger, and serves any CLI.
func Serve(ctx context.Context, version string, debugging bool) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	atEnd := new(cleanup)
	defer func() {
		ctx, cancel := context.WithTimeout(ctx, orphanTimeout)
		defer cancel()
		atEnd.run(ctx)
	}()
	newServer := providerserver.NewProtocol6(New(version, withCleanup(atEnd))())
	if debugging {
		return tf6server.Serve(Address, newServer, tf6server.WithManagedDebug())
	}
	serveCLI(ctx, silenceUnreadLogs(newServer(), os.Environ()), atEnd)
	return nil
}

// serveCLI is like [tf6server.Serve], but also handles signals and the end of the CLI.
func serveCLI(ctx context.Context, server tfprotov6.ProviderServer, atEnd *cleanup) {
	// Do not exit on a signal sent to all processes of a job: the CLI waits for pending requests, or exits, which ends
	// the connection. SIGPIPE would kill the provider when it logs after the CLI has exited.
	interrupted, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	c := &cliConnection{interrupted: interrupted, cleanup: atEnd}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion:  6,
			MagicCookieKey:   "TF_PLUGIN_MAGIC_COOKIE",
			MagicCookieValue: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
		},
		Plugins: plugin.PluginSet{"provider": &tf6server.GRPCProviderPlugin{
			GRPCProvider: func() tfprotov6.ProviderServer { return server },
			Name:         Address,
		}},
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			c.server = grpc.NewServer(append(options,
				grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage),
				grpc.NumStreamWorkers(streamWorkers), grpc.StatsHandler(c), grpc.UnaryInterceptor(c.intercept))...)
			time.AfterFunc(connectTimeout, func() {
				if c.connections.Load() == 0 {
					c.server.Stop()
				}
			})
			return c.server
		},
	})
}

// cliConnection is the connection to the CLI. It stops the server when the connection ends: go-plugin stops only on
// request, so a provider whose CLI was killed would keep running.
type cliConnection struct {
	server      *grpc.Server
	interrupted context.Context // canceled by the first signal
	cleanup     *cleanup
	connections atomic.Int32
}

// HandleConn implements [stats.Handler].
func (c *cliConnection) HandleConn(_ context.Context, event stats.ConnStats) {
	switch event.(type) {
	case *stats.ConnBegin:
		c.connections.Add(1)
	case *stats.ConnEnd:
		if c.connections.Add(-1) == 0 {
			c.cleanup.end()
			go c.server.Stop() // Stop waits for this handler.
		}
	}
}

// TagConn implements [stats.Handler].
func (c *cliConnection) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	return ctx
}

// TagRPC implements [stats.Handler].
func (c *cliConnection) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC implements [stats.Handler].
func (c *cliConnection) HandleRPC(context.Context, stats.RPCStats) {}

// interruptible are the requests that a signal cancels. Terraform and OpenTofu pass on an interrupt as StopProvider,
// except while `apply` plans (seen in Terraform 1.15 and OpenTofu 1.12), so a hanging sign-in or lookup would block
// them. Requests that create or delete are not included, except for the ephemeral resource, which deletes its invite
// when interrupted.
var interruptible = map[string]bool{
	"/tfplugin6.Provider/ImportResourceState":   true,
	"/tfplugin6.Provider/ReadResource":          true,
	"/tfplugin6.Provider/PlanResourceChange":    true,
	"/tfplugin6.Provider/ReadDataSource":        true,
	"/tfplugin6.Provider/OpenEphemeralResource": true,
}

// intercept handles a request.
func (c *cliConnection) intercept(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if info.FullMethod == "/plugin.GRPCController/Shutdown" {
		// The CLI kills the provider two seconds after the response.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()
		c.cleanup.run(ctx)
		return handle(ctx, request)
	}
	if interruptible[info.FullMethod] {
		bounded, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(c.interrupted, cancel)()
		ctx = bounded
	}
	return handle(ctx, request)
}
