package emulator_test

import (
	"slices"
	"testing"

	"chainguard.dev/sdk/proto/capabilities"
	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	common "chainguard.dev/sdk/proto/platform/common/v1"
	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

func TestRoles_managedRolesAreThereForAll(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	p.AddRole(p.AddGroup("", "other.example", p.clock.Now()), "unseen", capabilities.Capability_CAP_IAM_GROUPS_LIST)
	answer, err := p.roles.ListRoles(p.admin, &iam.ListRolesRequest{PageSize: 200})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]int{}
	for _, r := range answer.GetRoles() {
		names[r.GetName()]++
	}
	for _, want := range []string{
		"owner", "editor", "viewer", "limited_owner", "console_viewer",
		"registry.pull", "registry.push", "registry.pull_token_creator", "apk.pull",
		"libraries.java.pull", "libraries.java.pull_token_creator",
		"libraries.python.pull", "libraries.python.pull_token_creator",
		"libraries.javascript.pull", "libraries.javascript.pull_token_creator",
		"guardener.user", "guardener.admin", "invite-manager",
	} {
		if names[want] != 1 {
			t.Errorf("there are %d roles %q, want 1", names[want], want)
		}
	}
	if names["gulfstream"] != 0 {
		t.Error("there is a role gulfstream, which the platform may not have any more")
	}
	if names["unseen"] != 0 {
		t.Error("a role of another organization is listed")
	}
}

func TestRoles_ofOneNameAreAllListed(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	org, folder := p.Group("acme.example"), p.Group("platform")
	want := map[string]bool{
		p.Role("viewer"): true,
		p.AddRole(org, "viewer", capabilities.Capability_CAP_IAM_GROUPS_LIST):    true,
		p.AddRole(folder, "viewer", capabilities.Capability_CAP_IAM_GROUPS_LIST): true,
	}
	answer, err := p.roles.ListRoles(p.admin, &iam.ListRolesRequest{Name: "viewer"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range answer.GetRoles() {
		delete(want, r.GetUid())
	}
	if len(want) != 0 || len(answer.GetRoles()) != 3 {
		t.Errorf("listed %v, without %v", answer.GetRoles(), want)
	}
	managed, err := p.roles.ListRoles(p.admin, &iam.ListRolesRequest{Name: "viewer", Uidp: &common.UIDPFilter{InRoot: true}})
	if err != nil || len(managed.GetRoles()) != 1 {
		t.Errorf("managed: %v, %v", managed, err)
	}
}

func TestRoles_life(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	create := &iam.CreateRoleRequest{
		Parent: p.Group("acme.example"),
		Role:   &iam.Role{Name: "lister", Capabilities: []capabilities.Capability{capabilities.Capability_CAP_IAM_GROUPS_LIST}},
	}
	created, err := p.roles.CreateRole(p.admin, create)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.roles.CreateRole(p.admin, create)
	wantCode(t, err, codes.AlreadyExists)
	_, err = p.roles.CreateRole(p.admin, &iam.CreateRoleRequest{Parent: p.Group("acme.example"), Role: &iam.Role{Name: "empty"}})
	wantCode(t, err, codes.InvalidArgument)

	updated, err := p.roles.UpdateRole(p.admin, &iam.UpdateRoleRequest{Role: &iam.Role{Uid: created.GetUid(), Name: "renamed"}})
	if err != nil || updated.GetName() != "renamed" || len(updated.GetCapabilities()) != 1 {
		t.Errorf("updated to %v, %v", updated, err)
	}
	got, err := p.roles.GetRole(p.admin, &iam.GetRoleRequest{Uid: created.GetUid()})
	if err != nil || got.GetName() != "renamed" {
		t.Errorf("got %v, %v", got, err)
	}

	invite := p.mustCreate(t, func(r *iam.CreateGroupInviteRequest) {
		r.GroupInvite.RoleUid = created.GetUid()
		r.GroupInvite.SingleUse = true
	})
	if err := p.Accept(invite.GetCode()); err != nil {
		t.Fatal(err)
	}
	_, err = p.roles.DeleteRole(p.admin, &iam.DeleteRoleRequest{Uid: created.GetUid()})
	wantCode(t, err, codes.FailedPrecondition)

	unused := p.AddRole(p.Group("acme.example"), "unused", capabilities.Capability_CAP_IAM_GROUPS_LIST)
	if _, err := p.roles.DeleteRole(p.admin, &iam.DeleteRoleRequest{Uid: unused}); err != nil {
		t.Fatal(err)
	}
	_, err = p.roles.GetRole(p.admin, &iam.GetRoleRequest{Uid: unused})
	wantCode(t, err, codes.NotFound)
}

func TestRoles_managedRolesCannotBeChanged(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	_, err := p.roles.DeleteRole(p.admin, &iam.DeleteRoleRequest{Uid: p.Role("viewer")})
	wantCode(t, err, codes.PermissionDenied)
	_, err = p.roles.UpdateRole(p.admin, &iam.UpdateRoleRequest{Role: &iam.Role{Uid: p.Role("viewer"), Name: "mine"}})
	wantCode(t, err, codes.PermissionDenied)
}

func TestManagedRoles_asDocumented(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	get := func(name string) *iam.Role {
		role, err := p.roles.GetRole(p.admin, &iam.GetRoleRequest{Uid: p.Role(name)})
		if err != nil {
			t.Fatal(err)
		}
		return role
	}
	viewer, owner := get("viewer"), get("limited_owner")
	if viewer.GetUid() != "63921b2c44617e3f2603851537be0123af4a57d7" {
		t.Errorf("viewer is %s", viewer.GetUid())
	}
	want := capabilities.SortCaps(viewer.GetCapabilities(), []capabilities.Capability{
		capabilities.Capability_CAP_IAM_IDENTITY_CREATE,
		capabilities.Capability_CAP_IAM_ROLE_BINDINGS_CREATE,
	})
	if !slices.Equal(owner.GetCapabilities(), want) {
		t.Errorf("limited_owner has %v, want %v", owner.GetCapabilities(), want)
	}
}
