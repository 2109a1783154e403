package platform

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	common "chainguard.dev/sdk/proto/platform/common/v1"
	"chainguard.dev/sdk/uidp"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// ReadGroup returns the group with the UIDP id. The error satisfies [IsNotFound] if there is none.
func (c *Client) ReadGroup(ctx context.Context, id string) (Group, error) {
	doing := "reading group " + redact.Text(id)
	answer, err := c.groups.GetGroup(ctx, &iam.GetGroupRequest{Uid: id})
	if err != nil {
		return Group{}, c.explain(err, readGroups, doing)
	}
	if answer.GetUid() != id {
		return Group{}, c.unusable(doing, "it is about another group, %q", redact.Text(answer.GetUid()))
	}
	return readGroup(answer), nil
}

// IsGroup reports whether id is the UIDP of a group that the caller can see.
func (c *Client) IsGroup(ctx context.Context, id string) (bool, error) {
	groups, err := c.listGroups(ctx, "looking up group "+redact.Text(id), &iam.ListGroupsRequest{Uidp: &common.UIDPFilter{Ids: []string{id}}})
	return len(groups) > 0, err
}

// GroupPath returns the names of the groups from the topmost visible one down to the group with the UIDP id, joined by
// "/". It returns the UIDP if the group itself is not visible.
func (c *Client) GroupPath(ctx context.Context, id string) (string, error) {
	line := uidp.Ancestry(id) // from the group upwards
	groups, err := c.listGroups(ctx, "looking up the name of group "+redact.Text(id), &iam.ListGroupsRequest{Uidp: &common.UIDPFilter{Ids: line}})
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

// FindGroup returns the group that reference identifies: a name, the names from an organization down to a folder joined
// by "/", or a UIDP. If several groups have the name, it returns the verified organization. If there is no group or
// more than one, the error is a [*NameError], or satisfies [IsNotFound] for a UIDP. The result is cached.
func (c *Client) FindGroup(ctx context.Context, reference string) (Group, error) {
	doing := "looking up group " + redact.Quote(reference)
	group, err := c.groupsByRef.get(ctx, c.clock, reference, func(ctx context.Context) (Group, error) {
		group, err := within(ctx, c.limits.lookup, doing, func(ctx context.Context) (Group, error) {
			return c.findGroup(ctx, reference)
		})
		if err == nil && reference != group.ID {
			c.groupRefs.Store(group.ID, reference)
		}
		return group, err
	})
	return group, c.explain(err, readGroups, doing) // This also explains that ctx ended the wait for a shared lookup.
}

func (c *Client) findGroup(ctx context.Context, reference string) (Group, error) {
	if uidp.Valid(reference) {
		return findNew(ctx, c.clock, func() (Group, error) { return c.ReadGroup(ctx, reference) })
	}
	names, ok := splitReference(reference)
	if !ok {
		return Group{}, &NameError{Kind: "group", Name: reference, detail: fmt.Sprintf(
			"%s does not name a group: it must be a name, a UIDP, or names joined by \"/\", none of them empty.", redact.Quote(reference))}
	}
	doing := "looking up group " + redact.Quote(reference)
	var found []Group
	verified := map[string]bool{} // UIDPs of the organizations that the first name may identify
	for depth, name := range names {
		filter := &common.UIDPFilter{}
		if depth > 0 && len(found) == 1 {
			filter.ChildrenOf = found[0].ID
		}
		named, err := c.listGroups(ctx, doing, &iam.ListGroupsRequest{Name: name, Uidp: filter})
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
				// A path starts at the verified organization, even if only another organization of that name has the
				// folder.
				named = slices.DeleteFunc(named, func(g Group) bool { return uidp.InRoot(g.ID) && !verified[g.ID] })
			}
		}
		if len(named) == 0 {
			return Group{}, c.noGroup(ctx, reference, name, found)
		}
		found = named
	}

	if len(found) > 1 {
		// The names of verified organizations are unique, so this is the intended one.
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

// splitReference returns the names in a reference to a group. An empty name is invalid, because the platform's filter
// would match all groups.
func splitReference(reference string) (names []string, ok bool) {
	names = strings.Split(reference, "/")
	return names, !slices.Contains(names, "")
}

func (c *Client) noGroup(ctx context.Context, reference, name string, parents []Group) error {
	detail := "There is no group named " + redact.Quote(name)
	filter := &common.UIDPFilter{}
	if len(parents) > 0 {
		detail += " in " + redact.Quote(parents[0].Name)
		filter.ChildrenOf = parents[0].ID
	}
	detail += " that this identity can see."
	if all, err := c.listGroups(ctx, "listing groups", &iam.ListGroupsRequest{Uidp: filter}); err == nil {
		detail += suggest(name, paths(all), "It sees no group there at all.")
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
		// If the groups above cannot be listed, UIDPs still distinguish the groups.
		above, _ := c.listGroups(ctx, "listing groups", &iam.ListGroupsRequest{Uidp: &common.UIDPFilter{Ids: unique(ids)}})
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
		"%d groups are meant by %s:\n\n%s\n\nWrite the path or the UIDP of the one you mean.",
		len(found), redact.Quote(reference), strings.Join(lines, "\n"))}
}

// paths returns the path of each group from the topmost listed one.
func paths(groups []Group) []string {
	names := make(map[string]string, len(groups))
	for _, group := range groups {
		names[group.ID] = group.Name
	}
	all := make([]string, len(groups))
	for i, group := range groups {
		all[i] = group.Name
		for above := group.ParentID(); names[above] != ""; above = (Group{ID: above}).ParentID() {
			all[i] = names[above] + "/" + all[i]
		}
	}
	return all
}

// groupName returns the name of a group for errors: the reference it was looked up by, or its UIDP.
func (c *Client) groupName(id string) string {
	if reference, ok := c.groupRefs.Load(id); ok {
		return fmt.Sprintf("group %q", reference)
	}
	return "group " + redact.Text(id)
}

// listGroups returns all groups of a listing.
func (c *Client) listGroups(ctx context.Context, doing string, request *iam.ListGroupsRequest) ([]Group, error) {
	pages := &pager[Group]{
		id: func(g Group) string { return g.ID },
		fetch: func(ctx context.Context, token string) (page[Group], error) {
			answer, err := c.groups.ListGroups(ctx, &iam.ListGroupsRequest{
				Uidp: request.GetUidp(), Name: request.GetName(), PageSize: pageSize, PageToken: token,
			})
			result := page[Group]{next: answer.GetNextPageToken()}
			if err != nil {
				return result, err
			}
			for _, item := range answer.GetGroups() {
				if bad := c.checkNamed(item, doing); bad != nil {
					return result, bad
				}
				result.items = append(result.items, readGroup(item))
			}
			return result, nil
		},
	}
	groups, err := within(ctx, c.limits.lookup, doing, pages.all)
	return groups, c.explain(err, readGroups, doing)
}

// findNew looks up an object that may be too new to be visible, and retries after NotFound.
func findNew[T any](ctx context.Context, c clock.Clock, find func() (T, error)) (T, error) {
	found, err := find()
	for wait := time.Second; IsNotFound(err) && wait <= 4*time.Second && c.Sleep(ctx, wait) == nil; wait *= 2 {
		found, err = find()
	}
	return found, err
}
