package services

import (
	"context"
	"fmt"

	"chainguard.dev/sdk/proto/capabilities"
	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/uidp"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/store"
)

// roles is the service for roles.
type roles struct {
	iam.UnimplementedRolesServiceServer
	store  *store.Store
	access *Authorizer
}

var roleListing = listing[*store.Role]{
	tie: func(r *store.Role) string { return r.UID },
	keys: map[string]func(*store.Role) string{
		"uid":        func(r *store.Role) string { return r.UID },
		"name":       func(r *store.Role) string { return r.Name },
		"created_at": func(r *store.Role) string { return timeKey(r.Created) },
	},
	defaultOrder: "uid asc",
}

func roleMessage(r *store.Role) *iam.Role {
	return &iam.Role{
		Uid:          r.UID,
		Name:         r.Name,
		Description:  r.Description,
		Capabilities: r.Capabilities,
		CreateTime:   timestamppb.New(r.Created),
		UpdateTime:   timestamppb.New(r.Updated),
	}
}

// GetRole implements [iam.RolesServiceServer]. Managed roles are visible to everyone.
func (s *roles) GetRole(ctx context.Context, request *iam.GetRoleRequest) (*iam.Role, error) {
	uid := request.GetUid()
	if !uidp.Valid(uid) {
		return nil, invalid("uid", "%q is not a UIDP", uid)
	}
	if !uidp.InRoot(uid) {
		if err := s.access.permit(caller(ctx), uidp.Parent(uid), capabilities.Capability_CAP_IAM_ROLES_LIST); err != nil {
			return nil, err
		}
	}
	r := s.store.Roles[uid]
	if r == nil {
		return nil, notFound("Role", uid)
	}
	return roleMessage(r), nil
}

// ListRoles implements [iam.RolesServiceServer].
func (s *roles) ListRoles(ctx context.Context, request *iam.ListRolesRequest) (*iam.ListRolesResponse, error) {
	visible := s.access.visible(caller(ctx), capabilities.Capability_CAP_IAM_ROLES_LIST)
	var found []*store.Role
	for _, r := range s.store.Roles {
		if matches(request.GetUidp(), r.UID) &&
			(request.GetName() == "" || request.GetName() == r.Name) &&
			(r.Managed() || visible(uidp.Parent(r.UID))) {
			found = append(found, r)
		}
	}
	page, err := roleListing.page(found, request, s.store.Now())
	if err != nil {
		return nil, err
	}
	return &iam.ListRolesResponse{
		Roles:         each(page.items, roleMessage),
		NextPageToken: page.next,
		TotalCount:    &page.total,
		Skipped:       page.skipped,
	}, nil
}

// CreateRole implements [iam.RolesServiceServer].
func (s *roles) CreateRole(_ context.Context, request *iam.CreateRoleRequest) (*iam.Role, error) {
	parent, asked := request.GetParent(), request.GetRole()
	if s.store.Groups[parent] == nil {
		return nil, notFound("Group", parent)
	}
	var wrong violations
	checkName(asked.GetName(), &wrong)
	checkCapabilities(asked.GetCapabilities(), &wrong)
	if err := wrong.err(); err != nil {
		return nil, err
	}
	for _, sibling := range s.store.Roles {
		if sibling.Name == asked.GetName() && uidp.Parent(sibling.UID) == parent {
			return nil, alreadyExists("name: the group %q has a role %q already", parent, asked.GetName())
		}
	}
	now := s.store.Stamp()
	return roleMessage(s.store.AddRole(parent, store.Role{
		Name:         asked.GetName(),
		Description:  asked.GetDescription(),
		Capabilities: capabilities.SortCaps(asked.GetCapabilities()),
		Created:      now,
		Updated:      now,
	})), nil
}

func checkCapabilities(asked []capabilities.Capability, wrong *violations) {
	if len(asked) == 0 {
		wrong.add("capabilities", "at least one is required")
	}
	for _, c := range asked {
		if c == capabilities.Capability_UNKNOWN || capabilities.Capability_name[int32(c)] == "" {
			wrong.add("capabilities", "there is no capability %d", int32(c))
		}
	}
}

// UpdateRole implements [iam.RolesServiceServer].
func (s *roles) UpdateRole(_ context.Context, request *iam.UpdateRoleRequest) (*iam.Role, error) {
	asked := request.GetRole()
	r := s.store.Roles[asked.GetUid()]
	if r == nil {
		return nil, notFound("Role", asked.GetUid())
	}
	updates, err := masked(request.GetUpdateMask(), asked)
	if err != nil {
		return nil, err
	}
	var wrong violations
	if updates("name") {
		checkName(asked.GetName(), &wrong)
	}
	if updates("capabilities") {
		checkCapabilities(asked.GetCapabilities(), &wrong)
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	if updates("name") {
		r.Name = asked.GetName()
	}
	if updates("description") {
		r.Description = asked.GetDescription()
	}
	if updates("capabilities") {
		r.Capabilities = capabilities.SortCaps(asked.GetCapabilities())
	}
	r.Updated = s.store.Stamp()
	return roleMessage(r), nil
}

// DeleteRole implements [iam.RolesServiceServer].
func (s *roles) DeleteRole(_ context.Context, request *iam.DeleteRoleRequest) (*emptypb.Empty, error) {
	uid := request.GetUid()
	if s.store.Roles[uid] == nil {
		return nil, notFound("Role", uid)
	}
	for _, b := range s.store.Bindings {
		if b.Role == uid {
			return nil, precondition("ROLE_BOUND", fmt.Sprintf("the identity %q is bound to the role", b.Identity))
		}
	}
	delete(s.store.Roles, uid)
	return &emptypb.Empty{}, nil
}
