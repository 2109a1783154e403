package lean

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// frameworkServer is all that the framework's server can do. What is not in [tfprotov6.ProviderServer] is found by type
// assertion, so a wrapper has to have it too.
type frameworkServer interface {
	tfprotov6.ProviderServer
	tfprotov6.ListResourceServer
	tfprotov6.ActionServer
	tfprotov6.StateStoreServer
}

// forgetful is the framework's server without its memory of requests: to be able to cancel them when the provider is
// stopped, that keeps the context of each for as long as the process lives, and with it the request's loggers and its
// stream, some 16 KiB. A plan makes four requests for each resource, so a thousand of them took 65 MiB, over which the
// garbage collector went again and again. Here, it keeps contexts that let go of all that when their request is over.
//
// These are the requests that come once for each resource. Others are few, and some answer with a stream that outlives
// the call.
type forgetful struct{ frameworkServer }

// forget wraps the framework's server, so that it keeps no request that is over.
func forget(server tfprotov6.ProviderServer) tfprotov6.ProviderServer {
	framework, ok := server.(frameworkServer)
	if !ok {
		return server // It can do less than a wrapper of it would promise.
	}
	return forgetful{framework}
}

func (f forgetful) ValidateResourceConfig(ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return during(ctx, req, f.frameworkServer.ValidateResourceConfig)
}

func (f forgetful) UpgradeResourceState(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	return during(ctx, req, f.frameworkServer.UpgradeResourceState)
}

func (f forgetful) UpgradeResourceIdentity(ctx context.Context, req *tfprotov6.UpgradeResourceIdentityRequest) (*tfprotov6.UpgradeResourceIdentityResponse, error) {
	return during(ctx, req, f.frameworkServer.UpgradeResourceIdentity)
}

func (f forgetful) ImportResourceState(ctx context.Context, req *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	return during(ctx, req, f.frameworkServer.ImportResourceState)
}

func (f forgetful) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return during(ctx, req, f.frameworkServer.ReadResource)
}

func (f forgetful) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	return during(ctx, req, f.frameworkServer.PlanResourceChange)
}

func (f forgetful) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	return during(ctx, req, f.frameworkServer.ApplyResourceChange)
}

// during answers a request with a context that ends with it.
func during[Request, Response any](ctx context.Context, request Request, answer func(context.Context, Request) (Response, error)) (Response, error) {
	ctx, cancel := context.WithCancel(ctx)
	c := new(requestContext)
	c.current.Store(&ctx)
	defer func() {
		cancel() // With it ends what was derived from it.
		c.current.Store(&over)
	}()
	return answer(c, request)
}

// requestContext is another context until the request is over.
type requestContext struct {
	current atomic.Pointer[context.Context]
}

// over is the context of requests that are over.
var over = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

func (c *requestContext) Deadline() (time.Time, bool) { return (*c.current.Load()).Deadline() }
func (c *requestContext) Done() <-chan struct{}       { return (*c.current.Load()).Done() }
func (c *requestContext) Err() error                  { return (*c.current.Load()).Err() }
func (c *requestContext) Value(key any) any           { return (*c.current.Load()).Value(key) }
