package platform

import (
	"context"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	common "chainguard.dev/sdk/proto/platform/common/v1"
	"chainguard.dev/sdk/uidp"
)

// ReadGroup is the group with the UIDP id. [IsNotFound] tells whether the error is that there is none.
func (c *Client) ReadGroup(ctx context.Context, id string) (Group, error) {
	doing := "reading group " + Clean(id)
	answer, err := c.groups.GetGroup(ctx, &iam.GetGroupRequest{Uid: id})
	if err != nil {
		return Group{}, c.explain(err, readGroups, doing)
	}
	if answer.GetUid() != id {
		return Group{}, c.malformed(doing, "it is about another group, %q", Clean(answer.GetUid()))
	}
	return readGroup(answer), nil
}

// ReadRole is the role with the UIDP id. [IsNotFound] tells whether the error is that there is none.
func (c *Client) ReadRole(ctx context.Context, id string) (Role, error) {
	doing := "reading role " + Clean(id)
	answer, err := c.roles.GetRole(ctx, &iam.GetRoleRequest{Uid: id})
	if err != nil {
		return Role{}, c.explain(err, readRoles, doing)
	}
	if answer.GetUid() != id {
		return Role{}, c.malformed(doing, "it is about another role, %q", Clean(answer.GetUid()))
	}
	return readRole(answer), nil
}

// ParentID is the UIDP of the group that the group is a folder of, and empty for an organization.
func (g Group) ParentID() string {
	if uidp.InRoot(g.ID) {
		return ""
	}
	return uidp.Parent(g.ID)
}

// GroupPath is the names of the groups from the uppermost that the caller can see down to the group with the UIDP id,
// joined by "/". It is the UIDP where the caller cannot see the group itself.
func (c *Client) GroupPath(ctx context.Context, id string) (string, error) {
	line := uidp.Ancestry(id) // From the group up.
	groups, err := c.listGroups(ctx, &iam.ListGroupsRequest{Uidp: &common.UIDPFilter{Ids: line}})
	if err != nil {
		return "", err
	}
	names := make(map[string]string, len(groups))
	for _, group := range groups {
		names[group.ID] = group.Name
	}
	if names[id] == "" {
		return id, nil
	}
	path := names[id]
	for _, above := range line[1:] {
		if names[above] == "" {
			break
		}
		path = names[above] + "/" + path
	}
	return path, nil
}

// CheckRoleName is an error, a [*NameError], if no role that the caller can see has the name.
func (c *Client) CheckRoleName(ctx context.Context, name string) error {
	named, err := c.listRoles(ctx, &iam.ListRolesRequest{Name: name})
	if err != nil || len(named) > 0 {
		return err
	}
	return c.noRole(ctx, name, "")
}
