package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/duration"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/refs"
)

// ModifyPlan implements [resource.ResourceWithModifyPlan]. It resolves names, so that a plan shows the UIDPs and fails
// on unknown names, and decides whether the invite is kept, updated in the state, or replaced.
//
// It never reads the clock. The status and the time when the invite was last seen are in the state, so that planning
// again gives the same result. Otherwise Terraform would refuse to apply a saved plan.
func (r *inviteCodeResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || r.session == nil {
		return // A destroy needs no plan, and validation has no session.
	}
	group := r.configuredGroup(ctx, req, resp)
	if resp.Diagnostics.HasError() || r.nothingToPlan(ctx, req, group, &resp.Diagnostics) {
		return
	}
	var plan inviteCodeModel
	resp.Diagnostics.Append(readModel(ctx, req.Plan, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if req.State.Raw.IsNull() {
		plan.Group = group
		r.planCreate(ctx, &plan, req.Private, &resp.Diagnostics)
	} else {
		var state inviteCodeModel
		resp.Diagnostics.Append(readModel(ctx, req.State, &state)...)
		if resp.Diagnostics.HasError() {
			return
		}
		if plan.Group = group; group.IsNull() {
			plan.Group = state.Group
		}
		r.planChange(ctx, &plan, &state, req, resp)
	}
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(writeModel(ctx, &resp.Plan.Raw, &plan)...)
	}
}

// configuredGroup returns the group in the configuration: the resource's, the provider block's, or null. It ignores
// defaults from the environment and from chainctl's configuration, which belong to the machine and must not move an
// existing invite.
func (r *inviteCodeResource) configuredGroup(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) (group types.String) {
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("group"), &group)...)
	if !group.IsNull() || resp.Diagnostics.HasError() {
		return group
	}
	if setting, inBlock := r.session.groupSetting(); inBlock {
		return setting
	}
	if !req.State.Raw.IsNull() {
		// Terraform passes this on when it plans the create of a replacement, which has no prior state.
		var id types.String
		resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("group_id"), &id)...)
		resp.Diagnostics.Append(resp.Private.SetKey(ctx, replacedGroupKey, []byte(strconv.Quote(id.ValueString())))...)
	}
	return group
}

// nothingToPlan reports whether the plan keeps the invite unchanged, without decoding all attributes.
func (r *inviteCodeResource) nothingToPlan(ctx context.Context, req resource.ModifyPlanRequest, group types.String, diags *diag.Diagnostics) bool {
	if req.State.Raw.IsNull() || !req.Plan.Raw.Equal(req.State.Raw) {
		return false
	}
	plan := attributesOf(ctx, req.Plan, diags)
	return !diags.HasError() && (group.IsNull() || group.Equal(plan["group"])) &&
		len(replacedBy(attribute[types.String](plan, "status").ValueString(), attribute[types.String](plan, "recreate").ValueString(), nil)) == 0
}

// planCreate plans a new invite, which may replace another one.
func (r *inviteCodeResource) planCreate(ctx context.Context, plan *inviteCodeModel, private privateState, diags *diag.Diagnostics) {
	byDefault := plan.Group.IsNull()
	if byDefault {
		plan.Group = r.session.defaultGroup(inviteGroupUse, diags)
	}
	plan.GroupID, plan.RoleID, plan.RoleName = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	plan.Status = types.StringValue(statusActive)
	plan.planNewCode()
	r.session.resolve(ctx, &plan.inviteModel, diags)
	r.session.checkUIDPs(ctx, &plan.inviteModel, diags)
	if byDefault {
		checkReplacedGroup(ctx, plan, private, diags)
	}
}

// planChange plans the invite in the state.
func (r *inviteCodeResource) planChange(ctx context.Context, plan, state *inviteCodeModel, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	diags := &resp.Diagnostics
	how := adoptionOf(ctx, req.Private, diags)
	plan.keepComputed(state)
	if how.isUnread() {
		plan.planKeptCode(state, diags)
		return // It has not been read yet and cannot be compared.
	}
	if how == adopted {
		var ttl duration.Value
		diags.Append(req.Config.GetAttribute(ctx, path.Root("ttl"), &ttl)...)
		plan.adoptTTL(state, ttl)
	}

	// Look up only changed names: a thousand unchanged invites need no call.
	if !plan.Group.Equal(state.Group) {
		plan.GroupID = types.StringUnknown()
		r.session.resolveGroup(ctx, &plan.inviteModel, diags)
	}
	if !plan.GroupID.Equal(state.GroupID) || !plan.Role.Equal(state.Role) || !plan.Cluster.Equal(state.Cluster) {
		plan.RoleID, plan.RoleName = types.StringUnknown(), types.StringUnknown()
		r.session.resolveRole(ctx, &plan.inviteModel, diags)
	}
	if diags.HasError() {
		return
	}

	changed := plan.compare(state, how)
	if slices.Contains(changed, "group_id") || slices.Contains(changed, "role_id") {
		r.session.checkUIDPs(ctx, &plan.inviteModel, diags)
	}
	plan.Status = types.StringValue(state.statusFor(plan.RenewBefore, seenAt(ctx, req.Private, diags)))
	recreate := plan.Recreate
	if recreate.IsUnknown() {
		recreate = state.Recreate // Use the applied value until the new one is known.
	}
	for _, attribute := range replacedBy(plan.Status.ValueString(), recreate.ValueString(), changed) {
		resp.RequiresReplace.Append(path.Root(plan.markedFor(attribute, state)))
	}
	if len(resp.RequiresReplace) > 0 {
		plan.Status = types.StringValue(statusActive)
	} else {
		plan.planKeptCode(state, diags)
	}
}

// markedFor returns the attribute to mark as the reason for a replacement. This is the configured attribute if it
// changed, because Terraform ignores one that does not differ from the state.
func (m *inviteCodeModel) markedFor(attribute string, state *inviteCodeModel) string {
	switch {
	case attribute == "status" && !m.Status.Equal(state.Status):
		return "renew_before" // The status in the state is active.
	case attribute == "group_id" && !m.Group.Equal(state.Group):
		return "group"
	case attribute == "role_id" && !m.Role.Equal(state.Role):
		return "role"
	case attribute == "role_id" && !m.Cluster.Equal(state.Cluster):
		return "cluster"
	default:
		return attribute
	}
}

// replacedBy returns the attributes that require a replacement of the invite. If there are none, changes only update
// the state. It implements the whole policy, given the status at the last read, the configured recreate, and the
// attributes whose values changed in meaning.
func replacedBy(status, recreate string, changed []string) []string {
	var because []string
	// A consumed invite has served its purpose. Unless recreate is "always", only another grant needs a new one: other
	// changes apply to the next code.
	consumed := status == statusConsumed && recreate != recreateAlways
	for _, attribute := range changed {
		if !consumed || isGrant(attribute) {
			because = append(because, attribute)
		}
	}
	switch status {
	case statusExpiring, statusExpired, statusRevoked:
		if recreate != recreateNever {
			because = append(because, "status")
		}
	case statusConsumed:
		if recreate == recreateAlways {
			because = append(because, "status")
		}
	}
	return because
}

// isGrant reports whether an attribute is part of what the invitee is granted, and not only of how the code works.
func isGrant(attribute string) bool {
	return attribute == "group_id" || attribute == "role_id" || attribute == "email"
}

// keepComputed copies the attributes that only the platform decides from the state.
func (m *inviteCodeModel) keepComputed(state *inviteCodeModel) {
	m.ID, m.Code, m.EncryptedCode = state.ID, state.Code, state.EncryptedCode
	m.GroupID, m.RoleID, m.RoleName = state.GroupID, state.RoleID, state.RoleName
	m.CreatedAt, m.ExpiresAt = state.CreatedAt, state.ExpiresAt
	m.Status = state.Status
}

// compare returns the attributes whose planned values differ in meaning from those in the state, and therefore need a
// new invite. For equivalent values it plans the spelling in the state, because Terraform does not apply semantic
// equality while planning (hashicorp/terraform-plugin-framework#1168).
func (m *inviteCodeModel) compare(state *inviteCodeModel, how adoption) (changed []string) {
	if !m.GroupID.Equal(state.GroupID) {
		changed = append(changed, "group_id")
	} else if !how.takesUp(state.Group, state.GroupID) {
		m.Group = keepString(m.Group, state.Group)
	}

	if !m.RoleID.Equal(state.RoleID) {
		changed = append(changed, "role_id")
	} else {
		m.RoleName = state.RoleName
		if !how.takesUp(state.Role, state.RoleID) {
			m.Role = keepString(m.Role, state.Role)
		}
	}

	if m.TTL.SameDuration(state.TTL) {
		m.TTL = state.TTL
	} else {
		changed = append(changed, "ttl")
	}

	if isKnown(m.Email) && isKnown(state.Email) && platform.SameAddress(m.Email.ValueString(), state.Email.ValueString()) {
		m.Email = state.Email
	} else if !m.Email.Equal(state.Email) {
		changed = append(changed, "email")
	}

	if !m.SingleUse.Equal(state.SingleUse) {
		changed = append(changed, "single_use")
	}

	switch {
	case sameTriggers(m.RotationTriggers, state.RotationTriggers):
		if !m.RotationTriggers.IsNull() && !state.RotationTriggers.IsNull() {
			m.RotationTriggers = state.RotationTriggers
		}
	case how == adopted && len(triggers(state.RotationTriggers)) == 0:
		// These are the first triggers of an adopted invite. It is unknown which ones it was created with.
	default:
		changed = append(changed, "rotation_triggers")
	}

	switch {
	case sameRecipients(m.Recipients, state.Recipients):
		m.Recipients = state.Recipients
	case how == adopted && state.Recipients.IsNull():
		// These are the first recipients of an adopted invite. There is no code to encrypt to them.
	default:
		changed = append(changed, "recipients")
	}
	return changed
}

// statusFor returns the status for the planned renew_before at the time when the invite was last seen. While the
// planned value is unknown, it returns the status of the last refresh.
func (m *inviteCodeModel) statusFor(renewBefore duration.Value, seen time.Time) string {
	created, ok := parseTime(m.CreatedAt)
	expires, ok2 := parseTime(m.ExpiresAt)
	if !ok || !ok2 || !m.isAlive() || renewBefore.IsUnknown() {
		return m.Status.ValueString()
	}
	if seen.Before(created) {
		seen = created // It has not been read since it was created.
	}
	window, _ := renewBefore.Duration() // zero if null
	return statusOf(created, expires, window, seen)
}

// adoptTTL plans the ttl of an adopted invite if the configuration has none, or almost the same.
func (m *inviteCodeModel) adoptTTL(state *inviteCodeModel, configured duration.Value) {
	want, err := configured.Duration()
	actual, err2 := state.TTL.Duration()
	if configured.IsNull() || err == nil && err2 == nil && (want-actual).Abs() < adoptedTolerance {
		m.TTL = state.TTL
	}
}

// takesUp reports whether the spelling of an adopted group or role is the platform's UIDP, which the configuration's
// spelling replaces.
func (a adoption) takesUp(spelling, id types.String) bool { return a == adopted && spelling.Equal(id) }

// keepString returns the state's spelling of a planned value with the same meaning. If one of them is null, it returns
// the planned one, because Terraform accepts no other.
func keepString(planned, state types.String) types.String {
	if planned.IsNull() || state.IsNull() {
		return planned
	}
	return state
}

// sameTriggers reports whether two maps of triggers are the same. Null, empty and null-valued maps are the same. An
// unknown value counts as a change.
func sameTriggers(a, b types.Map) bool {
	return !a.IsUnknown() && !b.IsUnknown() && maps.EqualFunc(triggers(a), triggers(b), attr.Value.Equal)
}

func triggers(m types.Map) map[string]attr.Value {
	values := maps.Clone(m.Elements())
	maps.DeleteFunc(values, func(_ string, value attr.Value) bool { return value.IsNull() })
	return values
}

// replacedGroupKey is the key of the private state with the UIDP of the group of an invite whose configuration has
// none.
const replacedGroupKey = "group_id"

// checkReplacedGroup returns an error unless the default group is the group of the replaced invite. Terraform does not
// pass on that group when it applies the plan, so it cannot be planned.
func checkReplacedGroup(ctx context.Context, plan *inviteCodeModel, private privateState, diags *diag.Diagnostics) {
	var replaced string
	getPrivate(ctx, private, replacedGroupKey, &replaced, diags)
	if replaced == "" || plan.GroupID.IsUnknown() || plan.GroupID.ValueString() == replaced {
		return
	}
	diags.AddAttributeError(path.Root("group"), summaryMissingGroup, fmt.Sprintf(
		"The invite code is replaced, and its configuration does not set `group`. The existing one is in group %s, and the default group of "+
			"this machine is %q, which is another one. Set `group` here or in the provider block.", replaced, plan.Group.ValueString()))
}

// checkTimeout limits the optional lookup of UIDPs during a plan.
const checkTimeout = 10 * time.Second

// checkUIDPs fails the plan if the UIDP of a group or role does not exist, or if the role belongs to another group. If
// the platform is unreachable or denies access, the plan continues, and the create fails.
func (s *session) checkUIDPs(ctx context.Context, m *inviteModel, diags *diag.Diagnostics) {
	if diags.HasError() || m.GroupID.IsUnknown() {
		return
	}
	group, role := m.GroupID.ValueString(), m.Role.ValueString()
	if i := strings.LastIndexByte(role, '/'); i > 0 && refs.IsUIDP(role) && !strings.HasPrefix(group+"/", role[:i+1]) {
		diags.AddAttributeError(path.Root("role"), summaryRoleNotFound, fmt.Sprintf(
			"Role %s is a custom role of group %s, which is neither group %q nor above it, so it cannot be granted there. List the roles with "+
				"`chainctl iam roles list`.", role, role[:i], m.Group.ValueString()))
		return
	}
	if !s.ready() {
		return
	}
	client := s.client(diags)
	if client == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if refs.IsUIDP(m.Group.ValueString()) {
		if _, err := client.FindGroup(ctx, group); platform.IsNotFound(err) {
			addGroupNotFound(diags, path.Root("group"), group)
		}
	}
	if refs.IsUIDP(role) {
		if _, err := client.FindRole(ctx, role, group); platform.IsNotFound(err) {
			addRoleNotFound(diags, path.Root("role"), role)
		}
	}
}

func addGroupNotFound(diags *diag.Diagnostics, attribute path.Path, group string) {
	diags.AddAttributeError(attribute, summaryGroupNotFound, fmt.Sprintf(
		"Group %s does not exist or is not visible to the identity that Terraform uses. List the visible ones with `chainctl iam organizations "+
			"list` and `chainctl iam folders list`.", group))
}

func addRoleNotFound(diags *diag.Diagnostics, attribute path.Path, role string) {
	diags.AddAttributeError(attribute, summaryRoleNotFound, fmt.Sprintf(
		"Role %s does not exist or is not visible to the identity that Terraform uses. List the visible ones with `chainctl iam roles list`.", role))
}
