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

// ModifyPlan implements [resource.ResourceWithModifyPlan]. It resolves names, so that a plan shows what they mean and
// fails on those that do not exist, and decides whether the invite is kept, updated in the state, or replaced.
//
// It never reads the clock. The status and the moment at which the invite was last seen are in the state, so that
// planning again gives the same result: Terraform refuses to apply a saved plan otherwise.
func (r *inviteCodeResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || r.session == nil {
		return // Destroying needs no plan, and validating has no session.
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
		resp.Diagnostics.Append(writeModel(ctx, &resp.Plan, &plan)...)
	}
}

// configuredGroup returns the group that the configuration has: the resource's, or else the provider block's. It is null
// where neither has one. A default from the environment or from chainctl's configuration is not taken into account here:
// it is a setting of the machine, and must not move an invite that exists.
func (r *inviteCodeResource) configuredGroup(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) (group types.String) {
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("group"), &group)...)
	if !group.IsNull() || resp.Diagnostics.HasError() {
		return group
	}
	if setting, inBlock := r.session.groupSetting(); inBlock {
		return setting
	}
	if !req.State.Raw.IsNull() {
		// Terraform hands this on when it plans the create of a replacement, which has no prior state.
		var id types.String
		resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("group_id"), &id)...)
		resp.Diagnostics.Append(resp.Private.SetKey(ctx, replacedGroupKey, []byte(strconv.Quote(id.ValueString())))...)
	}
	return group
}

// nothingToPlan reports whether the invite in state is kept as it is, without decoding all of it.
func (r *inviteCodeResource) nothingToPlan(ctx context.Context, req resource.ModifyPlanRequest, group types.String, diags *diag.Diagnostics) bool {
	if req.State.Raw.IsNull() || !req.Plan.Raw.Equal(req.State.Raw) {
		return false
	}
	plan := attributesOf(ctx, req.Plan, diags)
	return !diags.HasError() && (group.IsNull() || group.Equal(plan["group"])) &&
		len(replacedBy(attribute[types.String](plan, "status").ValueString(), attribute[types.String](plan, "recreate").ValueString(), nil)) == 0
}

// planCreate plans an invite that does not exist yet, or that replaces another.
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

// planChange plans what becomes of the invite in state.
func (r *inviteCodeResource) planChange(ctx context.Context, plan, state *inviteCodeModel, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	diags := &resp.Diagnostics
	how := adoptionOf(ctx, req.Private, diags)
	plan.keepComputed(state)
	if how.isUnread() {
		plan.planKeptCode(state, diags)
		return // What has not been read yet cannot be compared.
	}
	if how == adopted {
		var ttl duration.Value
		diags.Append(req.Config.GetAttribute(ctx, path.Root("ttl"), &ttl)...)
		plan.adoptTTL(state, ttl)
	}

	// Names that have not changed are not looked up again: a thousand invites that stay as they are cost no call.
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
		recreate = state.Recreate // The one that was applied, until the new one is known.
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

// markedFor returns the attribute that Terraform marks as the reason for a replacement because of another one. That is
// the one in the configuration, if it has changed: Terraform ignores an attribute that does not differ from the state.
func (m *inviteCodeModel) markedFor(attribute string, state *inviteCodeModel) string {
	switch {
	case attribute == "status" && !m.Status.Equal(state.Status):
		return "renew_before" // The state's status is active.
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

// replacedBy returns the attributes because of which an invite is replaced; if there are none, it is kept, and what has
// changed updates the state. It is the whole policy: status is as of the last read, recreate is as configured, and
// changed are the attributes whose values mean something else than in the state.
func replacedBy(status, recreate string, changed []string) []string {
	var because []string
	// A consumed invite has done its work. Unless it is always replaced, only another grant is worth a new one; what else
	// has changed concerns the next code.
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

// isGrant reports whether an attribute is part of what the invitee gets, and not only of how the code works.
func isGrant(attribute string) bool {
	return attribute == "group_id" || attribute == "role_id" || attribute == "email"
}

// keepComputed copies from the state what only the platform decides.
func (m *inviteCodeModel) keepComputed(state *inviteCodeModel) {
	m.ID, m.Code, m.EncryptedCode = state.ID, state.Code, state.EncryptedCode
	m.GroupID, m.RoleID, m.RoleName = state.GroupID, state.RoleID, state.RoleName
	m.CreatedAt, m.ExpiresAt = state.CreatedAt, state.ExpiresAt
	m.Status = state.Status
}

// compare returns the attributes whose planned values mean something else than those in the state, and so need a new
// invite. What means the same is planned in the words of the state, so that it is no change: Terraform does not apply the
// semantic equality of a type while planning (hashicorp/terraform-plugin-framework#1168).
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
		// The first triggers of an adopted invite: it is not known on which it depends.
	default:
		changed = append(changed, "rotation_triggers")
	}

	switch {
	case sameRecipients(m.Recipients, state.Recipients):
		m.Recipients = state.Recipients
	case how == adopted && state.Recipients.IsNull():
		// The first recipients of an adopted invite: there is no code that could be encrypted to them.
	default:
		changed = append(changed, "recipients")
	}
	return changed
}

// statusFor returns the status for the planned renew_before, as of the moment at which the invite was last seen. While
// the planned value is unknown, the status is as the refresh has decided it.
func (m *inviteCodeModel) statusFor(renewBefore duration.Value, seen time.Time) string {
	created, ok := parseTime(m.CreatedAt)
	expires, ok2 := parseTime(m.ExpiresAt)
	if !ok || !ok2 || !m.isAlive() || renewBefore.IsUnknown() {
		return m.Status.ValueString()
	}
	if seen.Before(created) {
		seen = created // It has not been read since it was created.
	}
	window, _ := renewBefore.Duration() // Zero where it is null.
	return statusOf(created, expires, window, seen)
}

// adoptTTL plans the ttl of an adopted invite where the configuration has none, or almost the same.
func (m *inviteCodeModel) adoptTTL(state *inviteCodeModel, configured duration.Value) {
	want, err := configured.Duration()
	actual, err2 := state.TTL.Duration()
	if configured.IsNull() || err == nil && err2 == nil && (want-actual).Abs() < adoptedTolerance {
		m.TTL = state.TTL
	}
}

// takesUp reports whether the spelling of an adopted group or role is the platform's UIDP, which gives way to the
// configuration's spelling.
func (a adoption) takesUp(spelling, id types.String) bool { return a == adopted && spelling.Equal(id) }

// keepString returns the state's spelling of what planned means as well. Where one of them is null, Terraform takes
// only the configuration's.
func keepString(planned, state types.String) types.String {
	if planned.IsNull() || state.IsNull() {
		return planned
	}
	return state
}

// sameTriggers reports whether two maps of triggers are the same: null, empty and null-valued ones are. An unknown value
// may turn out to be another one.
func sameTriggers(a, b types.Map) bool {
	return !a.IsUnknown() && !b.IsUnknown() && maps.EqualFunc(triggers(a), triggers(b), attr.Value.Equal)
}

func triggers(m types.Map) map[string]attr.Value {
	values := maps.Clone(m.Elements())
	maps.DeleteFunc(values, func(_ string, value attr.Value) bool { return value.IsNull() })
	return values
}

// replacedGroupKey is where the private state has the UIDP of the group of an invite whose configuration has none.
const replacedGroupKey = "group_id"

// checkReplacedGroup holds that a default group is the group of the invite that is replaced. Terraform does not hand on
// that group when it applies the plan, so it cannot be planned instead.
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

// checkTimeout bounds the lookup of UIDPs, without which a plan goes on.
const checkTimeout = 10 * time.Second

// checkUIDPs fails the plan where a group or a role is given by a UIDP that does not exist, or where the role belongs to
// another group. If the platform cannot be reached, or denies access, the plan goes on, and the create fails.
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
