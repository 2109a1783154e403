package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/duration"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
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

// How long an operation may take where the timeouts block does not say. A create may have to wait for a group that
// was just made, which takes up to two minutes, and to look for an invite that was lost.
const (
	defaultCreateTimeout = 5 * time.Minute
	defaultReadTimeout   = 2 * time.Minute
	defaultDeleteTimeout = 5 * time.Minute
)

func newInviteCodeResource() resource.Resource { return &inviteCodeResource{} }

// inviteCodeResource is chainguard_invite_code: an invite code, from when it is minted to when it is revoked.
type inviteCodeResource struct{ session *session }

// Metadata implements [resource.Resource].
func (r *inviteCodeResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_invite_code"
}

// Configure implements [resource.ResourceWithConfigure].
func (r *inviteCodeResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema implements [resource.Resource].
func (r *inviteCodeResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "An invite code: whoever redeems it joins a Chainguard group with a role. The platform shows the code " +
			"once, when it is made, so Terraform keeps it in its state, as a sensitive value. Destroying the resource revokes " +
			"the code.",
		Attributes: map[string]schema.Attribute{
			"group": schema.StringAttribute{
				MarkdownDescription: "Group that the invitee joins: a name, names from the organization down joined by `/` " +
					"(`acme.example/platform`), or a UIDP. Default: the provider's `group`. Another group replaces the invite code; " +
					"another way to write the same does not.",
				Optional:   true,
				Computed:   true,
				Validators: []validator.String{groupReference},
			},
			"role": schema.StringAttribute{
				MarkdownDescription: "Role that the invitee gets in the group: a name, such as `viewer`, or a UIDP. Custom roles of the " +
					"group and of the groups above it can be named as well. Exactly one of `role` and `cluster` must be set. Another role " +
					"replaces the invite code; another way to write the same does not.",
				Optional:   true,
				Validators: []validator.String{roleReference},
			},
			"cluster": schema.BoolAttribute{
				MarkdownDescription: "`true` gives the invitee the platform's default role for clusters instead of a `role`. Not every " +
					"platform has one any more; where there is none, the plan fails and says so.",
				Optional: true,
			},
			"ttl": schema.StringAttribute{
				CustomType: duration.Type{},
				MarkdownDescription: "How long the code lives: numbers with the units `s`, `m` (minutes), `h`, `d` and `w`, such as `5d`, `1w` or " +
					"`36h30m`. Default: `168h`, as chainctl has it. Another lifetime replaces the invite code; another spelling of the " +
					"same does nothing.",
				Optional:      true,
				Computed:      true,
				Default:       stringdefault.StaticString(duration.DefaultText),
				PlanModifiers: []planmodifier.String{duration.KeepSpelling(), keepAdoptedLifetime{}, replaceString()},
			},
			"email": schema.StringAttribute{
				MarkdownDescription: "Only address that may redeem the code. Without it, anybody who has the code can. Another address " +
					"replaces the invite code.",
				Optional:      true,
				Validators:    []validator.String{bareEmail},
				PlanModifiers: []planmodifier.String{sameAddress{}, replaceString()},
			},
			"single_use": schema.BoolAttribute{
				MarkdownDescription: "Whether the code can be redeemed once only; the platform deletes it then. Default: `false`. A change " +
					"replaces the invite code.",
				Optional:      true,
				Computed:      true,
				Default:       booldefault.StaticBool(false),
				PlanModifiers: []planmodifier.Bool{replaceBool()},
			},
			"recreate": schema.StringAttribute{
				MarkdownDescription: "When an invite code that is no longer `active` is replaced. `auto`, the default: when it is " +
					"`expiring`, `expired` or `revoked`, and not when it is `consumed`, for then it has done its work. `always`: in all four " +
					"cases. `never`: in none.",
				Optional:   true,
				Computed:   true,
				Default:    stringdefault.StaticString(recreateAuto),
				Validators: []validator.String{stringvalidator.OneOf(recreateAuto, recreateAlways, recreateNever)},
			},
			"renew_before": schema.StringAttribute{
				CustomType: duration.Type{},
				MarkdownDescription: "How long before its end the invite code becomes `expiring`, and so is replaced by the next apply " +
					"unless `recreate` is `never`. Written as `ttl`, and shorter than it. Where the platform gives an invite no more " +
					"time than this, it is replaced when it has expired.",
				Optional: true,
			},
			"rotation_triggers": schema.MapAttribute{
				MarkdownDescription: "Any values of your own. A change of any of them replaces the invite code. One that was imported " +
					"or moved takes up its first triggers as they are.",
				ElementType:   types.StringType,
				Optional:      true,
				PlanModifiers: []planmodifier.Map{replaceOnTrigger{}},
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
				MarkdownDescription: "Name of the role. Null if the role has been deleted since.",
				Computed:            true,
			},
			"code": schema.StringAttribute{
				MarkdownDescription: "The invite code itself. Whoever has it can redeem it, as with `chainctl auth login --invite-code`, " +
					"so treat it, and the state that holds it, as a secret. Null after an import: the platform does not show it again.",
				Computed:  true,
				Sensitive: true,
			},
			"created_at": schema.StringAttribute{
				MarkdownDescription: "When the invite was made, by the platform's clock (RFC 3339, UTC).",
				Computed:            true,
			},
			"expires_at": schema.StringAttribute{
				MarkdownDescription: "When the invite ends, by the platform's clock (RFC 3339, UTC).",
				Computed:            true,
			},
			"status": schema.StringAttribute{
				MarkdownDescription: "What has become of the invite, as of the last refresh: `active`; `expiring`, within `renew_before` of " +
					"its end; `expired`; `consumed`, redeemed and for a single use; `revoked`, deleted by somebody.",
				Computed: true,
			},
		},
		Blocks: map[string]schema.Block{
			"timeouts": timeouts.Block(ctx, timeouts.Opts{
				Create:            true,
				Read:              true,
				Delete:            true,
				CreateDescription: "How long making the invite may take, such as `10m` or `1h` (without days and weeks). Default: `5m`.",
				ReadDescription:   "How long reading the invite may take. Default: `2m`.",
				DeleteDescription: "How long revoking the invite may take. Default: `5m`.",
			}),
		},
	}
}

// inviteCodeIdentity is what an invite can be found by.
type inviteCodeIdentity struct {
	ID types.String `tfsdk:"id"`
}

// IdentitySchema implements [resource.ResourceWithIdentity].
func (r *inviteCodeResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{
		Attributes: map[string]identityschema.Attribute{
			"id": identityschema.StringAttribute{
				Description:       "UIDP of the invite.",
				RequiredForImport: true,
			},
		},
	}
}

// ValidateConfig implements [resource.ResourceWithValidateConfig]: what takes more than one attribute to see.
func (r *inviteCodeResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config inviteCodeModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	validateRoleOrCluster(config.Role, config.Cluster, &resp.Diagnostics)

	renewBefore, err := config.RenewBefore.Duration()
	if err != nil || config.TTL.IsUnknown() {
		return // Null, not known yet, or the attribute's own validation says what is wrong.
	}
	lifetime := duration.Default
	if !config.TTL.IsNull() {
		if lifetime, err = config.TTL.Duration(); err != nil {
			return
		}
	}
	if renewBefore >= lifetime {
		resp.Diagnostics.AddAttributeError(path.Root("renew_before"), "Renewal Before the Beginning", fmt.Sprintf(
			"`renew_before` is %s and the invite lives for %s, so it would have to be replaced as soon as it is made. Make "+
				"`renew_before` shorter than `ttl`.", duration.Format(renewBefore), duration.Format(lifetime)))
	}
}

// Create implements [resource.Resource].
func (r *inviteCodeResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan inviteCodeModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	timeout, diags := plan.Timeouts.Create(ctx, defaultCreateTimeout)
	resp.Diagnostics.Append(diags...)
	client := r.session.client(&resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	// The names that could not be looked up while planning are known by now.
	r.session.resolve(ctx, &plan.inviteModel, &resp.Diagnostics)
	spec, err := plan.spec()
	if err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("ttl"), "Invalid Lifetime", err.Error())
	}
	if resp.Diagnostics.HasError() {
		return
	}

	invite, err := r.session.cleanup.createInvite(ctx, client, spec, false)
	if err != nil {
		addError(&resp.Diagnostics, "Invite Code Not Created", err)
		return
	}
	plan.takeCreated(invite)
	// Nothing may come between the answer and this: the code is told once.
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	resp.Diagnostics.Append(setIdentity(ctx, resp.Identity, plan.ID)...)

	warnOfLifetime(&resp.Diagnostics, spec, invite)
	warnOfLostAnswer(&resp.Diagnostics, invite)
}

// warnOfLostAnswer says so where an invite was revoked on the way. It was recognized by its inputs and its time, so it
// may be that of another run, which then is to know why its code is dead.
func warnOfLostAnswer(diags *diag.Diagnostics, invite *platform.Invite) {
	if invite.InPlaceOf != "" {
		diags.AddWarning("Invite Code Minted Again", fmt.Sprintf(
			"The platform's answer to the first attempt was lost. Invite %s, which that attempt had made by all that is known, was revoked, "+
				"and %s was made in its place. Should another run have made the revoked one, with the same inputs and at the same moment, its "+
				"next plan replaces it.", invite.InPlaceOf, invite.ID))
	}
}

// warnOfLifetime says so where the platform has an invite live for longer or shorter than it was asked to.
func warnOfLifetime(diags *diag.Diagnostics, spec platform.InviteSpec, invite *platform.Invite) {
	if given := invite.ExpiresAt.Sub(invite.CreatedAt); (given - spec.TTL).Abs() > platform.LifetimeTolerance {
		diags.AddAttributeWarning(path.Root("ttl"), "Lifetime Not as Asked For", fmt.Sprintf(
			"The invite was to live for %s, and the platform has it live for %s, until %s. Write a `ttl` that the platform allows, and a "+
				"`renew_before` shorter than that, so that the configuration says what is.",
			duration.Format(spec.TTL), duration.Format(given.Round(time.Second)), formatTime(invite.ExpiresAt)))
	}
}

// Read implements [resource.Resource].
func (r *inviteCodeResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state inviteCodeModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	timeout, diags := state.Timeouts.Read(ctx, defaultReadTimeout)
	resp.Diagnostics.Append(diags...)
	client := r.session.client(&resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	invite, err := client.ReadInvite(ctx, state.ID.ValueString())
	switch {
	case err == nil:
		imported, expires := state.isImported(), state.ExpiresAt
		state.takeRead(invite, r.session.clock.Now())
		switch {
		case imported:
			resp.Diagnostics.Append(resp.Private.SetKey(ctx, adoptedKey, []byte(markSet))...)
		case !expires.IsNull() && !expires.Equal(state.ExpiresAt):
			// Its lifetime is known well enough to say that it is no longer what it was.
			resp.Diagnostics.Append(resp.Private.SetKey(ctx, adoptedKey, []byte(markCleared))...)
		}
	case platform.IsNotFound(err) && state.isMoved():
		state.takeLost()
	case platform.IsNotFound(err) && state.isImported():
		addNoSuchInvite(ctx, client, state.ID.ValueString(), err, &resp.Diagnostics)
		return
	case platform.IsNotFound(err):
		state.Status = types.StringValue(statusOfMissing(&state))
	default:
		addError(&resp.Diagnostics, "Invite Code Not Read", err)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	resp.Diagnostics.Append(setIdentity(ctx, resp.Identity, state.ID)...)
}

// Update implements [resource.Resource]. What the platform cannot change replaces the resource, so what is left has no
// counterpart there: it makes no call, and so works on an invite that was consumed.
func (r *inviteCodeResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan inviteCodeModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	resp.Diagnostics.Append(setIdentity(ctx, resp.Identity, plan.ID)...)
}

// Delete implements [resource.Resource].
func (r *inviteCodeResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state inviteCodeModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	timeout, diags := state.Timeouts.Delete(ctx, defaultDeleteTimeout)
	resp.Diagnostics.Append(diags...)
	client := r.session.client(&resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	if err := client.DeleteInvite(ctx, state.ID.ValueString()); err != nil {
		addError(&resp.Diagnostics, "Invite Code Not Revoked", err)
	}
}

func setIdentity(ctx context.Context, identity *tfsdk.ResourceIdentity, id types.String) diag.Diagnostics {
	if identity == nil {
		return nil
	}
	return identity.Set(ctx, inviteCodeIdentity{ID: id})
}
