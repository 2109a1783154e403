package provider

import (
	"context"
	"os"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// silenceUnreadLogs turns off the logs of Terraform's libraries unless a variable that starts with TF_LOG is set. The
// libraries write several lines of JSON for each attribute of each resource, and Terraform discards them
// (terraform-plugin-go 0.31). This takes a third of the CPU time of a large plan. It does not affect the output of a
// panic.
func silenceUnreadLogs(server tfprotov6.ProviderServer, environment []string) tfprotov6.ProviderServer {
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		if value != "" && (strings.HasPrefix(name, "TF_LOG") || strings.HasPrefix(name, "TOFU_LOG")) {
			return server
		}
	}
	_ = os.Setenv("TF_LOG_SDK", "off") // It fails only for malformed names.
	if framework, ok := server.(frameworkServer); ok {
		return quietServer{framework}
	}
	return server // It lacks methods that the wrapper has.
}

// frameworkServer has all methods of terraform-plugin-framework's server. Those outside of [tfprotov6.ProviderServer]
// are found by type assertion, so a wrapper must have them as well.
type frameworkServer interface {
	tfprotov6.ProviderServer
	tfprotov6.ListResourceServer
	tfprotov6.ActionServer
	tfprotov6.StateStoreServer
}

// quietServer handles the requests that are made for each resource with a context without values, which are only loggers.
//
// The framework keeps the context of each request until the process exits, to be able to cancel it (contextCancels in
// internal/proto6server of version 1.19; there is no issue about it). With its loggers a context takes about 17 KiB, and
// a plan makes four requests for each resource. For a thousand invites, the plan's peak is 350 MiB with loggers and
// 60 MiB without them. Remove quietServer once the framework drops a context at the end of its request.
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

// quietly handles a request with a context that ends when ctx does, and has no values.
func quietly[Request, Response any](ctx context.Context, request Request, answer func(context.Context, Request) (Response, error)) (Response, error) {
	quiet, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	return answer(quiet, request)
}
