package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/ephemeral/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/duration"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/refs"
)

var (
	_ ephemeral.EphemeralResource                   = (*inviteCodeEphemeral)(nil)
	_ ephemeral.EphemeralResourceWithConfigure      = (*inviteCodeEphemeral)(nil)
	_ ephemeral.EphemeralResourceWithValidateConfig = (*inviteCodeEphemeral)(nil)
	_ ephemeral.EphemeralResourceWithClose          = (*inviteCodeEphemeral)(nil)
)

const (
	// defaultEphemeralTTL is longer than most runs, and short enough for a code that could not be deleted.
	defaultEphemeralTTL = "1h"

	// closeTimeout limits Close. OpenTofu 1.12 gives up after ten seconds, and panics if Close returns later
	// (opentofu/opentofu#4081).
	closeTimeout = 4 * time.Second

	// openedID is the key of the invite's UIDP in the private data.
	openedID = "id"
)

func newInviteCodeEphemeral() ephemeral.EphemeralResource { return &inviteCodeEphemeral{} }

// inviteCodeEphemeral is the ephemeral chainguard_invite_code: a code that is valid during one run and is stored in no
// file.
type inviteCodeEphemeral struct{ session *session }

// Metadata implements [ephemeral.EphemeralResource].
func (r *inviteCodeEphemeral) Metadata(_ context.Context, req ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_invite_code"
}

// Configure implements [ephemeral.EphemeralResourceWithConfigure].
func (r *inviteCodeEphemeral) Configure(_ context.Context, req ephemeral.ConfigureRequest, resp *ephemeral.ConfigureResponse) {
	r.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema implements [ephemeral.EphemeralResource].
func (r *inviteCodeEphemeral) Schema(ctx context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Creates an invite code that is valid only during a run. It is created when Terraform needs it, is stored in " +
			"neither the state nor a saved plan, and is deleted when the run no longer needs it. Use it for a code that is accepted within " +
			"the run.\n\n" +
			"~> Terraform opens an ephemeral resource in every plan and again in every apply, and each time a new invite code is created. " +
			"A run that fails or is interrupted deletes its invite code when it ends. If the provider is killed, the invite code stays valid " +
			"until its `ttl` expires: see [Finding what a run left behind](../guides/finding-leftovers.md).\n\n" +
			"Set exactly one of `role` and `cluster`, and a `group` here or in the provider's settings. Requires Terraform 1.10 or OpenTofu " +
			"1.11, or later.",
		Attributes: map[string]schema.Attribute{
			"group": schema.StringAttribute{
				MarkdownDescription: groupDescription,
				Optional:            true,
				Computed:            true,
				Validators:          []validator.String{groupReference},
			},
			"role": schema.StringAttribute{
				MarkdownDescription: roleDescription,
				Optional:            true,
				Validators:          []validator.String{roleReference},
			},
			"cluster": schema.BoolAttribute{MarkdownDescription: clusterDescription, Optional: true},
			"ttl": schema.StringAttribute{
				CustomType: duration.Type{},
				MarkdownDescription: "How long the code is valid if it is not deleted before, such as `15m`, `1h30m` or `2d`. " + ttlUnits +
					". Defaults to `1h`.",
				Optional: true,
				Computed: true,
			},
			"email": schema.StringAttribute{
				MarkdownDescription: emailDescription,
				Optional:            true,
				Validators:          []validator.String{bareEmail},
			},
			"single_use": schema.BoolAttribute{MarkdownDescription: singleUseDescription, Optional: true, Computed: true},
			"revoke_on_close": schema.BoolAttribute{
				MarkdownDescription: "Whether the invite code is deleted when the run no longer needs it. Defaults to `true`. With `false`, every " +
					"plan and every apply leaves an invite code that is valid until its `ttl` expires. `!terraform.applying` leaves only that " +
					"of the apply.",
				Optional: true,
				Computed: true,
			},
			"id":        schema.StringAttribute{MarkdownDescription: inviteIDDescription, Computed: true},
			"group_id":  schema.StringAttribute{MarkdownDescription: groupIDDescription, Computed: true},
			"role_id":   schema.StringAttribute{MarkdownDescription: roleIDDescription, Computed: true},
			"role_name": schema.StringAttribute{MarkdownDescription: "Name of the role.", Computed: true},
			"code": schema.StringAttribute{
				MarkdownDescription: codeDescription,
				Computed:            true,
				Sensitive:           true,
			},
			"created_at": schema.StringAttribute{MarkdownDescription: createdAtDescription, Computed: true},
			"expires_at": schema.StringAttribute{MarkdownDescription: expiresAtDescription, Computed: true},
		},
		Blocks: map[string]schema.Block{
			"timeouts": timeouts.BlockWithOpts(ctx, timeouts.Opts{
				OpenDescription: "Timeout for creating the invite, such as `10m`. Defaults to `5m`.",
			}),
		},
	}
}

// inviteCodeEphemeralModel is the ephemeral resource in the configuration and the result.
type inviteCodeEphemeralModel struct {
	inviteModel

	RevokeOnClose types.Bool     `tfsdk:"revoke_on_close"`
	Timeouts      timeouts.Value `tfsdk:"timeouts"`
}

// ValidateConfig implements [ephemeral.EphemeralResourceWithValidateConfig].
func (r *inviteCodeEphemeral) ValidateConfig(ctx context.Context, req ephemeral.ValidateConfigRequest, resp *ephemeral.ValidateConfigResponse) {
	var config inviteCodeEphemeralModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	validateRoleOrCluster(config.Role, config.Cluster, &resp.Diagnostics)

	if revoke := config.RevokeOnClose; !revoke.IsUnknown() && !revoke.IsNull() && !revoke.ValueBool() {
		resp.Diagnostics.AddAttributeWarning(path.Root("revoke_on_close"), summaryNotDeletedOnClose, "With "+
			"`revoke_on_close = false`, every plan and every apply creates an invite code that is valid until its `ttl` expires, whether it is "+
			"used or not. Set `revoke_on_close = !terraform.applying` to delete those of plans. Keep `ttl` short, and set `email` or "+
			"`single_use = true` to limit the impact of unused codes. For a code that outlives the run, consider the resource "+
			"`chainguard_invite_code`, which creates one code and keeps it.")
	}
}

// Open implements [ephemeral.EphemeralResource]. If it fails after the create, it deletes the invite, because Terraform
// closes only what Open returned without an error.
func (r *inviteCodeEphemeral) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var result inviteCodeEphemeralModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &result)...)
	timeout, diags := result.Timeouts.Open(ctx, defaultCreateTimeout)
	resp.Diagnostics.Append(diags...)
	result.complete(r.session, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	if !req.Config.Raw.IsFullyKnown() || result.Group.IsUnknown() || !r.session.ready() {
		r.postpone(ctx, &result, resp)
		return
	}
	client := r.session.client(&resp.Diagnostics)
	if client == nil {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	r.session.resolve(bounded, &result.inviteModel, &resp.Diagnostics)
	spec, err := result.spec()
	if err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("ttl"), summaryInvalidDuration, err.Error())
	}
	if resp.Diagnostics.HasError() {
		return
	}
	invite, err := r.session.cleanup.createInvite(bounded, client, spec, result.RevokeOnClose.ValueBool())
	if err != nil {
		addError(&resp.Diagnostics, summaryCreateInvite, err)
		return
	}

	result.FromAPI(invite)
	result.Code = types.StringValue(invite.Code.Reveal())
	resp.Diagnostics.Append(resp.Result.Set(ctx, &result)...)
	if result.RevokeOnClose.ValueBool() {
		resp.Diagnostics.Append(keepForClose(ctx, resp, invite.ID)...)
	}
	if ctx.Err() != nil {
		resp.Diagnostics.AddError(summaryInterrupted, "The run was interrupted while the invite code was being created, so it was deleted.")
	}
	if resp.Diagnostics.HasError() {
		r.delete(ctx, client, invite.ID, &resp.Diagnostics)
		return
	}
	warnOfLifetime(&resp.Diagnostics, spec, invite)
	warnOfLostAnswer(&resp.Diagnostics, invite)
}

// complete sets defaults. It keeps configured values unchanged, because Terraform compares them with the result.
func (m *inviteCodeEphemeralModel) complete(s *session, diags *diag.Diagnostics) {
	if m.Group.IsNull() {
		m.Group = s.defaultGroup(inviteGroupUse, diags)
	}
	if m.TTL.IsNull() {
		m.TTL = duration.NewValue(defaultEphemeralTTL)
	}
	if m.SingleUse.IsNull() {
		m.SingleUse = types.BoolValue(false)
	}
	if m.RevokeOnClose.IsNull() {
		m.RevokeOnClose = types.BoolValue(true)
	}
	m.ID, m.Code = types.StringUnknown(), types.StringUnknown()
	m.GroupID, m.RoleID, m.RoleName = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	m.CreatedAt, m.ExpiresAt = types.StringUnknown(), types.StringUnknown()
}

// postpone creates nothing, because the invite depends on a value known only after apply. Terraform continues its plan
// with an unknown result. (It does not call Open if an argument is unknown.) OpenTofu rejects an unknown result, and
// the warning explains its error.
func (r *inviteCodeEphemeral) postpone(ctx context.Context, result *inviteCodeEphemeralModel, resp *ephemeral.OpenResponse) {
	why := "some of its arguments are not known yet"
	if err := r.session.settings.CheckCallable(); err != nil {
		why = err.Error()
	}
	resp.Diagnostics.AddWarning(summaryNotCreatedYet, "The invite code will be created in the apply, and is unknown until then: "+sentence(why)+
		" OpenTofu does not support unknown values here, and fails.")
	resp.Diagnostics.Append(resp.Result.Set(ctx, result)...)
}

// keepForClose stores the UIDP of the invite for Close, and nothing else.
func keepForClose(ctx context.Context, resp *ephemeral.OpenResponse, id string) diag.Diagnostics {
	return resp.Private.SetKey(ctx, openedID, strconv.AppendQuote(nil, id)) // The value must be JSON.
}

// Close implements [ephemeral.EphemeralResourceWithClose]. It has only the invite's UIDP.
func (r *inviteCodeEphemeral) Close(ctx context.Context, req ephemeral.CloseRequest, resp *ephemeral.CloseResponse) {
	value, diags := req.Private.GetKey(ctx, openedID)
	resp.Diagnostics.Append(diags...)
	if len(value) == 0 {
		return // No invite was created, or revoke_on_close is false.
	}
	var id string
	if err := json.Unmarshal(value, &id); err != nil || !refs.IsInviteUIDP(id) {
		resp.Diagnostics.AddError(summaryDeleteInvite, "Terraform did not return the ID of the invite to delete. The invite is valid until its "+
			"`ttl` expires. Find it with `chainctl iam invites list`, and delete it with `chainctl iam invites delete`.")
		return
	}
	if client := r.session.client(&resp.Diagnostics); client != nil {
		r.delete(ctx, client, id, &resp.Diagnostics)
	}
}

// delete deletes an invite that Open created. It ignores the cancellation of ctx, so that an interrupted run deletes it
// as well. If it fails, the provider tries again when it exits.
func (r *inviteCodeEphemeral) delete(ctx context.Context, client *platform.Client, id string, diags *diag.Diagnostics) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	err := client.DeleteInvite(ctx, id)
	if err == nil {
		r.session.cleanup.closed(id)
		return
	}
	r.session.cleanup.opened(id, client)
	var why diag.Diagnostics
	addError(&why, summaryDeleteInvite, err)
	for _, reason := range why {
		diags.AddError(summaryDeleteInvite, fmt.Sprintf(
			"Invite %s may be valid until its `ttl` expires. The provider tries to delete it once more when it ends. To be sure, delete it "+
				"with `chainctl iam invites delete %s`.\n\n%s", id, id, reason.Detail()))
	}
}
