package emulator

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"chainguard.dev/sdk/proto/capabilities"
	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/uidp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// groups is the service for organizations and folders.
type groups struct {
	iam.UnimplementedGroupsServiceServer
	*Emulator
}

var groupListing = listing[*group]{
	tie: byText(func(g *group) string { return g.uid }),
	keys: map[string]sortKey[*group]{
		"uid":         byText(func(g *group) string { return g.uid }),
		"name":        byText(func(g *group) string { return g.name }),
		"created_at":  byTime(func(g *group) time.Time { return g.created }),
		"create_time": byTime(func(g *group) time.Time { return g.created }),
		"updated_at":  byTime(func(g *group) time.Time { return g.updated }),
		"update_time": byTime(func(g *group) time.Time { return g.updated }),
	},
	defaultOrder: "uid asc",
}

func (g *group) message() *iam.Group {
	return &iam.Group{
		Uid:         g.uid,
		Name:        g.name,
		Description: g.description,
		Verified:    g.verified,
		Kind:        g.kind,
		Status:      iam.OrgStatus_ORG_STATUS_READY,
		CreateTime:  timestamppb.New(g.created),
		UpdateTime:  timestamppb.New(g.updated),
	}
}

// GetGroup implements [iam.GroupsServiceServer].
func (s *groups) GetGroup(_ context.Context, request *iam.GetGroupRequest) (*iam.Group, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.store.groups[request.GetUid()]
	if g == nil {
		return nil, notFound("Group", request.GetUid())
	}
	return g.message(), nil
}

// ListGroups implements [iam.GroupsServiceServer].
func (s *groups) ListGroups(ctx context.Context, request *iam.ListGroupsRequest) (*iam.ListGroupsResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	visible := s.visible(caller(ctx), capabilities.Capability_CAP_IAM_GROUPS_LIST)
	var found []*group
	for _, g := range s.store.groups {
		if matches(request.GetUidp(), g.uid) &&
			(request.GetName() == "" || request.GetName() == g.name) &&
			visible(g.uid) {
			found = append(found, g)
		}
	}
	page, err := groupListing.page(found, request, s.clock.Now())
	if err != nil {
		return nil, err
	}
	answer := &iam.ListGroupsResponse{
		NextPageToken: page.next,
		TotalCount:    &page.total,
		Skipped:       page.skipped,
	}
	for _, g := range page.items {
		answer.Groups = append(answer.Groups, g.message())
	}
	return answer, nil
}

// CreateGroup implements [iam.GroupsServiceServer]. Whoever creates an organization owns it.
func (s *groups) CreateGroup(ctx context.Context, request *iam.CreateGroupRequest) (*iam.Group, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	parent := request.GetParent()
	if parent != "" {
		found := s.store.findGroups(parent)
		if len(found) != 1 {
			return nil, notFound("Group", parent)
		}
		parent = found[0].uid
		if err := s.permit(caller(ctx), parent, capabilities.Capability_CAP_IAM_GROUPS_CREATE); err != nil {
			return nil, err
		}
	}
	name := request.GetGroup().GetName()
	if err := checkGroupName(name); err != nil {
		return nil, err
	}
	for _, sibling := range s.store.groups {
		if parent != "" && sibling.name == name && uidp.Parent(sibling.uid) == parent {
			return nil, alreadyExists("group.name", "the group %q has a group %q already", parent, name)
		}
	}

	now := s.clock.Now().UTC()
	g := &group{
		uid:         s.store.newUID(parent, "group", name),
		name:        name,
		description: request.GetGroup().GetDescription(),
		created:     now,
		updated:     now,
	}
	if root := s.store.groups[uidp.Root(g.uid)]; root != nil {
		g.kind = root.kind
	}
	s.store.groups[g.uid] = g
	if owner := s.store.findRole("owner", g.uid); parent == "" && owner != nil {
		creator := s.store.identities[caller(ctx).Subject]
		creator.bindings = append(creator.bindings, binding{g.uid, owner.uid})
	}
	return g.message(), nil
}

func checkGroupName(name string) error {
	var wrong violations
	checkName("group.name", name, &wrong)
	if len(wrong) == 0 && (len(name) < 3 || len(name) > 63) {
		wrong.add("group.name", "must have 3 to 63 characters, has %d", len(name))
	}
	return wrong.err()
}

func alreadyExists(field, format string, args ...any) error {
	return failure(codes.AlreadyExists, "ALREADY_EXISTS", field+": "+fmt.Sprintf(format, args...))
}

// UpdateGroup implements [iam.GroupsServiceServer].
func (s *groups) UpdateGroup(_ context.Context, request *iam.UpdateGroupRequest) (*iam.Group, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := request.GetGroup()
	g := s.store.groups[asked.GetUid()]
	if g == nil {
		return nil, notFound("Group", asked.GetUid())
	}
	updates, err := masked(request.GetUpdateMask(), asked)
	if err != nil {
		return nil, err
	}
	if updates("name") {
		if err := checkGroupName(asked.GetName()); err != nil {
			return nil, err
		}
		g.name = asked.GetName()
	}
	if updates("description") {
		g.description = asked.GetDescription()
	}
	g.updated = s.clock.Now().UTC()
	return g.message(), nil
}

// DeleteGroup implements [iam.GroupsServiceServer].
func (s *groups) DeleteGroup(_ context.Context, request *iam.DeleteGroupRequest) (*emptypb.Empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	uid := request.GetUid()
	if s.store.groups[uid] == nil {
		return nil, notFound("Group", uid)
	}
	if children := s.store.below(uid); len(children) > 0 {
		return nil, precondition("CHILD_RESOURCES", uid,
			fmt.Sprintf("the group %q cannot be deleted while there is something in it: %s", uid, strings.Join(children, ", ")))
	}
	delete(s.store.groups, uid)
	return &emptypb.Empty{}, nil
}

// below lists the kinds of resources that a group holds.
func (s *store) below(group string) []string {
	in := func(uid string) bool { return uidp.IsAncestor(group, uid) }
	var kinds []string
	if slices.ContainsFunc(slices.Collect(maps.Keys(s.groups)), in) {
		kinds = append(kinds, "groups")
	}
	if slices.ContainsFunc(slices.Collect(maps.Keys(s.roles)), in) {
		kinds = append(kinds, "roles")
	}
	if slices.ContainsFunc(slices.Collect(maps.Keys(s.identities)), in) {
		kinds = append(kinds, "identities")
	}
	if slices.ContainsFunc(slices.Collect(maps.Keys(s.invites)), in) {
		kinds = append(kinds, "group invites")
	}
	return kinds
}

// Group returns the UIDP of the group that a path such as "acme.example/platform", a name, or a UIDP means. It panics
// if that is not one group: a test that misspells a name is wrong.
func (e *Emulator) Group(name string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	found := e.store.findGroups(name)
	if len(found) != 1 {
		panic(fmt.Sprintf("emulator: %d groups are called %q", len(found), name))
	}
	return found[0].uid
}

// AddGroup creates a group behind the API's back and returns its UIDP, which follows from its name. Without a parent it
// is an unverified organization.
func (e *Emulator) AddGroup(parent, name string, created time.Time) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if parent != "" && e.store.groups[parent] == nil {
		panic(fmt.Sprintf("emulator: AddGroup: there is no group %q", parent))
	}
	g := &group{uid: e.store.newUID(parent, "group", name), name: name, created: created, updated: created}
	e.store.groups[g.uid] = g
	return g.uid
}

// RenameGroup renames a group behind the API's back.
func (e *Emulator) RenameGroup(uid, name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.store.groups[uid]
	if g == nil {
		panic(fmt.Sprintf("emulator: RenameGroup: there is no group %q", uid))
	}
	g.name = name
}

// DeleteGroup deletes a group behind the API's back, with all that is in it.
func (e *Emulator) DeleteGroup(uid string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	within := func(other string) bool { return uidp.IsAncestorOrSelf(uid, other) }
	maps.DeleteFunc(e.store.groups, func(other string, _ *group) bool { return within(other) })
	maps.DeleteFunc(e.store.roles, func(other string, _ *role) bool { return within(other) })
	maps.DeleteFunc(e.store.identities, func(other string, _ *identity) bool { return within(other) })
	maps.DeleteFunc(e.store.invites, func(other string, _ *Invite) bool { return within(other) })
	e.store.ordered = slices.DeleteFunc(e.store.ordered, func(i *Invite) bool { return within(i.UID) })
}
