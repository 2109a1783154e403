package emulator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"chainguard.dev/sdk/proto/capabilities"
	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/uidp"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// roles is the service for roles.
type roles struct {
	iam.UnimplementedRolesServiceServer
	*Emulator
}

var roleListing = listing[*role]{
	tie: byText(func(r *role) string { return r.uid }),
	keys: map[string]sortKey[*role]{
		"uid":         byText(func(r *role) string { return r.uid }),
		"name":        byText(func(r *role) string { return r.name }),
		"created_at":  byTime(func(r *role) time.Time { return r.created }),
		"create_time": byTime(func(r *role) time.Time { return r.created }),
		"updated_at":  byTime(func(r *role) time.Time { return r.updated }),
		"update_time": byTime(func(r *role) time.Time { return r.updated }),
	},
	defaultOrder: "uid asc",
}

func (r *role) message() *iam.Role {
	return &iam.Role{
		Uid:          r.uid,
		Name:         r.name,
		Description:  r.description,
		Capabilities: r.capabilities,
		CreateTime:   timestamppb.New(r.created),
		UpdateTime:   timestamppb.New(r.updated),
	}
}

// GetRole implements [iam.RolesServiceServer]. All see managed roles.
func (s *roles) GetRole(ctx context.Context, request *iam.GetRoleRequest) (*iam.Role, error) {
	uid := request.GetUid()
	if !uidp.Valid(uid) {
		return nil, invalid("uid", "%q is not a UIDP", uid)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !uidp.InRoot(uid) {
		if err := s.permit(caller(ctx), uidp.Parent(uid), capabilities.Capability_CAP_IAM_ROLES_LIST); err != nil {
			return nil, err
		}
	}
	r := s.store.roles[uid]
	if r == nil {
		return nil, notFound("Role", uid)
	}
	return r.message(), nil
}

// ListRoles implements [iam.RolesServiceServer].
func (s *roles) ListRoles(ctx context.Context, request *iam.ListRolesRequest) (*iam.ListRolesResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	visible := s.visible(caller(ctx), capabilities.Capability_CAP_IAM_ROLES_LIST)
	var found []*role
	for _, r := range s.store.roles {
		if matches(request.GetUidp(), r.uid) &&
			(request.GetName() == "" || request.GetName() == r.name) &&
			(r.managed() || visible(uidp.Parent(r.uid))) {
			found = append(found, r)
		}
	}
	page, err := roleListing.page(found, request, s.clock.Now())
	if err != nil {
		return nil, err
	}
	answer := &iam.ListRolesResponse{
		NextPageToken: page.next,
		TotalCount:    &page.total,
		Skipped:       page.skipped,
	}
	for _, r := range page.items {
		answer.Roles = append(answer.Roles, r.message())
	}
	return answer, nil
}

// CreateRole implements [iam.RolesServiceServer].
func (s *roles) CreateRole(_ context.Context, request *iam.CreateRoleRequest) (*iam.Role, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	parent, asked := request.GetParent(), request.GetRole()
	if s.store.groups[parent] == nil {
		return nil, notFound("Group", parent)
	}
	var wrong violations
	checkName("role.name", asked.GetName(), &wrong)
	checkCapabilities(asked.GetCapabilities(), &wrong)
	if err := wrong.err(); err != nil {
		return nil, err
	}
	for _, sibling := range s.store.roles {
		if sibling.name == asked.GetName() && uidp.Parent(sibling.uid) == parent {
			return nil, alreadyExists("role.name", "the group %q has a role %q already", parent, asked.GetName())
		}
	}

	now := s.clock.Now().UTC()
	r := &role{
		uid:          s.store.newUID(parent, "role", asked.GetName()),
		name:         asked.GetName(),
		description:  asked.GetDescription(),
		capabilities: capabilities.SortCaps(asked.GetCapabilities()),
		created:      now,
		updated:      now,
	}
	s.store.roles[r.uid] = r
	return r.message(), nil
}

func checkCapabilities(asked []capabilities.Capability, wrong *violations) {
	if len(asked) == 0 {
		wrong.add("role.capabilities", "at least one is required")
	}
	for _, c := range asked {
		if c == capabilities.Capability_UNKNOWN || capabilities.Capability_name[int32(c)] == "" {
			wrong.add("role.capabilities", "there is no capability %d", int32(c))
		}
	}
}

// UpdateRole implements [iam.RolesServiceServer].
func (s *roles) UpdateRole(_ context.Context, request *iam.UpdateRoleRequest) (*iam.Role, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := request.GetRole()
	r := s.store.roles[asked.GetUid()]
	if r == nil {
		return nil, notFound("Role", asked.GetUid())
	}
	updates, err := masked(request.GetUpdateMask(), asked)
	if err != nil {
		return nil, err
	}
	var wrong violations
	if updates("name") {
		checkName("role.name", asked.GetName(), &wrong)
	}
	if updates("capabilities") {
		checkCapabilities(asked.GetCapabilities(), &wrong)
	}
	if err := wrong.err(); err != nil {
		return nil, err
	}
	if updates("name") {
		r.name = asked.GetName()
	}
	if updates("description") {
		r.description = asked.GetDescription()
	}
	if updates("capabilities") {
		r.capabilities = capabilities.SortCaps(asked.GetCapabilities())
	}
	r.updated = s.clock.Now().UTC()
	return r.message(), nil
}

// DeleteRole implements [iam.RolesServiceServer].
func (s *roles) DeleteRole(_ context.Context, request *iam.DeleteRoleRequest) (*emptypb.Empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	uid := request.GetUid()
	if s.store.roles[uid] == nil {
		return nil, notFound("Role", uid)
	}
	for _, i := range s.store.identities {
		if slices.ContainsFunc(i.bindings, func(b binding) bool { return b.role == uid }) {
			return nil, precondition("ROLE_BOUND", uid,
				fmt.Sprintf("the role %q cannot be deleted while the identity %q is bound to it", uid, i.uid))
		}
	}
	delete(s.store.roles, uid)
	return &emptypb.Empty{}, nil
}

// Role returns the UIDP of the role that a name or a UIDP means; of two with one name, the platform's before a custom
// one. It panics if there is none: a test that misspells a name is wrong.
func (e *Emulator) Role(name string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.store.roles[name] != nil {
		return name
	}
	var best *role
	for _, r := range e.store.roles {
		if r.name == name && (best == nil || len(r.uid) < len(best.uid)) {
			best = r
		}
	}
	if best == nil {
		panic(fmt.Sprintf("emulator: no role is called %q", name))
	}
	return best.uid
}

// AddRole creates a role behind the API's back and returns its UIDP, which follows from its name. Without a group it is
// one of the platform's own.
func (e *Emulator) AddRole(group, name string, granted ...capabilities.Capability) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if group != "" && e.store.groups[group] == nil {
		panic(fmt.Sprintf("emulator: AddRole: there is no group %q", group))
	}
	now := e.clock.Now().UTC()
	return e.store.addRole(group, role{name: name, capabilities: capabilities.SortCaps(granted), created: now, updated: now})
}

// addRole stores a role under a UIDP that follows from its name.
func (s *store) addRole(group string, r role) string {
	r.uid = s.newUID(group, "role", r.name)
	s.roles[r.uid] = &r
	return r.uid
}

// RenameRole renames a role behind the API's back.
func (e *Emulator) RenameRole(uid, name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.store.roles[uid]
	if r == nil {
		panic(fmt.Sprintf("emulator: RenameRole: there is no role %q", uid))
	}
	r.name = name
}

// DeleteRole deletes a role behind the API's back, even if it is in use.
func (e *Emulator) DeleteRole(uid string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.store.roles, uid)
}
