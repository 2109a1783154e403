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
	// deletesAtOnce is the number of concurrent deletions. Hundreds of invites take seconds, without flooding the
	// platform.
	deletesAtOnce = 8

	// progressEvery is the number of invites between two progress messages.
	progressEvery = 25
)

func newDeleteExpiredAction() action.Action { return &deleteExpiredAction{} }

// deleteExpiredAction is chainguard_delete_expired_invite_codes, which is like `chainctl iam invites delete --expired`.
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
		MarkdownDescription: "Deletes expired invites, as `chainctl iam invites delete --expired` does: as far as is known, the platform keeps " +
			"them until they are deleted. Invites that have not expired are left untouched. The platform's clock is used when available. If a " +
			"deletion fails, the others continue, and all failures are reported.\n\n" +
			"~> Run `terraform apply`, or `terraform apply -refresh-only`, in all configurations that manage single-use invites before you run this " +
			"action. A single-use invite that expired and was deleted between two refreshes cannot be told from an accepted one: it becomes " +
			"`consumed`, and is not renewed.\n\n" +
			"Requires Terraform 1.14 or later. OpenTofu does not support actions; use chainctl instead.",
		Attributes: map[string]schema.Attribute{
			"group": schema.StringAttribute{
				MarkdownDescription: "Group whose expired invites are deleted: " + groupForms + ". Defaults to the provider's `group`.",
				Optional:            true,
				Validators:          []validator.String{groupReference},
			},
			"recursive": schema.BoolAttribute{
				MarkdownDescription: "Whether to delete the expired invites of the groups below `group` as well. Defaults to `false`.",
				Optional:            true,
			},
		},
	}
}

type deleteExpiredModel struct {
	Group     types.String `tfsdk:"group"`
	Recursive types.Bool   `tfsdk:"recursive"`
}

// ModifyPlan implements [action.ActionWithModifyPlan]. It fails if the group does not exist.
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

// group returns the group whose invites are deleted.
func (a *deleteExpiredAction) group(config deleteExpiredModel, diags *diag.Diagnostics) types.String {
	if !config.Group.IsNull() {
		return config.Group
	}
	return a.session.defaultGroup("The action needs a group.", diags)
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
	scope := a.session.scope(ctx, group, config.Recursive, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}

	// List all invites before deleting the first, because deletions would shift the pages.
	listed := 0
	var expired []string
	for invite, err := range client.Invites(ctx, scope) {
		if err != nil {
			addError(&resp.Diagnostics, summaryListInvites, err)
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

// deletion deletes invites, and continues after errors.
type deletion struct {
	progress func(format string, args ...any)
	total    int

	mu      sync.Mutex
	diags   *diag.Diagnostics
	done    int
	deleted int
}

// run returns when all deletions have succeeded or failed, or when ctx ends.
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
	_ = workers.Wait() // Errors are in diags.
	if begun < len(ids) {
		d.diags.AddError(summaryInterrupted, fmt.Sprintf("The run was interrupted before %d of %s were deleted.", len(ids)-begun, count(len(ids), "expired invite")))
	}
}

func (d *deletion) note(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.done++
	if err == nil {
		d.deleted++
	} else {
		addError(d.diags, summaryDeleteExpired, err)
	}
	if d.done%progressEvery == 0 && d.done < d.total {
		d.progress("%d of %d done.", d.done, d.total)
	}
}

// count formats a number of things, with the plural if needed.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
