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
	// shutdownTimeout bounds how long the CLI waits for the provider to end.
	shutdownTimeout = 10 * time.Second

	// orphanTimeout bounds how long the provider outlives its CLI. A create whose answer is lost is looked for longer than
	// anything else takes.
	orphanTimeout = time.Minute

	// connectTimeout is how long go-plugin's client waits for a provider to start. A CLI that has not connected by then
	// has ended.
	connectTimeout = time.Minute

	// maxMessage is how long a message may be, in bytes, as [tf6server.Serve] has it.
	maxMessage = 256 << 20

	// gcPercent lets the heap, which is a few MiB, grow to four times of what is in use before it is collected. With Go's
	// default, a fourth of the CPU of a plan of a thousand invites is spent on that.
	gcPercent = 300
)

// Serve serves the provider to the CLI that started this process, until the CLI ends. Invites that were created and that
// the CLI cannot delete are deleted then. With debugging the provider runs on its own, for a debugger, and serves any
// CLI.
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

// serveCLI does what [tf6server.Serve] does, and heeds signals and the end of the CLI.
func serveCLI(ctx context.Context, server tfprotov6.ProviderServer, atEnd *cleanup) {
	// A signal that is sent to all processes of a job does not end the provider: the CLI waits for what is under way, or it
	// ends, which is noticed. SIGPIPE would end it when it logs after the CLI has ended.
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
				grpc.StatsHandler(c), grpc.UnaryInterceptor(c.intercept))...)
			time.AfterFunc(connectTimeout, func() {
				if c.connections.Load() == 0 {
					c.server.Stop()
				}
			})
			return c.server
		},
	})
}

// cliConnection is the connection to the CLI. It ends the server with it: go-plugin ends a server only when it is told
// to, so that a provider whose CLI was killed would stay.
type cliConnection struct {
	server      *grpc.Server
	interrupted context.Context // ends with the first signal
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
			go c.server.Stop() // Waits for this.
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

// interruptible are the requests that a signal ends. Terraform and OpenTofu pass an interrupt on as StopProvider, but not
// while `apply` plans (seen in Terraform 1.15 and OpenTofu 1.12), where a sign-in or a lookup that hangs would keep them
// waiting. What creates or deletes is not among them, but for the ephemeral resource, which deletes what it created
// when it is interrupted.
var interruptible = map[string]bool{
	"/tfplugin6.Provider/ImportResourceState":   true,
	"/tfplugin6.Provider/ReadResource":          true,
	"/tfplugin6.Provider/PlanResourceChange":    true,
	"/tfplugin6.Provider/ReadDataSource":        true,
	"/tfplugin6.Provider/OpenEphemeralResource": true,
}

// intercept answers a request.
func (c *cliConnection) intercept(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if info.FullMethod == "/plugin.GRPCController/Shutdown" {
		// The CLI kills the provider two seconds after the answer.
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
