package provider

import (
	"context"
	"encoding/json"
	"fmt"
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
	// defaultEphemeralTTL is longer than most runs, and short for a code whose revocation failed.
	defaultEphemeralTTL = "1h"

	// closeTimeout bounds Close. OpenTofu 1.12 gives up after ten seconds, and panics when Close answers later.
	closeTimeout = 4 * time.Second

	// openedID is where the private data has the UIDP of the invite that is to be revoked.
	openedID = "id"
)

func newInviteCodeEphemeral() ephemeral.EphemeralResource { return &inviteCodeEphemeral{} }

// inviteCodeEphemeral is the ephemeral chainguard_invite_code: a code that lives for one run and is in no file.
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
		MarkdownDescription: "An invite code that exists for the run only: it is minted when Terraform needs it, is written to neither the " +
			"state nor a saved plan, and is revoked when the run no longer needs it. It suits a code that is redeemed within the run, " +
			"or that is handed to another provider's write-only argument with `revoke_on_close = false`.\n\n" +
			"Terraform opens an ephemeral resource in every plan and again in every apply, and each time a new code is minted. The code of a " +
			"run that fails or is interrupted is revoked when the provider ends; only if it is killed does the code live until its `ttl` is " +
			"over.\n\n" +
			"Needs Terraform 1.10 or OpenTofu 1.11, or later.",
		Attributes: map[string]schema.Attribute{
			"group": schema.StringAttribute{
				MarkdownDescription: "Group that the invitee joins: a name, names from the organization down joined by `/` " +
					"(`acme.example/platform`), or a UIDP. Default: the provider's `group`.",
				Optional:   true,
				Computed:   true,
				Validators: []validator.String{groupReference},
			},
			"role": schema.StringAttribute{
				MarkdownDescription: "Role that the invitee gets in the group: a name, such as `viewer`, or a UIDP. Custom roles of the " +
					"group and of the groups above it can be named as well. Exactly one of `role` and `cluster` must be set.",
				Optional:   true,
				Validators: []validator.String{roleReference},
			},
			"cluster": schema.BoolAttribute{
				MarkdownDescription: "`true` gives the invitee the platform's default role for clusters instead of a `role`. Not every " +
					"platform has one any more.",
				Optional: true,
			},
			"ttl": schema.StringAttribute{
				CustomType: duration.Type{},
				MarkdownDescription: "How long the code lives if nothing revokes it before: numbers with the units `s`, `m` (minutes), `h`, `d` " +
					"and `w`, such as `15m`, `1h30m` or `2d`. Default: `1h`, which is shorter than the resource's, as the code is meant for the " +
					"run only.",
				Optional: true,
				Computed: true,
			},
			"email": schema.StringAttribute{
				MarkdownDescription: "Only address that may redeem the code. Without it, anybody who has the code can.",
				Optional:            true,
				Validators:          []validator.String{bareEmail},
			},
			"single_use": schema.BoolAttribute{
				MarkdownDescription: "Whether the code can be redeemed once only; the platform deletes it then. Default: `false`.",
				Optional:            true,
				Computed:            true,
			},
			"revoke_on_close": schema.BoolAttribute{
				MarkdownDescription: "Whether the code is revoked as soon as the run no longer needs it. Default: `true`. With `false` the code " +
					"of every plan and of every apply lives on until its `ttl` is over; `!terraform.applying` keeps only that of the apply.",
				Optional: true,
				Computed: true,
			},
			"id": schema.StringAttribute{
				MarkdownDescription: "UIDP of the invite.",
				Computed:            true,
			},
			"group_id": schema.StringAttribute{
				MarkdownDescription: "UIDP of the group.",
				Computed:            true,
			},
			"role_id": schema.StringAttribute{
				MarkdownDescription: "UIDP of the role.",
				Computed:            true,
			},
			"role_name": schema.StringAttribute{
				MarkdownDescription: "Name of the role.",
				Computed:            true,
			},
			"code": schema.StringAttribute{
				MarkdownDescription: "The invite code itself. Whoever has it can redeem it, as with `chainctl auth login --invite-code`.",
				Computed:            true,
				Sensitive:           true,
			},
			"created_at": schema.StringAttribute{
				MarkdownDescription: "When the invite was made, by the platform's clock (RFC 3339, UTC).",
				Computed:            true,
			},
			"expires_at": schema.StringAttribute{
				MarkdownDescription: "When the invite ends, by the platform's clock (RFC 3339, UTC).",
				Computed:            true,
			},
		},
		Blocks: map[string]schema.Block{
			"timeouts": timeouts.BlockWithOpts(ctx, timeouts.Opts{
				OpenDescription: "How long making the invite may take, such as `10m`. Default: `5m`.",
			}),
		},
	}
}

// inviteCodeEphemeralModel is the ephemeral resource as it stands in configuration and result.
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
		resp.Diagnostics.AddAttributeWarning(path.Root("revoke_on_close"), "Every Plan and Every Apply Mints a Code", "With "+
			"`revoke_on_close = false`, each plan and each apply mints another code, and each code lives until its `ttl` is over, whether "+
			"it was used or not. `revoke_on_close = !terraform.applying` has the codes of plans revoked all the same. Keep `ttl` short, and "+
			"set `email` or `single_use = true`, so that a code that nobody needs is worth little. Where a code is to outlive many runs, the "+
			"resource `chainguard_invite_code` mints one and keeps it.")
	}
}

// Open implements [ephemeral.EphemeralResource]. Terraform closes only what Open returned without an error, so after
// the invite is minted, whatever fails revokes it here.
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
		resp.Diagnostics.AddError(summaryInterrupted, "The run was interrupted while the invite code was being minted, so it cannot be used.")
	}
	if resp.Diagnostics.HasError() {
		r.revoke(ctx, client, invite.ID, &resp.Diagnostics)
		return
	}
	warnOfLifetime(&resp.Diagnostics, spec, invite)
	warnOfLostAnswer(&resp.Diagnostics, invite)
}

// complete fills in what the configuration leaves out. A value that it gives stays as it is: Terraform compares.
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

// postpone mints nothing, because something that it takes is known after apply only. Terraform plans on with a result
// that is unknown. (Where an argument of the ephemeral resource is unknown it does not even ask.) OpenTofu takes no
// unknown result; the warning is what explains its error.
func (r *inviteCodeEphemeral) postpone(ctx context.Context, result *inviteCodeEphemeralModel, resp *ephemeral.OpenResponse) {
	why := "what it is made from is not known yet"
	if err := r.session.settings.CheckCallable(); err != nil {
		why = err.Error()
	}
	resp.Diagnostics.AddWarning("Invite Code Not Minted Yet", "No code was minted, and what uses it stays unknown until the apply: "+sentence(why)+
		" OpenTofu cannot plan on with something unknown here, and fails.")
	resp.Diagnostics.Append(resp.Result.Set(ctx, result)...)
}

// keepForClose notes which invite Close is to revoke, and nothing else of it.
func keepForClose(ctx context.Context, resp *ephemeral.OpenResponse, id string) diag.Diagnostics {
	value, err := json.Marshal(id)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Invite Not Noted for Revocation", err.Error())}
	}
	return resp.Private.SetKey(ctx, openedID, value)
}

// Close implements [ephemeral.EphemeralResourceWithClose]. It knows nothing of the run but the invite's UIDP.
func (r *inviteCodeEphemeral) Close(ctx context.Context, req ephemeral.CloseRequest, resp *ephemeral.CloseResponse) {
	value, diags := req.Private.GetKey(ctx, openedID)
	resp.Diagnostics.Append(diags...)
	if len(value) == 0 {
		return // Nothing was minted, or it is to live on.
	}
	var id string
	if err := json.Unmarshal(value, &id); err != nil || !refs.IsInviteUIDP(id) {
		resp.Diagnostics.AddError(summaryDeleteInvite, "Terraform did not hand back which invite is to be revoked. It lives until its "+
			"`ttl` is over; `chainctl iam invites list` shows it, and `chainctl iam invites delete` revokes it.")
		return
	}
	if client := r.session.client(&resp.Diagnostics); client != nil {
		r.revoke(ctx, client, id, &resp.Diagnostics)
	}
}

// revoke revokes what Open minted. An interrupted run revokes as well, so ctx does not end it. What cannot be revoked is
// tried once more when the provider ends.
func (r *inviteCodeEphemeral) revoke(ctx context.Context, client *platform.Client, id string, diags *diag.Diagnostics) {
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
			"Invite %s may still be alive, and whoever has its code can redeem it until its `ttl` is over. Revoke it by hand: `chainctl iam "+
				"invites delete %s`.\n\n%s", id, id, reason.Detail()))
	}
}
