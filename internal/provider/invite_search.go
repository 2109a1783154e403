package provider

import (
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/refs"
)

// What the arguments of a search mean, in the data source and in the list resource.
const (
	searchGroupText = "Only invites of this group: a name, names from the organization down joined by `/` (`acme.example/platform`), or " +
		"a UIDP. Without it, the invites of all groups that you can see, whatever the provider's `group` is."
	searchRecursiveText      = "Whether the invites of the groups below `group` are found as well. Default: `false`."
	searchEmailText          = "Only invites that this address alone may redeem. Upper and lower case do not matter."
	searchRoleText           = "Only invites that give this role: a name, such as `viewer`, or a UIDP."
	searchSingleUseText      = "Only invites that can be redeemed once only (`true`), or only those that can be redeemed again and again (`false`)."
	searchIncludeExpiredText = "Whether invites whose time is over are found as well, as long as the platform still lists them. Default: " +
		"`false`."
)

// inviteSearch says which invites are looked for.
type inviteSearch struct {
	Group          types.String `tfsdk:"group"`
	Recursive      types.Bool   `tfsdk:"recursive"`
	Email          types.String `tfsdk:"email"`
	Role           types.String `tfsdk:"role"`
	SingleUse      types.Bool   `tfsdk:"single_use"`
	IncludeExpired types.Bool   `tfsdk:"include_expired"`
}

// find goes through the invites that are looked for, in the platform's order. What goes wrong ends it, and is in diags
// then: a search is complete or fails.
func (s *session) find(ctx context.Context, search inviteSearch, diags *diag.Diagnostics) iter.Seq[platform.Listed] {
	return func(yield func(platform.Listed) bool) {
		client := s.client(diags)
		scope := s.scope(ctx, search.Group, search.Recursive, diags)
		if diags.HasError() {
			return
		}
		roleFound := search.Role.IsNull()
		for invite, err := range client.Invites(ctx, scope) {
			if err != nil {
				addError(diags, "Invites Not Listed", err)
				return
			}
			if !search.ofRole(invite) {
				continue
			}
			roleFound = true
			if search.matches(invite) && !yield(invite) {
				return
			}
		}
		if !roleFound {
			checkRoleExists(ctx, client, search.Role.ValueString(), diags)
		}
	}
}

// scope is where invites are listed: in a group, or everywhere where there is none.
func (s *session) scope(ctx context.Context, group types.String, recursive types.Bool, diags *diag.Diagnostics) platform.Scope {
	switch {
	case diags.HasError():
		return platform.Scope{}
	case group.IsNull():
		return platform.Scope{Everywhere: true}
	}
	return platform.Scope{
		GroupID:   s.groupID(ctx, group.ValueString(), diags).ValueString(),
		Recursive: recursive.ValueBool(),
	}
}

func (f inviteSearch) ofRole(invite platform.Listed) bool {
	role := f.Role.ValueString()
	return f.Role.IsNull() || role == invite.RoleID || role == invite.RoleName
}

func (f inviteSearch) matches(invite platform.Listed) bool {
	switch {
	case !f.Email.IsNull() && !strings.EqualFold(f.Email.ValueString(), invite.Email),
		!f.SingleUse.IsNull() && f.SingleUse.ValueBool() != invite.SingleUse,
		!f.IncludeExpired.ValueBool() && invite.Expired():
		return false
	default:
		return true
	}
}

// checkRoleExists tells a role that no invite gives from one that is misspelled. Who may list invites but not roles
// gets the benefit of the doubt.
func checkRoleExists(ctx context.Context, client *platform.Client, role string, diags *diag.Diagnostics) {
	if refs.IsUIDP(role) {
		return
	}
	var none *platform.NameError
	if err := client.CheckRoleName(ctx, role); errors.As(err, &none) {
		addNameError(diags, path.Root("role"), "Role Not Looked Up", err)
	}
}
