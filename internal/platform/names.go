package platform

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	sdk "chainguard.dev/sdk/proto/capabilities"
	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	common "chainguard.dev/sdk/proto/platform/common/v1"
	"chainguard.dev/sdk/uidp"
	"github.com/agext/levenshtein"
)

// ClusterRoleName is the managed role that invites for a cluster gave. chainctl had `--cluster` for "default roles
// for cluster invites" up to February 2024; that this is the role it stood for is an inference, and the platform may
// no longer have it.
const ClusterRoleName = "gulfstream"

// Group is an organization (a root group) or a folder.
type Group struct {
	// ID is the group's UIDP.
	ID string
	// Name is unique among the children of one group, and among verified organizations.
	Name string
	// Description is what people wrote of it. It may be empty.
	Description string
	// Verified says that Chainguard verified the organization.
	Verified bool
	// CreatedAt and UpdatedAt are the platform's times, in UTC, zero where it does not tell.
	CreatedAt, UpdatedAt time.Time
}

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

// NameError is a name that means nothing, or more than one thing. Its text says what there is.
type NameError struct {
	// Kind is "group" or "role".
	Kind string
	// Name is what was asked for.
	Name string
	// Ambiguous says that it means more than one thing.
	Ambiguous bool

	detail string
}

func (e *NameError) Error() string { return e.detail }

// IsUIDP reports whether text is a UIDP and not a name.
func IsUIDP(text string) bool { return uidp.Valid(text) }

// IsInviteUIDP reports whether text can be the UIDP of an invite, which is always below a group.
func IsInviteUIDP(text string) bool { return uidp.Valid(text) && !uidp.InRoot(text) }

// IsGroup reports whether id is the UIDP of a group that the caller can see.
func (c *Client) IsGroup(ctx context.Context, id string) (bool, error) {
	groups, err := c.listGroups(ctx, &iam.ListGroupsRequest{Uidp: &common.UIDPFilter{Ids: []string{id}}})
	return len(groups) > 0, err
}

// FindGroup is the group that reference means: a name, or the names from an organization down to a folder, joined by
// "/". Of several groups with one name it is the verified organization. The error is a [*NameError] where there is no
// such group or no telling which. The answer is remembered.
func (c *Client) FindGroup(ctx context.Context, reference string) (Group, error) {
	return c.byGroup.get(ctx, reference, c.config.Now, func(ctx context.Context) (Group, error) {
		return c.findGroup(ctx, reference)
	})
}

// FindRole is the role that name means for an invite to groupID: a managed role, or a custom role of the group or of
// one that it is in. Without a groupID it is any role of that name that the caller can see. The error is a
// [*NameError] where there is none or no telling which. The answer is remembered.
func (c *Client) FindRole(ctx context.Context, name, groupID string) (Role, error) {
	return c.byRole.get(ctx, groupID+"\x00"+name, c.config.Now, func(ctx context.Context) (Role, error) {
		return c.findRole(ctx, name, groupID)
	})
}

func (c *Client) findGroup(ctx context.Context, reference string) (Group, error) {
	names, ok := splitReference(reference)
	if !ok {
		return Group{}, &NameError{Kind: "group", Name: reference, detail: fmt.Sprintf(
			"%q does not name a group: it must be a name, a UIDP, or names joined by \"/\", none of them empty.", reference)}
	}
	var found []Group
	verified := map[string]bool{} // the organizations that the first name may mean
	for depth, name := range names {
		filter := &common.UIDPFilter{}
		if depth > 0 && len(found) == 1 {
			filter.ChildrenOf = found[0].ID
		}
		named, err := c.listGroups(ctx, &iam.ListGroupsRequest{Name: name, Uidp: filter})
		if err != nil {
			return Group{}, err
		}
		parents := found
		named = slices.DeleteFunc(named, func(g Group) bool {
			return g.Name != name || depth > 0 &&
				!slices.ContainsFunc(parents, func(p Group) bool { return p.ID == uidp.Parent(g.ID) })
		})
		if depth == 0 {
			for _, group := range named {
				verified[group.ID] = group.Verified && uidp.InRoot(group.ID)
			}
			if one := slices.DeleteFunc(slices.Clone(named), func(g Group) bool { return !verified[g.ID] }); len(names) > 1 && len(one) == 1 {
				// A path goes through the verified organization, also where only its namesake has the folder.
				named = slices.DeleteFunc(named, func(g Group) bool { return uidp.InRoot(g.ID) && !verified[g.ID] })
			}
		}
		if len(named) == 0 {
			return Group{}, c.noGroup(ctx, reference, name, found)
		}
		found = named
	}

	if len(found) > 1 {
		// Nobody else can give an organization the name of a verified one, so that is the one that is meant.
		trusted := slices.DeleteFunc(slices.Clone(found), func(g Group) bool {
			return !verified[uidp.Root(g.ID)] || len(uidp.Parents(g.ID)) != len(names)-1
		})
		if len(trusted) == 1 {
			found = trusted
		}
	}
	if len(found) > 1 {
		return Group{}, c.manyGroups(ctx, reference, found)
	}
	return found[0], nil
}

// splitReference is the names in a reference to a group. An empty name is none: the platform would take it for any.
func splitReference(reference string) (names []string, ok bool) {
	names = strings.Split(reference, "/")
	return names, !slices.Contains(names, "")
}

func (c *Client) findRole(ctx context.Context, name, groupID string) (Role, error) {
	if name == "" {
		return Role{}, &NameError{Kind: "role", detail: "A role needs a name or a UIDP, and this is empty."}
	}
	named, err := c.listRoles(ctx, &iam.ListRolesRequest{Name: name})
	if err != nil {
		return Role{}, err
	}
	named = slices.DeleteFunc(named, func(r Role) bool { return r.Name != name || !r.usableIn(groupID) })
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
		"%d roles that %s are named %q:\n\n%s\n\nWrite the UIDP of the one you mean.",
		len(named), within(groupID), name, strings.Join(lines, "\n"))}
}

// within says where a role was looked for, after "that".
func within(groupID string) string {
	if groupID == "" {
		return "this identity can see"
	}
	return "can be given in group " + groupID
}

// usableIn reports whether the role can be given in a group: custom roles of every group that the caller can see
// share the platform's name filter.
func (r Role) usableIn(groupID string) bool {
	return r.Managed() || groupID == "" || uidp.IsAncestorOrSelf(uidp.Parent(r.ID), groupID)
}

func (c *Client) noGroup(ctx context.Context, reference, name string, parents []Group) error {
	detail := fmt.Sprintf("There is no group named %q", name)
	filter := &common.UIDPFilter{}
	if len(parents) > 0 {
		detail += fmt.Sprintf(" in %q", parents[0].Name)
		filter.ChildrenOf = parents[0].ID
	}
	detail += " that this identity can see."
	if all, err := c.listGroups(ctx, &iam.ListGroupsRequest{Uidp: filter}); err == nil {
		names := make([]string, len(all))
		for i, g := range all {
			names[i] = g.Name
		}
		detail += suggest(name, names, "It sees no group there at all.")
	}
	return &NameError{Kind: "group", Name: reference, detail: detail}
}

func (c *Client) manyGroups(ctx context.Context, reference string, found []Group) error {
	var ids []string
	for _, group := range found {
		ids = append(ids, uidp.Parents(group.ID)...)
	}
	names := map[string]string{}
	if len(ids) > 0 {
		// Without the names of the groups above, the UIDPs below still tell them apart.
		above, _ := c.listGroups(ctx, &iam.ListGroupsRequest{Uidp: &common.UIDPFilter{Ids: unique(ids)}})
		for _, group := range above {
			names[group.ID] = group.Name
		}
	}
	lines := make([]string, len(found))
	for i, group := range found {
		path := group.Name
		for _, parent := range uidp.Parents(group.ID) {
			path = cmp.Or(names[parent], "?") + "/" + path
		}
		lines[i] = fmt.Sprintf("  - %s (%s)", path, group.ID)
	}
	slices.Sort(lines)
	return &NameError{Kind: "group", Name: reference, Ambiguous: true, detail: fmt.Sprintf(
		"%d groups are meant by %q:\n\n%s\n\nWrite the path or the UIDP of the one you mean.",
		len(found), reference, strings.Join(lines, "\n"))}
}

func (c *Client) noRole(ctx context.Context, name, groupID string) error {
	detail := fmt.Sprintf("There is no role named %q that %s.", name, within(groupID))
	if all, err := c.listRoles(ctx, &iam.ListRolesRequest{}); err == nil {
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

// maxSuggested bounds how many names an error lists.
const maxSuggested = 12

// suggest is the end of a sentence about a name that is not in names: the nearest, or else what there is, or none.
func suggest(name string, names []string, none string) string {
	names = unique(names)
	if len(names) == 0 {
		return " " + none
	}
	nearest, distance := "", max(2, len(name)/3)+1
	for _, candidate := range names {
		if d := levenshtein.Distance(name, candidate, nil); d < distance {
			nearest, distance = candidate, d
		}
	}
	if nearest != "" {
		return fmt.Sprintf(" Did you mean %q?", nearest)
	}
	more := ""
	if len(names) > maxSuggested {
		more = fmt.Sprintf(" and %d more", len(names)-maxSuggested)
		names = names[:maxSuggested]
	}
	return " There are: " + strings.Join(names, ", ") + more + "."
}

// unique sorts texts and drops those that stand there twice.
func unique(texts []string) []string {
	texts = slices.Clone(texts)
	slices.Sort(texts)
	return slices.Compact(texts)
}

func (c *Client) listGroups(ctx context.Context, request *iam.ListGroupsRequest) ([]Group, error) {
	const doing = "looking up groups by name"
	var groups []Group
	for range maxPages {
		request.PageSize = pageSize
		page, err := c.groups.ListGroups(ctx, request)
		if err != nil {
			return nil, c.explain(err, readGroups, doing)
		}
		for _, answer := range page.GetGroups() {
			if !uidp.Valid(answer.GetUid()) || len(answer.GetName()) > maxField {
				return nil, c.malformed(doing, "%q is not the UIDP of a group", Clean(answer.GetUid()))
			}
			groups = append(groups, readGroup(answer))
		}
		if page.GetNextPageToken() == "" || page.GetNextPageToken() == request.GetPageToken() {
			return groups, nil
		}
		request.PageToken = page.GetNextPageToken()
	}
	return nil, c.malformed(doing, "it goes on for more than %d pages", maxPages)
}

func (c *Client) listRoles(ctx context.Context, request *iam.ListRolesRequest) ([]Role, error) {
	const doing = "looking up roles by name"
	var roles []Role
	for range maxPages {
		request.PageSize = pageSize
		page, err := c.roles.ListRoles(ctx, request)
		if err != nil {
			return nil, c.explain(err, readRoles, doing)
		}
		for _, answer := range page.GetRoles() {
			if !uidp.Valid(answer.GetUid()) || len(answer.GetName()) > maxField {
				return nil, c.malformed(doing, "%q is not the UIDP of a role", Clean(answer.GetUid()))
			}
			roles = append(roles, readRole(answer))
		}
		if page.GetNextPageToken() == "" || page.GetNextPageToken() == request.GetPageToken() {
			return roles, nil
		}
		request.PageToken = page.GetNextPageToken()
	}
	return nil, c.malformed(doing, "it goes on for more than %d pages", maxPages)
}

func readGroup(answer *iam.Group) Group {
	group := Group{
		ID:          answer.GetUid(),
		Name:        Clean(answer.GetName()),
		Description: answer.GetDescription(),
		Verified:    answer.GetVerified(),
	}
	if t := answer.GetCreateTime(); t.CheckValid() == nil {
		group.CreatedAt = t.AsTime()
	}
	if t := answer.GetUpdateTime(); t.CheckValid() == nil {
		group.UpdatedAt = t.AsTime()
	}
	return group
}

func readRole(answer *iam.Role) Role {
	role := Role{ID: answer.GetUid(), Name: Clean(answer.GetName()), Description: answer.GetDescription()}
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
