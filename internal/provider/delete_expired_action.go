package provider

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"golang.org/x/sync/errgroup"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
)

var (
	_ action.Action               = (*deleteExpiredAction)(nil)
	_ action.ActionWithConfigure  = (*deleteExpiredAction)(nil)
	_ action.ActionWithModifyPlan = (*deleteExpiredAction)(nil)
)

const (
	// deletesAtOnce is how many invites are deleted at the same time: enough that hundreds take seconds, few enough that
	// the platform does not mind.
	deletesAtOnce = 8

	// progressEvery is after how many invites the action says how far it is.
	progressEvery = 25
)

func newDeleteExpiredAction() action.Action { return &deleteExpiredAction{} }

// deleteExpiredAction is chainguard_delete_expired_invite_codes, chainctl's `iam invites delete --expired`.
type deleteExpiredAction struct{ session *session }

// Metadata implements [action.Action].
func (a *deleteExpiredAction) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_delete_expired_invite_codes"
}

// Configure implements [action.ActionWithConfigure].
func (a *deleteExpiredAction) Configure(_ context.Context, req action.ConfigureRequest, resp *action.ConfigureResponse) {
	a.session = configured(req.ProviderData, &resp.Diagnostics)
}

// Schema implements [action.Action].
func (a *deleteExpiredAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Deletes the invites whose time is over, as `chainctl iam invites delete --expired` does: as far as is known, the " +
			"platform keeps them until somebody does. What is still alive is left alone, by the platform's clock where it tells the time. A " +
			"deletion that fails does not stop the others; all that failed are reported.\n\n" +
			"Before it is run, run `terraform apply`, or `terraform apply -refresh-only`, wherever single-use invites are managed. " +
			"A single-use invite that expired and was deleted between two refreshes looks like one that was redeemed, becomes `consumed`, and is " +
			"not renewed.\n\n" +
			"Needs Terraform 1.14, or later. OpenTofu has no actions; use chainctl there.",
		Attributes: map[string]schema.Attribute{
			"group": schema.StringAttribute{
				MarkdownDescription: "Group whose expired invites are deleted: a name, names from the organization down joined by `/` " +
					"(`acme.example/platform`), or a UIDP. Default: the provider's `group`.",
				Optional:   true,
				Validators: []validator.String{groupReference},
			},
			"recursive": schema.BoolAttribute{
				MarkdownDescription: "Whether the expired invites of the groups below `group` are deleted as well. Default: `false`.",
				Optional:            true,
			},
		},
	}
}

type deleteExpiredModel struct {
	Group     types.String `tfsdk:"group"`
	Recursive types.Bool   `tfsdk:"recursive"`
}

// ModifyPlan implements [action.ActionWithModifyPlan]: a group that does not exist fails the plan, not the apply.
func (a *deleteExpiredAction) ModifyPlan(ctx context.Context, req action.ModifyPlanRequest, resp *action.ModifyPlanResponse) {
	var config deleteExpiredModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || a.session == nil {
		return
	}
	if group := a.group(config, &resp.Diagnostics); !group.IsUnknown() && !resp.Diagnostics.HasError() {
		a.session.groupID(ctx, group.ValueString(), &resp.Diagnostics)
	}
}

// group is the group whose invites are deleted.
func (a *deleteExpiredAction) group(config deleteExpiredModel, diags *diag.Diagnostics) types.String {
	if !config.Group.IsNull() {
		return config.Group
	}
	return a.session.defaultGroup("The action needs a group whose expired invites it deletes.", diags)
}

// Invoke implements [action.Action].
func (a *deleteExpiredAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var config deleteExpiredModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	client := a.session.client(&resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	group := a.group(config, &resp.Diagnostics)
	if group.IsUnknown() {
		resp.Diagnostics.AddError("Provider Setting Not Known Yet", "The provider's `group` is not known yet, and the action has no `group` of its own.")
	}
	scope := a.session.scope(ctx, group, config.Recursive, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	// All are listed before the first is deleted, so that no page shifts under the listing.
	listed := 0
	var expired []string
	for invite, err := range client.Invites(ctx, scope) {
		if err != nil {
			addError(&resp.Diagnostics, "Invites Not Listed", err)
			return
		}
		listed++
		if invite.Expired() {
			expired = append(expired, invite.ID)
		}
	}
	progress := func(format string, args ...any) {
		resp.SendProgress(action.InvokeProgressEvent{Message: fmt.Sprintf(format, args...)})
	}
	progress("%d of %s in %s have expired.", len(expired), count(listed, "invite"), group.ValueString())
	if len(expired) == 0 {
		return
	}
	slices.Reverse(expired) // The platform lists the newest first.

	d := deletion{progress: progress, total: len(expired), diags: &resp.Diagnostics}
	d.run(ctx, client, expired)
	progress("Deleted %d of %s.", d.deleted, count(len(expired), "expired invite"))
}

// deletion deletes invites, each whatever becomes of the others.
type deletion struct {
	progress func(format string, args ...any)
	total    int

	mu      sync.Mutex
	diags   *diag.Diagnostics
	done    int
	deleted int
}

// run returns when each invite is deleted or has failed to be, or when ctx ended.
func (d *deletion) run(ctx context.Context, client *platform.Client, ids []string) {
	var workers errgroup.Group
	workers.SetLimit(deletesAtOnce)
	begun := 0
	for _, id := range ids {
		if ctx.Err() != nil {
			break
		}
		begun++
		workers.Go(func() error {
			d.note(client.DeleteInvite(ctx, id))
			return nil
		})
	}
	_ = workers.Wait() // What went wrong is in diags.
	if begun < len(ids) {
		d.diags.AddError("Interrupted", fmt.Sprintf("The run was interrupted, so %d of %s were not tried.", len(ids)-begun, count(len(ids), "expired invite")))
	}
}

func (d *deletion) note(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.done++
	if err == nil {
		d.deleted++
	} else {
		addError(d.diags, "Expired Invite Not Deleted", err)
	}
	if d.done%progressEvery == 0 && d.done < d.total {
		d.progress("%d of %d done.", d.done, d.total)
	}
}

// count is a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
