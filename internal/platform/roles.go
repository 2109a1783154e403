package platform

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	sdk "chainguard.dev/sdk/proto/capabilities"
	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/uidp"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// ClusterRoleName is the managed role that invites for a cluster gave. chainctl had `--cluster` for "default roles
// for cluster invites" up to February 2024; that this is the role it stood for is an inference, and the platform may
// no longer have it.
const ClusterRoleName = "gulfstream"

// Role is a set of capabilities that is granted in a group.
type Role struct {
	// ID is the role's UIDP.
	ID string
	// Name is what people call it, such as "viewer".
	Name string
	// Description is what people wrote of it. It may be empty.
	Description string
	// Capabilities are the names of what the role allows, such as "groups.list", sorted.
	Capabilities []string
}

// Managed reports whether the role is one of Chainguard's own, which every organization has.
func (r Role) Managed() bool { return uidp.InRoot(r.ID) }

// ReadRole is the role with the UIDP id. [IsNotFound] tells whether the error is that there is none.
func (c *Client) ReadRole(ctx context.Context, id string) (Role, error) {
	doing := "reading role " + redact.Text(id)
	answer, err := c.roles.GetRole(ctx, &iam.GetRoleRequest{Uid: id})
	if err != nil {
		return Role{}, c.explain(err, readRoles, doing)
	}
	if answer.GetUid() != id {
		return Role{}, c.malformed(doing, "it is about another role, %q", redact.Text(answer.GetUid()))
	}
	return readRole(answer), nil
}

// CheckRoleName is an error, a [*NameError], if no role that the caller can see has the name.
func (c *Client) CheckRoleName(ctx context.Context, name string) error {
	named, err := c.rolesNamed(ctx, name)
	if err != nil || len(named) > 0 {
		return err
	}
	return c.noRole(ctx, name, "")
}

// FindRole is the role that name means for an invite to groupID: a managed role, or a custom role of the group or of
// one that it is in. Without a groupID it is any role of that name that the caller can see, and the managed one if there
// are several. The error is a [*NameError] where there is none or no telling which, and [IsNotFound] of a UIDP, which name
// may be as well. The answer is remembered.
func (c *Client) FindRole(ctx context.Context, name, groupID string) (Role, error) {
	return c.byRole.get(ctx, groupID+"\x00"+name, c.config.Now, func(ctx context.Context) (Role, error) {
		return c.findRole(ctx, name, groupID)
	})
}

func (c *Client) findRole(ctx context.Context, name, groupID string) (Role, error) {
	if uidp.Valid(name) {
		return findNew(ctx, c.config.Sleep, func() (Role, error) { return c.ReadRole(ctx, name) })
	}
	if name == "" {
		return Role{}, &NameError{Kind: "role", detail: "A role needs a name or a UIDP, and this is empty."}
	}
	named, err := c.rolesNamed(ctx, name)
	if err != nil {
		return Role{}, err
	}
	named = slices.DeleteFunc(slices.Clone(named), func(r Role) bool { return r.Name != name || !r.usableIn(groupID) })
	hint := ""
	if groupID == "" {
		if i := slices.IndexFunc(named, Role.Managed); i >= 0 {
			named = named[i : i+1]
		}
		hint = ", or set `group`"
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
		"%d roles that %s are named %q:\n\n%s\n\nUse the UIDP of one of them%s.",
		len(named), c.within(groupID), name, strings.Join(lines, "\n"), hint)}
}

// rolesNamed are the roles of a name that the caller can see, wherever they can be given. The answer is remembered: the
// groups of a configuration mostly give the same roles.
func (c *Client) rolesNamed(ctx context.Context, name string) ([]Role, error) {
	return c.named.get(ctx, name, c.config.Now, func(ctx context.Context) ([]Role, error) {
		return c.listRoles(ctx, "looking up role "+strconv.Quote(redact.Text(name)), &iam.ListRolesRequest{Name: name})
	})
}

// ExpectRole begins to look up a role that [Client.FindRole] will be asked for when the group is known.
func (c *Client) ExpectRole(ctx context.Context, name string) {
	if name != "" {
		go func() { _, _ = c.rolesNamed(ctx, name) }()
	}
}

// within says where a role was looked for, after "that", in the words in which the group was asked for.
func (c *Client) within(groupID string) string {
	if groupID == "" {
		return "this identity can see"
	}
	if name, ok := c.written.Load(groupID); ok {
		return fmt.Sprintf("can be given in group %q", name)
	}
	return "can be given in group " + groupID
}

// usableIn reports whether the role can be given in a group: custom roles of every group that the caller can see
// share the platform's name filter.
func (r Role) usableIn(groupID string) bool {
	return r.Managed() || groupID == "" || uidp.IsAncestorOrSelf(uidp.Parent(r.ID), groupID)
}

func (c *Client) noRole(ctx context.Context, name, groupID string) error {
	detail := fmt.Sprintf("There is no role named %q that %s.", name, c.within(groupID))
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

// listRoles are the roles on all pages of a listing.
func (c *Client) listRoles(ctx context.Context, doing string, request *iam.ListRolesRequest) ([]Role, error) {
	request.PageSize = pageSize
	return allPages(c, doing, func(token string) ([]Role, string, error) {
		request.PageToken = token
		page, err := c.roles.ListRoles(ctx, request)
		if err != nil {
			return nil, "", c.explain(err, readRoles, doing)
		}
		roles := make([]Role, len(page.GetRoles()))
		for i, answer := range page.GetRoles() {
			if err := c.checkNamed(answer, doing); err != nil {
				return nil, "", err
			}
			roles[i] = readRole(answer)
		}
		return roles, page.GetNextPageToken(), nil
	})
}

func readRole(answer *iam.Role) Role {
	role := Role{ID: answer.GetUid(), Name: redact.Text(answer.GetName()), Description: answer.GetDescription()}
	for _, capability := range answer.GetCapabilities() {
		role.Capabilities = append(role.Capabilities, capabilityName(capability))
	}
	slices.Sort(role.Capabilities)
	return role
}

// capabilityName is what people call a capability: "group_invites.create". One that is newer than the SDK has a number
// only.
func capabilityName(capability sdk.Capability) string {
	name, err := sdk.Stringify(capability)
	if err != nil || name == "" {
		return capability.String()
	}
	return name
}
