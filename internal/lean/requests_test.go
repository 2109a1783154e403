package lean

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	resourceschema "github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// thingProvider has one resource without attributes, which does something when its state is read.
type thingProvider struct{ onRead func(context.Context) }

func (*thingProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "a"
}

func (*thingProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{}
}

func (*thingProvider) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {
}

func (*thingProvider) DataSources(context.Context) []func() datasource.DataSource { return nil }

func (p *thingProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{func() resource.Resource { return &thing{onRead: p.onRead} }}
}

type thing struct{ onRead func(context.Context) }

func (*thing) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "a_thing"
}

func (*thing) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = resourceschema.Schema{}
}

func (t *thing) Read(ctx context.Context, _ resource.ReadRequest, _ *resource.ReadResponse) {
	t.onRead(ctx)
}

func (*thing) Create(context.Context, resource.CreateRequest, *resource.CreateResponse) {}
func (*thing) Update(context.Context, resource.UpdateRequest, *resource.UpdateResponse) {}
func (*thing) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}

// serverOf is the framework's server of such a provider, wrapped.
func serverOf(onRead func(context.Context)) tfprotov6.ProviderServer {
	return forget(providerserver.NewProtocol6(&thingProvider{onRead: onRead})())
}

// read has a thing read.
func read(ctx context.Context, t *testing.T, server tfprotov6.ProviderServer) {
	t.Helper()
	resp, err := server.ReadResource(ctx, &tfprotov6.ReadResourceRequest{
		TypeName:     "a_thing",
		CurrentState: &tfprotov6.DynamicValue{JSON: []byte("{}")},
	})
	if err != nil || len(resp.Diagnostics) > 0 {
		t.Fatalf("ReadResource: %v, %v", err, resp)
	}
}

type key struct{}

func TestRequestSeesItsContext(t *testing.T) {
	t.Parallel()
	deadline := time.Now().Add(time.Hour)
	ctx, cancel := context.WithDeadline(context.WithValue(t.Context(), key{}, "value"), deadline)
	defer cancel()
	read(ctx, t, serverOf(func(ctx context.Context) {
		if got, ok := ctx.Deadline(); !ok || !got.Equal(deadline) {
			t.Errorf("its deadline is %v, %v", got, ok)
		}
		if ctx.Value(key{}) != "value" {
			t.Error("it lacks a value")
		}
		if ctx.Err() != nil {
			t.Errorf("it is over: %v", ctx.Err())
		}
		cancel()
		awaitEnd(ctx, t)
		if !errors.Is(ctx.Err(), context.Canceled) {
			t.Errorf("after it was cancelled, its error is %v", ctx.Err())
		}
	}))
}

// awaitEnd fails the test if the context does not end.
func awaitEnd(ctx context.Context, t *testing.T) {
	t.Helper()
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Second):
		t.Error("its context does not end")
	}
}

func TestStoppingTheProviderCancelsItsRequests(t *testing.T) {
	t.Parallel()
	var server tfprotov6.ProviderServer
	server = serverOf(func(ctx context.Context) {
		if _, err := server.StopProvider(t.Context(), &tfprotov6.StopProviderRequest{}); err != nil {
			t.Error(err)
		}
		awaitEnd(ctx, t)
	})
	read(t.Context(), t, server)
}

func TestContextOutlivesItsRequestAsOneThatIsOver(t *testing.T) {
	t.Parallel()
	var kept context.Context
	read(context.WithValue(t.Context(), key{}, "value"), t, serverOf(func(ctx context.Context) { kept = ctx })) //nolint:fatcontext // That is what is tested.
	awaitEnd(kept, t)
	if kept.Err() == nil || kept.Value(key{}) != nil {
		t.Errorf("its error is %v and its value %v", kept.Err(), kept.Value(key{}))
	}
}

func TestWhatCameWithARequestIsForgottenAfterIt(t *testing.T) {
	t.Parallel()
	server := serverOf(func(context.Context) {})
	forgotten := make(chan struct{})
	func() {
		luggage := new([1 << 10]byte)
		runtime.SetFinalizer(luggage, func(*[1 << 10]byte) { close(forgotten) })
		read(context.WithValue(t.Context(), key{}, luggage), t, server)
	}()
	for range 100 {
		runtime.GC()
		select {
		case <-forgotten:
			runtime.KeepAlive(server)
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Error("the server still holds what came with the request")
}

func TestWrapperCanDoAllThatTheFrameworkCan(t *testing.T) {
	t.Parallel()
	if _, ok := serverOf(nil).(forgetful); !ok {
		t.Error("the framework's server is not wrapped: it lacks a method that the wrapper promises")
	}
}
