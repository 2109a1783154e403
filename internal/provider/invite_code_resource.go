package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/duration"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

var (
	_ resource.Resource                   = (*inviteCodeResource)(nil)
	_ resource.ResourceWithConfigure      = (*inviteCodeResource)(nil)
	_ resource.ResourceWithIdentity       = (*inviteCodeResource)(nil)
	_ resource.ResourceWithValidateConfig = (*inviteCodeResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*inviteCodeResource)(nil)
	_ resource.ResourceWithImportState    = (*inviteCodeResource)(nil)
	_ resource.ResourceWithMoveState      = (*inviteCodeResource)(nil)
)

func newInviteCodeResource() resource.Resource { return &inviteCodeResource{} }

// inviteCodeResource is chainguard_invite_code.
type inviteCodeResource struct{ session *session }

// Metadata implements [resource.Resource].
func (r *inviteCodeResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_invite_code"
}

// Configure implements [resource.ResourceWithConfigure].
func (r *inviteCodeResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema implements [resource.Resource]. It has no plan modifiers, because ModifyPlan makes all decisions.
func (r *inviteCodeResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Creates an invite code that grants a role in a Chainguard group. The platform returns the code only at " +
			"creation, so it is stored in the Terraform state as a sensitive value. Destroying the resource revokes the code.",
		Attributes: map[string]schema.Attribute{
			"group": schema.StringAttribute{
				MarkdownDescription: groupDescription + " Changing this forces a new invite code to be created; an equivalent name, path or " +
					"UIDP does not. A default from an environment variable or from chainctl's configuration applies to new invite codes only.",
				Optional:   true,
				Computed:   true,
				Validators: []validator.String{groupReference},
			},
			"role": schema.StringAttribute{
				MarkdownDescription: roleDescription + " Changing this forces a new invite code to be created; an equivalent name or UIDP does not.",
				Optional:            true,
				Validators:          []validator.String{roleReference},
			},
			"cluster": schema.BoolAttribute{
				MarkdownDescription: clusterDescription + " Changing this forces a new invite code to be created.",
				Optional:            true,
			},
			"ttl": schema.StringAttribute{
				CustomType: duration.Type{},
				MarkdownDescription: "How long the code is valid, such as `5d`, `1w` or `36h30m`. " + ttlUnits + ". Defaults to `168h`. " +
					"Changing the duration forces a new invite code to be created; an equivalent value, such as `7d` for `168h`, does not.",
				Optional: true,
				Computed: true,
				Default:  stringdefault.StaticString(duration.DefaultText),
			},
			"email": schema.StringAttribute{
				MarkdownDescription: emailDescription + " Changing this forces a new invite code to be created.",
				Optional:            true,
				Validators:          []validator.String{bareEmail},
			},
			"single_use": schema.BoolAttribute{
				MarkdownDescription: singleUseDescription + " Changing this forces a new invite code to be created.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(false),
			},
			"recreate": schema.StringAttribute{
				MarkdownDescription: "When an invite code that is no longer `active` is replaced. `auto` replaces it when it is `expiring`, " +
					"`expired` or `revoked`, `always` also when it is `consumed`, and `never` does not replace it. Defaults to `auto`. " +
					changedPolicyDescription,
				Optional:   true,
				Computed:   true,
				Default:    stringdefault.StaticString(recreateAuto),
				Validators: []validator.String{recreatePolicy},
			},
			"renew_before": schema.StringAttribute{
				CustomType: duration.Type{},
				MarkdownDescription: "How long before its expiration the invite code is `expiring`, so that the next apply replaces it unless " +
					"`recreate` is `never`. Uses the same format as `ttl`, and must be shorter than `ttl`. Ignored if the platform grants " +
					"a lifetime that is not longer than this. If unset, an invite code is renewed only after it has expired. " +
					changedPolicyDescription,
				Optional: true,
			},
			"rotation_triggers": schema.MapAttribute{
				MarkdownDescription: "Arbitrary map of values that, when changed, forces a new invite code to be created. After an import or a " +
					"move, the first triggers are recorded without replacing the invite code. Null values are ignored.",
				ElementType: types.StringType,
				Optional:    true,
			},
			"recipients": schema.SetAttribute{
				MarkdownDescription: "Public keys that the code is encrypted to, so that it is not stored in plain text: age keys (`age1...`, and the " +
					"post-quantum `age1pq1...`) and SSH keys of type `ssh-ed25519` or `ssh-rsa` (2048 bits or more), as in a `.pub` or an " +
					"`authorized_keys` file. Any one of the keys decrypts the code. Changing the keys forces a new invite code to be created; " +
					"their order, comments and duplicates do not matter.",
				ElementType: types.StringType,
				Optional:    true,
				Validators:  []validator.Set{publicKeys{}},
			},
			"id":        schema.StringAttribute{MarkdownDescription: inviteIDDescription, Computed: true},
			"group_id":  schema.StringAttribute{MarkdownDescription: groupIDDescription, Computed: true},
			"role_id":   schema.StringAttribute{MarkdownDescription: roleIDDescription, Computed: true},
			"role_name": schema.StringAttribute{MarkdownDescription: roleNameDescription, Computed: true},
			"code": schema.StringAttribute{
				MarkdownDescription: codeDescription + " Null if `recipients` is set, and after an import, because the platform does not return it " +
					"again.",
				Computed:  true,
				Sensitive: true,
			},
			"encrypted_code": schema.StringAttribute{
				MarkdownDescription: "Invite code, encrypted to `recipients` as an ASCII-armored [age](https://age-encryption.org) file. Decrypt it " +
					"with, for example, `age --decrypt --identity ~/.ssh/id_ed25519`. Null if `recipients` is not set, and after an import.",
				Computed: true,
			},
			"created_at": schema.StringAttribute{MarkdownDescription: createdAtDescription, Computed: true},
			"expires_at": schema.StringAttribute{MarkdownDescription: expiresAtDescription, Computed: true},
			"status": schema.StringAttribute{
				MarkdownDescription: "Status of the invite at the last refresh: `active`; `expiring`, which is within `renew_before` of its " +
					"expiration; `expired`; `consumed`, which was single-use and no longer exists, so it was accepted; or `revoked`, which was " +
					"deleted.",
				Computed: true,
			},
		},
		Blocks: map[string]schema.Block{
			"timeouts": timeouts.Block(ctx, timeouts.Opts{
				Create:            true,
				Read:              true,
				Delete:            true,
				CreateDescription: "Timeout for creating the invite, such as `10m` or `1h` (without days and weeks). Defaults to `5m`.",
				ReadDescription:   "Timeout for reading the invite. Defaults to `2m`.",
				DeleteDescription: "Timeout for deleting the invite. Defaults to `5m`.",
			}),
		},
	}
}

// inviteCodeIdentity is the identity of an invite.
type inviteCodeIdentity struct {
	ID types.String `tfsdk:"id"`
}

// IdentitySchema implements [resource.ResourceWithIdentity].
func (r *inviteCodeResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{
		Attributes: map[string]identityschema.Attribute{
			"id": identityschema.StringAttribute{
				Description:       inviteIDDescription,
				RequiredForImport: true,
			},
		},
	}
}

// ValidateConfig implements [resource.ResourceWithValidateConfig]. It validates attributes that depend on each other.
func (r *inviteCodeResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var (
		role             types.String
		cluster          types.Bool
		renewBefore, ttl duration.Value
	)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("role"), &role)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("cluster"), &cluster)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("renew_before"), &renewBefore)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("ttl"), &ttl)...)
	if resp.Diagnostics.HasError() {
		return
	}
	validateRoleOrCluster(role, cluster, &resp.Diagnostics)
	validateRenewBefore(renewBefore, ttl, &resp.Diagnostics)
}

// Create implements [resource.Resource].
func (r *inviteCodeResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan inviteCodeModel
	resp.Diagnostics.Append(readModel(ctx, req.Plan, &plan)...)
	timeout, diags := plan.Timeouts.Create(ctx, defaultCreateTimeout)
	resp.Diagnostics.Append(diags...)
	client := r.session.client(&resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	// Resolve names that were unknown at plan.
	r.session.resolve(ctx, &plan.inviteModel, &resp.Diagnostics)
	spec, err := plan.spec()
	if err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("ttl"), summaryInvalidDuration, err.Error())
	}
	recipients := parseRecipients(plan.Recipients, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	invite, err := r.session.cleanup.createInvite(ctx, client, spec, false)
	if err != nil {
		addError(&resp.Diagnostics, summaryCreateInvite, err)
		return
	}
	plan.setCreated(invite)
	// Set the state before anything else can fail, because the code is returned only once.
	if recipients != nil && !r.session.sealCode(ctx, client, &plan, recipients, invite, &resp.Diagnostics) {
		return
	}
	resp.Diagnostics.Append(writeModel(ctx, &resp.State.Raw, &plan)...)
	resp.Diagnostics.Append(setIdentity(ctx, resp.Identity, plan.ID)...)

	warnOfLifetime(&resp.Diagnostics, spec, invite)
	warnOfLostAnswer(&resp.Diagnostics, invite)
}

// warnOfLostAnswer adds a warning that the response to the first create was lost, and what became of its invite.
func warnOfLostAnswer(diags *diag.Diagnostics, invite *platform.Invite) {
	if invite.InPlaceOf != "" {
		diags.AddWarning(summaryCreateRetried, fmt.Sprintf(
			"The response to the first create request was lost. Its invite, %s, was found and deleted, and invite %s was created in its place.",
			invite.InPlaceOf, invite.ID))
	}
}

// warnOfLifetime adds a warning if the platform granted a different lifetime than configured.
func warnOfLifetime(diags *diag.Diagnostics, spec platform.InviteSpec, invite *platform.Invite) {
	if granted := invite.ExpiresAt.Sub(invite.CreatedAt); (granted - spec.TTL).Abs() > platform.LifetimeTolerance {
		diags.AddAttributeWarning(path.Root("ttl"), summaryUnexpectedExpiration, fmt.Sprintf(
			"The configured `ttl` is %s, but the platform granted %s: the invite expires at %s. Set `ttl` to a duration that the platform "+
				"allows, and `renew_before` to a shorter one.",
			duration.Format(spec.TTL), duration.Format(granted.Round(time.Second)), formatTime(invite.ExpiresAt)))
	}
}

// Read implements [resource.Resource]. It decides the status, and stores when it saw the invite, so that a plan can
// apply another renew_before to that time.
func (r *inviteCodeResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state inviteCodeModel
	resp.Diagnostics.Append(readModel(ctx, req.State, &state)...)
	timeout, diags := state.Timeouts.Read(ctx, defaultReadTimeout)
	resp.Diagnostics.Append(diags...)
	client := r.session.client(&resp.Diagnostics)
	how := adoptionOf(ctx, req.Private, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	r.session.secrets.Add(state.Code.ValueString())
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	before := state
	invite, at, err := r.readInvite(ctx, client, &state)
	switch {
	case err == nil:
		state.setFound(invite, at)
		resp.Diagnostics.Append(setSeen(ctx, resp.Private, at)...)
	case platform.IsNotFound(err) && how == imported:
		addImportNotFound(ctx, client, state.ID.ValueString(), err, &resp.Diagnostics)
		return
	case platform.IsNotFound(err) && how == moved:
		state.setMovedAndMissing()
	case platform.IsNotFound(err):
		if state.setMissing(at) {
			warnAmbiguous(&resp.Diagnostics, &state, at)
		}
	default:
		addError(&resp.Diagnostics, summaryReadInvite, err)
		return
	}

	if how == imported {
		warnImported(&resp.Diagnostics)
	}
	switch {
	case how.isUnread():
		resp.Diagnostics.Append(setAdoption(ctx, resp.Private, adopted)...)
	case how == adopted && !before.ExpiresAt.Equal(state.ExpiresAt):
		// The expiration has changed since the adoption, so the lifetime is no longer the adopted one.
		resp.Diagnostics.Append(setAdoption(ctx, resp.Private, notAdopted)...)
	}
	if !state.sameRefresh(&before) {
		resp.Diagnostics.Append(writeModel(ctx, &resp.State.Raw, &state)...)
	}
	if resp.Identity != nil && resp.Identity.Raw.IsFullyNull() {
		resp.Diagnostics.Append(setIdentity(ctx, resp.Identity, state.ID)...)
	}
}

const (
	// visibleAfter is the age from which NotFound is final. A younger invite may not be visible yet, so it is read
	// again up to visibleTries times, first after firstVisibleWait and then after twice as long each time.
	visibleAfter     = time.Minute
	visibleTries     = 3
	firstVisibleWait = time.Second
)

// readInvite reads the invite in the state, and returns when the platform responded.
func (r *inviteCodeResource) readInvite(ctx context.Context, client *platform.Client, state *inviteCodeModel) (_ *platform.Invite, at time.Time, _ error) {
	invite, err := client.ReadInvite(ctx, state.ID.ValueString())
	at = answeredAt(invite, err, r.session.clock)
	created, ok := parseTime(state.CreatedAt)
	wait := firstVisibleWait
	for try := 0; ok && try < visibleTries && platform.IsNotFound(err) && state.isAlive() && at.Sub(created) < visibleAfter; try++ {
		if r.session.clock.Sleep(ctx, wait) != nil {
			break
		}
		invite, err = client.ReadInvite(ctx, state.ID.ValueString())
		at = answeredAt(invite, err, r.session.clock)
		wait *= 2
	}
	return invite, at, err
}

// answeredAt returns when the platform responded, to the second: by its own clock if known, and otherwise by the local
// one.
func answeredAt(invite *platform.Invite, err error, ours clock.Clock) time.Time {
	at := ours.Now()
	var e *platform.Error
	switch {
	case err == nil:
		at = invite.AsOf
	case errors.As(err, &e):
		at = e.AsOf
	}
	return at.Truncate(time.Second)
}

// warnImported adds a warning that an imported invite has no code.
func warnImported(diags *diag.Diagnostics) {
	diags.AddWarning(summaryImportedNoCode,
		"The platform returns an invite code only when it is created, so `code` of the imported resource is null. All other attributes are "+
			"read. To get a code, create a new one, which revokes the imported one: run `terraform apply -replace=ADDRESS`, or change "+
			"`rotation_triggers` later.")
}

// addImportNotFound adds an error that the invite to import does not exist, or is a group.
func addImportNotFound(ctx context.Context, client *platform.Client, id string, cause error, diags *diag.Diagnostics) {
	if isGroup, err := client.IsGroup(ctx, id); err == nil && isGroup {
		diags.AddError(summaryInvalidImportID, fmt.Sprintf(
			"%s is a group. Import the invite by its own UIDP. List the invites of this group with `chainctl iam invites list --parent %s`.", id, id))
		return
	}
	diags.AddError(summaryInviteNotFound, fmt.Sprintf(
		"Invite %s does not exist or is not visible to the identity that Terraform uses. It may have been accepted (if it was single-use) or "+
			"deleted. List invites with `chainctl iam invites list`.\n\n%v", id, redact.Text(cause.Error())))
}

// warnAmbiguous adds a warning that a single-use invite was either accepted in time or deleted after it expired.
func warnAmbiguous(diags *diag.Diagnostics, state *inviteCodeModel, at time.Time) {
	diags.AddAttributeWarning(path.Root("status"), summaryAmbiguousStatus, fmt.Sprintf(
		"The single-use invite %s no longer exists, as of %s, and would have expired at %s. It was either accepted in time, or deleted after "+
			"it had expired; the platform does not tell which. It is recorded as `consumed` and is not renewed. If it was not accepted, create "+
			"a new code with `terraform apply -replace=ADDRESS`. Refresh before deleting expired invites to avoid this.",
		state.ID.ValueString(), formatTime(at), state.ExpiresAt.ValueString()))
}

// Update implements [resource.Resource]. The platform cannot change an invite, so an update only changes the state, and
// also works for an invite that no longer exists.
func (r *inviteCodeResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	resp.State.Raw = req.Plan.Raw
	if resp.Identity != nil && resp.Identity.Raw.IsFullyNull() {
		var id types.String
		resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("id"), &id)...)
		resp.Diagnostics.Append(setIdentity(ctx, resp.Identity, id)...)
	}
}

// Delete implements [resource.Resource].
func (r *inviteCodeResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state inviteCodeModel
	resp.Diagnostics.Append(readModel(ctx, req.State, &state)...)
	timeout, diags := state.Timeouts.Delete(ctx, defaultDeleteTimeout)
	resp.Diagnostics.Append(diags...)
	client := r.session.client(&resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	r.session.secrets.Add(state.Code.ValueString())
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	if err := client.DeleteInvite(ctx, state.ID.ValueString()); err != nil {
		addError(&resp.Diagnostics, summaryDeleteInvite, err)
	}
}

func setIdentity(ctx context.Context, identity *tfsdk.ResourceIdentity, id types.String) diag.Diagnostics {
	if identity == nil {
		return nil
	}
	return identity.Set(ctx, inviteCodeIdentity{ID: id})
}
