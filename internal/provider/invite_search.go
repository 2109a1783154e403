package provider

import (
	"context"
	"errors"
	"iter"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/refs"
)

// inviteSearch is the configuration of a search for invites, shared by the data source and the list resource.
type inviteSearch struct {
	Group          types.String `tfsdk:"group"`
	Recursive      types.Bool   `tfsdk:"recursive"`
	Email          types.String `tfsdk:"email"`
	Role           types.String `tfsdk:"role"`
	SingleUse      types.Bool   `tfsdk:"single_use"`
	IncludeExpired types.Bool   `tfsdk:"include_expired"`
}

// find yields the matching invites in the platform's order. An error ends the sequence and is added to diags, so that
// no result is silently incomplete.
func (s *session) find(ctx context.Context, search inviteSearch, diags *diag.Diagnostics) iter.Seq[*platform.Invite] {
	return func(yield func(*platform.Invite) bool) {
		client := s.client(diags)
		group := s.groupOrDefault(search.Group)
		scope := s.scope(ctx, group, search.Recursive, diags)
		if diags.HasError() {
			return
		}
		empty, roleFound := true, search.Role.IsNull()
		for invite, err := range client.Invites(ctx, scope) {
			if err != nil {
				addError(diags, summaryListInvites, err)
				return
			}
			empty = false
			if !search.ofRole(invite) {
				continue
			}
			roleFound = true
			if search.matches(invite) && !yield(invite) {
				return
			}
		}
		if empty && refs.IsUIDP(group.ValueString()) {
			checkGroupExists(ctx, client, scope.GroupID, diags)
		}
		if !roleFound && !diags.HasError() {
			checkRoleExists(ctx, client, search.Role.ValueString(), diags)
		}
	}
}

// groupOrDefault returns the group, or the provider's default if it is null. It returns null if there is neither.
func (s *session) groupOrDefault(group types.String) types.String {
	if group.IsNull() {
		group, _ = s.groupSetting()
	}
	return group
}

// scope returns the scope to list: a group, or everywhere if group is null.
func (s *session) scope(ctx context.Context, group types.String, recursive types.Bool, diags *diag.Diagnostics) platform.Scope {
	switch {
	case diags.HasError():
		return platform.Scope{}
	case group.IsNull():
		return platform.Scope{Everywhere: true}
	case group.IsUnknown():
		diags.AddError(summaryUnknownProvider, "The provider's `group` is not known yet, and no other `group` is set. Apply what it depends on first, or set `group` here.")
		return platform.Scope{}
	}
	return platform.Scope{
		GroupID:   s.groupID(ctx, group.ValueString(), diags).ValueString(),
		Recursive: recursive.ValueBool(),
	}
}

func (f inviteSearch) ofRole(invite *platform.Invite) bool {
	role := f.Role.ValueString()
	return f.Role.IsNull() || role == invite.RoleID || role == invite.RoleName
}

func (f inviteSearch) matches(invite *platform.Invite) bool {
	switch {
	case !f.Email.IsNull() && !platform.SameAddress(f.Email.ValueString(), invite.Email),
		!f.SingleUse.IsNull() && f.SingleUse.ValueBool() != invite.SingleUse,
		!f.IncludeExpired.ValueBool() && invite.Expired():
		return false
	default:
		return true
	}
}

// checkGroupExists adds an error if the group does not exist, because the platform returns an empty list for it. It
// adds none if groups cannot be read.
func checkGroupExists(ctx context.Context, client *platform.Client, id string, diags *diag.Diagnostics) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if _, err := client.FindGroup(ctx, id); platform.IsNotFound(err) {
		addGroupNotFound(diags, path.Root("group"), id)
	}
}

// checkRoleExists adds an error if the role does not exist, to detect misspelled names. It adds none if roles cannot be
// listed.
func checkRoleExists(ctx context.Context, client *platform.Client, role string, diags *diag.Diagnostics) {
	if refs.IsUIDP(role) {
		return
	}
	var none *platform.NameError
	if err := client.CheckRoleName(ctx, role); errors.As(err, &none) {
		addNameError(diags, path.Root("role"), summaryFindRole, err)
	}
}
