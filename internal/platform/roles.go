package platform

import (
	"context"
	"fmt"
	"slices"
	"strings"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/uidp"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// ClusterRoleName is the managed role of cluster invites. Until February 2024, chainctl had `--cluster` for "default
// roles for cluster invites". That this was the role is an inference, and the platform may not have it any longer.
const ClusterRoleName = "gulfstream"

// ReadRole returns the role with the UIDP id. The error satisfies [IsNotFound] if there is none.
func (c *Client) ReadRole(ctx context.Context, id string) (Role, error) {
	doing := "reading role " + redact.Text(id)
	answer, err := c.roles.GetRole(ctx, &iam.GetRoleRequest{Uid: id})
	if err != nil {
		return Role{}, c.explain(err, readRoles, doing)
	}
	if answer.GetUid() != id {
		return Role{}, c.unusable(doing, "it is about another role, %q", redact.Text(answer.GetUid()))
	}
	return readRole(answer), nil
}

// CheckRoleName returns a [*NameError] if no visible role has the name.
func (c *Client) CheckRoleName(ctx context.Context, name string) error {
	named, err := c.rolesNamed(ctx, name)
	if err != nil || len(named) > 0 {
		return err
	}
	return c.noRole(ctx, name, "")
}

// FindRole returns the role with a name or UIDP for an invite to groupID: a managed role, or a custom role of the group
// or of one above it. Without a groupID, it returns any visible role of that name, preferring a managed one. If there
// is no role or more than one, the error is a [*NameError], or satisfies [IsNotFound] for a UIDP. The result is cached.
func (c *Client) FindRole(ctx context.Context, name, groupID string) (Role, error) {
	doing := "looking up role " + redact.Quote(name)
	role, err := c.rolesByRef.get(ctx, c.clock, groupID+"\x00"+name, func(ctx context.Context) (Role, error) {
		return within(ctx, c.limits.lookup, doing, func(ctx context.Context) (Role, error) {
			return c.findRole(ctx, name, groupID)
		})
	})
	return role, c.explain(err, readRoles, doing)
}

func (c *Client) findRole(ctx context.Context, name, groupID string) (Role, error) {
	if uidp.Valid(name) {
		return findNew(ctx, c.clock, func() (Role, error) { return c.ReadRole(ctx, name) })
	}
	if name == "" {
		return Role{}, &NameError{Kind: "role", detail: "A role needs a name or a UIDP, and this is empty."}
	}
	named, err := c.rolesNamed(ctx, name)
	if err != nil {
		return Role{}, err
	}
	named = slices.DeleteFunc(slices.Clone(named), func(r Role) bool { return r.Name != name || !r.usableIn(groupID) })
	if groupID == "" && slices.ContainsFunc(named, Role.Managed) {
		// Other visible organizations may have custom roles of that name.
		named = slices.DeleteFunc(named, func(r Role) bool { return !r.Managed() })
	}
	switch len(named) {
	case 1:
		return named[0], nil
	case 0:
		return Role{}, c.noRole(ctx, name, groupID)
	}
	lines := make([]string, len(named))
	for i, role := range named {
		kind := "managed by Chainguard"
		if !role.Managed() {
			kind = "custom role of group " + uidp.Parent(role.ID)
		}
		lines[i] = fmt.Sprintf("  - %s (%s)", role.ID, kind)
	}
	slices.Sort(lines)
	return Role{}, &NameError{Kind: "role", Name: name, Ambiguous: true, detail: fmt.Sprintf(
		"%d roles that %s are named %s:\n\n%s\n\nUse the UIDP of the role that you mean%s.",
		len(named), c.whereFrom(groupID), redact.Quote(name), strings.Join(lines, "\n"), orGroup(groupID))}
}

// orGroup suggests setting a group to resolve an ambiguity, if that would help.
func orGroup(groupID string) string {
	if groupID == "" {
		return ", or set `group` to the group that it is granted in"
	}
	return ""
}

// rolesNamed returns all visible roles with a name. The result is cached, because the groups of a configuration mostly
// use the same roles.
func (c *Client) rolesNamed(ctx context.Context, name string) ([]Role, error) {
	return c.rolesByName.get(ctx, c.clock, name, func(ctx context.Context) ([]Role, error) {
		return c.listRoles(ctx, "looking up role "+redact.Quote(name), &iam.ListRolesRequest{Name: name})
	})
}

// ExpectRole starts looking up a role in the background, for a later call of [Client.FindRole].
func (c *Client) ExpectRole(ctx context.Context, name string) {
	if name != "" {
		go func() { _, _ = c.rolesNamed(ctx, name) }()
	}
}

// whereFrom describes which roles were searched, to follow "that".
func (c *Client) whereFrom(groupID string) string {
	if groupID == "" {
		return "this identity can see"
	}
	return "can be granted in " + c.groupName(groupID)
}

func (c *Client) noRole(ctx context.Context, name, groupID string) error {
	detail := fmt.Sprintf("There is no role named %s that %s.", redact.Quote(name), c.whereFrom(groupID))
	if all, err := c.listRoles(ctx, "listing roles", &iam.ListRolesRequest{}); err == nil {
		var names []string
		for _, role := range all {
			if role.usableIn(groupID) {
				names = append(names, role.Name)
			}
		}
		detail += suggest(name, names, "This identity sees no role at all.")
	}
	return &NameError{Kind: "role", Name: name, detail: detail}
}

// listRoles returns all roles of a listing.
func (c *Client) listRoles(ctx context.Context, doing string, request *iam.ListRolesRequest) ([]Role, error) {
	pages := &pager[Role]{
		id: func(r Role) string { return r.ID },
		fetch: func(ctx context.Context, token string) (page[Role], error) {
			answer, err := c.roles.ListRoles(ctx, &iam.ListRolesRequest{Name: request.GetName(), PageSize: pageSize, PageToken: token})
			result := page[Role]{next: answer.GetNextPageToken()}
			if err != nil {
				return result, err
			}
			for _, item := range answer.GetRoles() {
				if bad := c.checkNamed(item, doing); bad != nil {
					return result, bad
				}
				result.items = append(result.items, readRole(item))
			}
			return result, nil
		},
	}
	roles, err := within(ctx, c.limits.lookup, doing, pages.all)
	return roles, c.explain(err, readRoles, doing)
}
