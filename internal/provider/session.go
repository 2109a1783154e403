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

// session is the configured provider as its resources use it. It creates the client on first use, so that everything that
// needs no API works offline and without credentials.
type session struct {
	settings config.Settings
	deferred []config.Problem // errors in the environment, reported when the settings are first used
	clock    clock.Clock
	secrets  *redact.Secrets
	connect  func() (*platform.Client, error)
	cleanup  *cleanup
	seal     func(seal.Recipients, redact.Secret) (string, error)
}

// logCall logs a call. It never logs requests and responses, which contain codes and tokens.
func logCall(ctx context.Context, call rpc.Call) {
	tflog.Debug(ctx, "Called the Chainguard API", map[string]any{
		"method": call.Method, "code": call.Code.String(), "took_ms": call.Took.Milliseconds(),
	})
}

// ready reports whether the platform can be called. It is false during a plan while the provider block has unknown
// values.
func (s *session) ready() bool { return s.settings.CheckCallable() == nil }

// client returns the client of the platform, or adds errors if there is none.
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

// addDeferred adds the errors in the environment.
func (s *session) addDeferred(diags *diag.Diagnostics) {
	for _, problem := range s.deferred {
		addProblem(diags, problem)
	}
}

// groupSetting returns the provider's default group, null if there is none. inBlock reports whether the provider block
// sets it. A default from the environment or from chainctl's file is personal: it decides where new invites go and must
// not move existing ones.
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

// configured returns the session from the data passed to a resource's Configure. It is nil before the provider is
// configured, for example during validation.
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
