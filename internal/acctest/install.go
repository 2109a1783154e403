package acctest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

// OurSource is how configurations name the provider.
const OurSource = "chainguard-invites/chainguard"

// ServerFactory makes a provider that a test serves to Terraform.
type ServerFactory = func() (tfprotov6.ProviderServer, error)

// ServerOf is the provider under test on this platform, to be served in a [Workspace].
func (p *Platform) ServerOf() map[string]ServerFactory {
	return map[string]ServerFactory{OurSource: p.Factories()["chainguard"]}
}

// reattach serves providers until the test ends, and returns the setting that tells Terraform of them.
func (w *Workspace) reattach(serve map[string]ServerFactory) string {
	w.t.Helper()
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
		name := w.Host() + "/" + source
		config := serveProvider(w.t, name, factory)
		served[name] = provider{
			Protocol: string(config.Protocol), ProtocolVersion: config.ProtocolVersion, Pid: config.Pid, Test: config.Test,
			Addr: address{config.Addr.Network(), config.Addr.String()},
		}
	}
	text, err := json.Marshal(served)
	if err != nil {
		w.t.Fatal(err)
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

// overrideProvider has Terraform start this program wherever a configuration names our provider, without an init.
func (w *Workspace) overrideProvider(program string) {
	w.t.Helper()
	w.setCLIConfig(fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n  }\n  direct {}\n}\n",
		w.Host()+"/"+OurSource, filepath.ToSlash(filepath.Dir(program))))
}

// InstallProvider has `terraform init` install the provider that is built from these sources, and no other.
func (w *Workspace) InstallProvider() {
	w.t.Helper()
	program, err := os.ReadFile(ProviderProgram(w.t))
	if err != nil {
		w.t.Fatal(err)
	}
	mirror := w.t.TempDir()
	platform := runtime.GOOS + "_" + runtime.GOARCH
	folder := filepath.Join(mirror, w.Host(), filepath.FromSlash(OurSource), mirroredVersion, platform)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		w.t.Fatal(err)
	}
	name := "terraform-provider-chainguard_v" + mirroredVersion
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if err := os.WriteFile(filepath.Join(folder, name), program, 0o700); err != nil {
		w.t.Fatal(err)
	}
	w.Mirror(mirror)
}

// mirroredVersion is what Terraform takes the provider for: it installs no pre-release that was not asked for.
const mirroredVersion = "0.0.1"

// Mirror has `terraform init` install providers from this folder, and from nowhere else.
func (w *Workspace) Mirror(folder string) {
	w.t.Helper()
	w.setCLIConfig(fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n",
		filepath.ToSlash(folder)))
}

// setCLIConfig writes the configuration of the CLI, which is otherwise that of whoever runs the tests.
func (w *Workspace) setCLIConfig(config string) {
	w.t.Helper()
	file := filepath.Join(w.home(), "terraform.rc")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.Setenv("TF_CLI_CONFIG_FILE", file)
}
