package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/seal"
)

// The code of an invite with recipients is encrypted to them as soon as the platform has responded, and only
// encrypted_code is stored in the state. So exactly one of code and encrypted_code has a value, and after an import
// neither has.

// publicKeys validates recipients.
type publicKeys struct{}

// Description implements [validator.Set].
func (publicKeys) Description(context.Context) string {
	return "each element must be an age or SSH public key, and there must be at least one"
}

// MarkdownDescription implements [validator.Set].
func (v publicKeys) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

// ValidateSet implements [validator.Set].
func (publicKeys) ValidateSet(_ context.Context, req validator.SetRequest, resp *validator.SetResponse) {
	parseRecipients(req.ConfigValue, &resp.Diagnostics)
}

// parseRecipients parses the known recipients. It returns nil if there are none.
func parseRecipients(recipients types.Set, diags *diag.Diagnostics) seal.Recipients {
	if !isKnown(recipients) {
		return nil
	}
	at := path.Root("recipients")
	if len(recipients.Elements()) == 0 {
		diags.AddAttributeError(at, summaryInvalidRecipients, "`recipients` is empty, so the code can be encrypted to no one. Add a public key. "+
			"To keep the code in the state in plain text instead, omit the attribute or set it to null.")
		return nil
	}
	var texts []string
	var problems []*seal.KeyError
	for _, element := range recipients.Elements() {
		text, ok := element.(types.String)
		if !ok || text.IsNull() {
			diags.AddAttributeError(at, summaryInvalidRecipients, "A recipient is null. Remove it, or write a public key in its place.")
			return nil
		}
		if text.IsUnknown() {
			continue
		}
		var problem *seal.KeyError
		if _, err := seal.ParseRecipient(text.ValueString()); errors.As(err, &problem) {
			problems = append(problems, problem)
		}
		texts = append(texts, text.ValueString())
	}
	if len(problems) > 0 {
		addKeyErrors(diags, at, problems)
		return nil
	}
	keys, err := seal.ParseRecipients(texts)
	var problem *seal.KeyError
	if errors.As(err, &problem) {
		diags.AddAttributeError(at, summaryInvalidRecipients, problem.Detail)
	}
	return keys
}

// addKeyErrors adds an error for each invalid recipient. It points at the attribute unless one of them may be a private
// key, because Terraform prints the lines that an error points at. The path of an element would not help: the protocol
// does not support elements of sets, and logs show it.
func addKeyErrors(diags *diag.Diagnostics, at path.Path, problems []*seal.KeyError) {
	if !slices.ContainsFunc(problems, func(p *seal.KeyError) bool { return p.Secret }) {
		for _, problem := range problems {
			diags.AddAttributeError(at, summaryInvalidRecipients, problem.Detail)
		}
		return
	}
	for _, problem := range problems {
		if problem.Secret {
			diags.AddError(summaryInvalidRecipients, problem.Detail+"\n\nThe attribute is `recipients`. Its lines are not shown.")
		}
	}
}

// sameRecipients reports whether both have the same public keys, regardless of comments.
func sameRecipients(a, b types.Set) bool {
	if a.Equal(b) {
		return true
	}
	if !isFullyKnown(a) || !isFullyKnown(b) {
		return false
	}
	var problems diag.Diagnostics
	keys, others := parseRecipients(a, &problems), parseRecipients(b, &problems)
	return !problems.HasError() && keys.Equal(others)
}

// isFullyKnown reports whether a set has a value and all of its elements are known.
func isFullyKnown(set types.Set) bool {
	return isKnown(set) && !slices.ContainsFunc(set.Elements(), attr.Value.IsUnknown)
}

// planNewCode plans whether a new invite gets code or encrypted_code.
func (m *inviteCodeModel) planNewCode() {
	m.Code, m.EncryptedCode = types.StringUnknown(), types.StringUnknown()
	switch {
	case m.Recipients.IsUnknown():
	case m.Recipients.IsNull():
		m.EncryptedCode = types.StringNull()
	default:
		m.Code = types.StringNull()
	}
}

// planKeptCode plans the code of an invite that is not replaced. With recipients, the plaintext is removed.
func (m *inviteCodeModel) planKeptCode(state *inviteCodeModel, diags *diag.Diagnostics) {
	m.Code = keptCode(state.Code, m.Recipients)
	isAccepted := state.Status.ValueString() == statusConsumed
	if !isAccepted && isKnown(m.Recipients) && state.Recipients.IsNull() {
		diags.AddAttributeWarning(path.Root("recipients"), summaryNoCodeToEncrypt,
			"The invite was imported or moved here, so it has no code that was encrypted when it was created. `encrypted_code` is null, and a "+
				"`code` in the state is removed from it. To get an encrypted code, create a new one, which revokes this one: run "+
				"`terraform apply -replace=ADDRESS`.")
	}
}

// keptCode returns the code that stays in the state. It is unknown while it depends on unknown recipients, which are
// known when Terraform plans again during apply.
func keptCode(code types.String, recipients types.Set) types.String {
	switch {
	case code.IsNull() || recipients.IsNull():
		return code
	case recipients.IsUnknown():
		return types.StringUnknown()
	default:
		return types.StringNull()
	}
}

// sealCode encrypts the code of a new invite. If that fails, it deletes the invite, whose code is lost. If that fails
// as well, the model becomes an invite without a code, which must be stored in the state.
func (s *session) sealCode(ctx context.Context, client *platform.Client, plan *inviteCodeModel, recipients seal.Recipients,
	invite *platform.Invite, diags *diag.Diagnostics,
) (exists bool) {
	plan.Code, plan.EncryptedCode = types.StringNull(), types.StringNull()
	// Only the recipients may know an encrypted code, so remove it from the known secrets.
	defer s.secrets.Remove(invite.Code.Reveal())
	encrypted, err := s.seal(recipients, invite.Code)
	if err == nil {
		plan.EncryptedCode = types.StringValue(encrypted)
		return true
	}

	detail := fmt.Sprintf("Invite %s was created, and encrypting its code to `recipients` failed: %s", invite.ID, sentence(s.secrets.Text(err.Error())))
	// An interrupt must not leave an invite behind whose code is in no state.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), defaultDeleteTimeout)
	defer cancel()
	if err := client.DeleteInvite(ctx, invite.ID); err != nil {
		diags.AddError(summaryEncryptCode, fmt.Sprintf("%s\n\nDeleting the invite failed as well: %s\n\nIt is in the state "+
			"without a code and marked as tainted, so the next apply deletes it and creates another.", detail, sentence(s.secrets.Text(err.Error()))))
		return true
	}
	diags.AddError(summaryEncryptCode, detail+"\n\nThe invite was deleted, so nothing was left behind. Run again; if it fails "+
		"again, create another key pair for the recipient.")
	return false
}
