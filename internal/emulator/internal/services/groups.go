package services

import (
	"context"
	"strings"

	"chainguard.dev/sdk/proto/capabilities"
	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/uidp"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/store"
)

// groups is the service for organizations and folders.
type groups struct {
	iam.UnimplementedGroupsServiceServer
	store  *store.Store
	access *Authorizer
}

var groupListing = listing[*store.Group]{
	tie: func(g *store.Group) string { return g.UID },
	keys: map[string]func(*store.Group) string{
		"uid":        func(g *store.Group) string { return g.UID },
		"name":       func(g *store.Group) string { return g.Name },
		"created_at": func(g *store.Group) string { return timeKey(g.Created) },
	},
	defaultOrder: "uid asc",
}

func groupMessage(g *store.Group) *iam.Group {
	return &iam.Group{
		Uid:         g.UID,
		Name:        g.Name,
		Description: g.Description,
		Verified:    g.Verified,
		Kind:        g.Kind,
		Status:      iam.OrgStatus_ORG_STATUS_READY,
		CreateTime:  timestamppb.New(g.Created),
		UpdateTime:  timestamppb.New(g.Updated),
	}
}

// GetGroup implements [iam.GroupsServiceServer].
func (s *groups) GetGroup(_ context.Context, request *iam.GetGroupRequest) (*iam.Group, error) {
	g := s.store.Groups[request.GetUid()]
	if g == nil {
		return nil, notFound("Group", request.GetUid())
	}
	return groupMessage(g), nil
}

// ListGroups implements [iam.GroupsServiceServer].
func (s *groups) ListGroups(ctx context.Context, request *iam.ListGroupsRequest) (*iam.ListGroupsResponse, error) {
	visible := s.access.visible(caller(ctx), capabilities.Capability_CAP_IAM_GROUPS_LIST)
	var found []*store.Group
	for _, g := range s.store.Groups {
		if matches(request.GetUidp(), g.UID) &&
			(request.GetName() == "" || request.GetName() == g.Name) &&
			visible(g.UID) {
			found = append(found, g)
		}
	}
	page, err := groupListing.page(found, request, s.store.Now())
	if err != nil {
		return nil, err
	}
	return &iam.ListGroupsResponse{
		Groups:        each(page.items, groupMessage),
		NextPageToken: page.next,
		TotalCount:    &page.total,
		Skipped:       page.skipped,
	}, nil
}

// CreateGroup implements [iam.GroupsServiceServer]. The creator of an organization owns it.
func (s *groups) CreateGroup(ctx context.Context, request *iam.CreateGroupRequest) (*iam.Group, error) {
	parent := request.GetParent()
	if parent != "" {
		found := s.store.FindGroups(parent)
		if len(found) != 1 {
			return nil, notFound("Group", parent)
		}
		parent = found[0].UID
		if err := s.access.permit(caller(ctx), parent, capabilities.Capability_CAP_IAM_GROUPS_CREATE); err != nil {
			return nil, err
		}
	}
	name := request.GetGroup().GetName()
	if err := checkGroupName(name); err != nil {
		return nil, err
	}
	for _, sibling := range s.store.Groups {
		if parent != "" && sibling.Name == name && uidp.Parent(sibling.UID) == parent {
			return nil, alreadyExists("name: the group %q has a group %q already", parent, name)
		}
	}

	now := s.store.Stamp()
	g := &store.Group{
		UID:         s.store.NewUID(parent, "group", name),
		Name:        name,
		Description: request.GetGroup().GetDescription(),
		Created:     now,
		Updated:     now,
	}
	if root := s.store.Groups[uidp.Root(g.UID)]; root != nil {
		g.Kind = root.Kind
	}
	s.store.Groups[g.UID] = g
	if owner := s.store.FindRole("owner", g.UID); parent == "" && owner != nil {
		s.store.Bind(caller(ctx).Subject, g.UID, owner.UID).Founder = true
	}
	return groupMessage(g), nil
}

func checkGroupName(name string) error {
	var wrong violations
	checkName(name, &wrong)
	if len(wrong) == 0 && (len(name) < 3 || len(name) > 63) {
		wrong.add("name", "must have 3 to 63 characters, has %d", len(name))
	}
	return wrong.err()
}

// UpdateGroup implements [iam.GroupsServiceServer].
func (s *groups) UpdateGroup(_ context.Context, request *iam.UpdateGroupRequest) (*iam.Group, error) {
	asked := request.GetGroup()
	g := s.store.Groups[asked.GetUid()]
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
		g.Name = asked.GetName()
	}
	if updates("description") {
		g.Description = asked.GetDescription()
	}
	g.Updated = s.store.Stamp()
	return groupMessage(g), nil
}

// DeleteGroup implements [iam.GroupsServiceServer].
func (s *groups) DeleteGroup(_ context.Context, request *iam.DeleteGroupRequest) (*emptypb.Empty, error) {
	uid := request.GetUid()
	if s.store.Groups[uid] == nil {
		return nil, notFound("Group", uid)
	}
	if children := s.store.Below(uid); len(children) > 0 {
		return nil, precondition("RESOURCE_NOT_EMPTY", "cannot delete group with child "+strings.Join(children, ", "))
	}
	s.store.DeleteGroup(uid)
	return &emptypb.Empty{}, nil
}
