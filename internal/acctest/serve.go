package acctest

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

// ServerFactory creates a provider that a test serves to Terraform.
type ServerFactory = func() (tfprotov6.ProviderServer, error)

// ServerOf returns the provider under test on this platform, for [NewWorkspace].
func (p *Platform) ServerOf() map[string]ServerFactory {
	return map[string]ServerFactory{OurSource: p.Factories()["chainguard"]}
}

// reattach serves providers until the test ends, and returns the value of TF_REATTACH_PROVIDERS for a CLI whose default
// registry is host.
func reattach(t *testing.T, host string, serve map[string]ServerFactory) string {
	t.Helper()
	type address struct{ Network, String string }
	type provider struct {
		Protocol        string
		ProtocolVersion int
		Pid             int
		Test            bool
		Addr            address
	}
	served := map[string]provider{}
	for source, factory := range serve {
		name := host + "/" + source
		config := serveProvider(t, name, factory)
		served[name] = provider{
			Protocol: string(config.Protocol), ProtocolVersion: config.ProtocolVersion, Pid: config.Pid, Test: config.Test,
			Addr: address{config.Addr.Network(), config.Addr.String()},
		}
	}
	text, err := json.Marshal(served)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func serveProvider(t *testing.T, name string, factory ServerFactory) *plugin.ReattachConfig {
	t.Helper()
	server, err := factory()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	config, closed := make(chan *plugin.ReattachConfig), make(chan struct{})
	t.Cleanup(func() {
		cancel()
		<-closed
	})
	ended := make(chan error, 1)
	go func() {
		ended <- tf6server.Serve(name, func() tfprotov6.ProviderServer { return server },
			tf6server.WithDebug(ctx, config, closed), tf6server.WithGoPluginLogger(hclog.NewNullLogger()),
			tf6server.WithLoggingSink(t), tf6server.WithoutLogStderrOverride())
	}()
	select {
	case c := <-config:
		return c
	case err := <-ended:
		close(closed)
		t.Fatalf("serving %s: %v", name, err)
		return nil
	}
}
