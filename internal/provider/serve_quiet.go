package provider

import (
	"context"
	"os"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// silenceUnreadLogs switches off the logs of Terraform's libraries unless logs are read, which the variables beginning
// with TF_LOG say that Terraform passes on. The libraries write several lines of JSON for each attribute of each
// resource and leave it to Terraform to drop them (terraform-plugin-go 0.31), which takes a third of the CPU of a large
// plan. What a panic prints is no log.
func silenceUnreadLogs(server tfprotov6.ProviderServer, environment []string) tfprotov6.ProviderServer {
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		if value != "" && (strings.HasPrefix(name, "TF_LOG") || strings.HasPrefix(name, "TOFU_LOG")) {
			return server
		}
	}
	_ = os.Setenv("TF_LOG_SDK", "off") // It fails for malformed names only.
	if framework, ok := server.(frameworkServer); ok {
		return quietServer{framework}
	}
	return server // It can do less than the wrapper would promise.
}

// frameworkServer is all that terraform-plugin-framework's server can do. What is not in [tfprotov6.ProviderServer] is
// found by type assertion, so a wrapper must have it as well.
type frameworkServer interface {
	tfprotov6.ProviderServer
	tfprotov6.ListResourceServer
	tfprotov6.ActionServer
	tfprotov6.StateStoreServer
}

// quietServer gives the requests that come once for each resource a context without values: there are none but loggers.
//
// The framework keeps each request's context, to be able to cancel it, until the process ends (contextCancels in
// internal/proto6server of version 1.19; there is no issue about it). With its loggers a context takes some 17 KiB, and
// a plan makes four requests for each resource: of a thousand invites, the plan's peak is 350 MiB with and 60 MiB
// without them. Where the framework drops a context at the end of its request, quietServer can go.
type quietServer struct{ frameworkServer }

func (s quietServer) ValidateResourceConfig(ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return quietly(ctx, req, s.frameworkServer.ValidateResourceConfig)
}

func (s quietServer) UpgradeResourceState(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	return quietly(ctx, req, s.frameworkServer.UpgradeResourceState)
}

func (s quietServer) UpgradeResourceIdentity(ctx context.Context, req *tfprotov6.UpgradeResourceIdentityRequest) (*tfprotov6.UpgradeResourceIdentityResponse, error) {
	return quietly(ctx, req, s.frameworkServer.UpgradeResourceIdentity)
}

func (s quietServer) ImportResourceState(ctx context.Context, req *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	return quietly(ctx, req, s.frameworkServer.ImportResourceState)
}

func (s quietServer) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return quietly(ctx, req, s.frameworkServer.ReadResource)
}

func (s quietServer) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	return quietly(ctx, req, s.frameworkServer.PlanResourceChange)
}

func (s quietServer) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	return quietly(ctx, req, s.frameworkServer.ApplyResourceChange)
}

// quietly answers a request with a context that ends when ctx does, and has no values.
func quietly[Request, Response any](ctx context.Context, request Request, answer func(context.Context, Request) (Response, error)) (Response, error) {
	quiet, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	return answer(quiet, request)
}
