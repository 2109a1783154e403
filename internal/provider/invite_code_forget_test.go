package provider

import (
	"encoding/base64"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/seal"
)

// The known secrets include each code, except codes that are encrypted.
func TestInviteCodeResource_seal_forgetsTheCode(t *testing.T) {
	t.Parallel()
	const code redact.Secret = "eyJncnAiOiJjYW5hcnkifQ=="
	shown := base64.StdEncoding.EncodeToString([]byte(code.Reveal()))
	r := &inviteCodeResource{session: &session{
		secrets: new(redact.Secrets),
		seal: func(seal.Recipients, redact.Secret) (string, error) {
			return "sealed", nil
		},
	}}
	r.session.secrets.Add(code.Reveal()) // as the platform's client does
	plan := newInviteCodeModel()
	var diags diag.Diagnostics
	if !r.session.sealCode(t.Context(), nil, &plan, nil, &platform.Invite{Code: code}, &diags) || plan.EncryptedCode.ValueString() != "sealed" {
		t.Fatalf("the code is not encrypted: %v", diags)
	}
	if r.session.secrets.Cut(shown) != shown {
		t.Error("the process still knows the code")
	}
	if !plan.Code.IsNull() {
		t.Error("the model has the code in plain text")
	}
}
