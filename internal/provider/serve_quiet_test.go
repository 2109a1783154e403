package provider

import (
	"context"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// framework returns the framework's server for the provider.
func framework() tfprotov6.ProviderServer { return providerserver.NewProtocol6(New("test")())() }

func TestServe_silencesUnreadLogs(t *testing.T) {
	for name, test := range map[string]struct {
		environment []string
		silenced    bool
	}{
		"no setting":            {[]string{"PATH=/bin"}, true},
		"empty setting":         {[]string{"TF_LOG="}, true},
		"all logs":              {[]string{"TF_LOG=debug"}, false},
		"logs of providers":     {[]string{"TF_LOG_PROVIDER=info"}, false},
		"logs of this provider": {[]string{"TF_LOG_PROVIDER_CHAINGUARD=trace"}, false},
		"logs of a library":     {[]string{"TF_LOG_SDK_FRAMEWORK=warn"}, false},
		"OpenTofu's name":       {[]string{"TOFU_LOG=debug"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TF_LOG_SDK", "")
			_, quiet := silenceUnreadLogs(framework(), test.environment).(quietServer)
			if quiet != test.silenced {
				t.Errorf("quiet %t, want %t", quiet, test.silenced)
			}
		})
	}
}

// The wrapper would hide interfaces that a newer framework's server implements.
func TestServe_quietServerHasAllMethodsOfTheFramework(t *testing.T) {
	t.Parallel()
	server, quiet := reflect.TypeOf(framework()), reflect.TypeFor[quietServer]()
	for i := range server.NumMethod() {
		if name := server.Method(i).Name; !hasMethod(quiet, name) {
			t.Errorf("quietServer lacks %s", name)
		}
	}
}

func hasMethod(typ reflect.Type, name string) bool {
	_, ok := typ.MethodByName(name)
	return ok
}

func TestServe_quietContextEndsWithItsRequest(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := quietly(ctx, 0, func(quiet context.Context, _ int) (int, error) {
		if quiet.Err() != nil {
			t.Error("it has ended before its request")
		}
		cancel()
		<-quiet.Done()
		return 0, quiet.Err()
	})
	if err == nil {
		t.Error("it does not end when its request does")
	}
}

func TestServe_quietServerKeepsNothingOfARequest(t *testing.T) {
	t.Parallel()
	type key struct{}
	server := quietServer{framework().(frameworkServer)}
	forgotten := make(chan struct{})
	func() {
		value := new([1 << 10]byte)
		runtime.SetFinalizer(value, func(*[1 << 10]byte) { close(forgotten) })
		ctx := context.WithValue(t.Context(), key{}, value)
		if _, err := server.ReadResource(ctx, &tfprotov6.ReadResourceRequest{TypeName: "chainguard_invite_code"}); err != nil {
			t.Fatal(err)
		}
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
	t.Error("the server still holds a value of the request's context")
}
