package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/rpc"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/seal"
)

// session is what a configured provider passes to its resources: the settings, and a client that is created when it is
// first needed, so that what needs no API works offline and without credentials.
type session struct {
	settings config.Settings
	deferred []config.Problem // errors in the environment, reported where the settings are first used
	clock    clock.Clock
	secrets  *redact.Secrets
	connect  func() (*platform.Client, error)
	cleanup  *cleanup
	seal     func(seal.Recipients, redact.Secret) (string, error)
}

// logCall writes a call to Terraform's log. Never what was sent or answered: codes and tokens are in there.
func logCall(ctx context.Context, call rpc.Call) {
	tflog.Debug(ctx, "Called the Chainguard API", map[string]any{
		"method": call.Method, "code": call.Code.String(), "took_ms": call.Took.Milliseconds(),
	})
}

// ready reports whether the platform can be called. It cannot in a plan of a configuration whose provider block refers
// to what is not there yet.
func (s *session) ready() bool { return s.settings.CheckCallable() == nil }

// client is the connection to the platform. Where there can be none, the diagnostics say why.
func (s *session) client(diags *diag.Diagnostics) *platform.Client {
	if len(s.deferred) > 0 {
		s.addDeferred(diags)
		return nil
	}
	if err := s.settings.CheckCallable(); err != nil {
		diags.AddError(summaryUnknownProvider, sentence(err.Error()))
		return nil
	}
	client, err := s.connect()
	if err != nil {
		diags.AddError(summaryUnusableAPI, sentence(err.Error()))
		return nil
	}
	return client
}

// addDeferred adds what is wrong with the environment.
func (s *session) addDeferred(diags *diag.Diagnostics) {
	for _, problem := range s.deferred {
		addProblem(diags, problem)
	}
}

// groupSetting returns the provider's default group, which is null if there is none. inBlock reports whether the
// provider block sets it, and not a personal default in the environment or in chainctl's file, which decides where new
// invites go and must not move one that exists.
func (s *session) groupSetting() (group types.String, inBlock bool) {
	switch inBlock = s.settings.InBlock("group"); {
	case s.settings.IsUnknown("group"):
		return types.StringUnknown(), inBlock
	case s.settings.Group == "":
		return types.StringNull(), false
	default:
		return types.StringValue(s.settings.Group), inBlock
	}
}

// configured takes the session out of what Terraform hands to a resource's Configure. It is nil before the provider
// is configured, as while validating.
func configured(data any, diags *diag.Diagnostics) *session {
	if data == nil {
		return nil
	}
	s, ok := data.(*session)
	if !ok {
		diags.AddError(summaryUnexpectedData,
			fmt.Sprintf("The provider handed %T to one of its own resources. Please report this to its developers.", data))
	}
	return s
}
