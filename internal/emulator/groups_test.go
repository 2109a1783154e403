package emulator_test

import (
	"slices"
	"testing"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	common "chainguard.dev/sdk/proto/platform/common/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

func TestGroups_UIDPsOfASeedAreTheSameEveryTime(t *testing.T) {
	t.Parallel()
	one, two := start(t, emulator.Seed{}), start(t, emulator.Seed{})
	if a, b := one.Group("acme.example/platform"), two.Group("acme.example/platform"); a != b {
		t.Errorf("the folder is %s and %s", a, b)
	}
	if a, b := one.Role("owner"), two.Role("owner"); a != b {
		t.Errorf("the role is %s and %s", a, b)
	}
	if a, b := one.AdminIdentity(), two.AdminIdentity(); a != b {
		t.Errorf("the identity is %s and %s", a, b)
	}
}

func TestGroups_areFoundByNameAndPlace(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	org, folder := p.Group("acme.example"), p.Group("platform")
	inner := p.AddGroup(folder, "inner", p.clock.Now())
	p.AddGroup("", "unseen.example", p.clock.Now())

	tests := map[string]struct {
		request *iam.ListGroupsRequest
		want    []string
	}{
		"all that the caller sees": {&iam.ListGroupsRequest{}, []string{"acme.example", "inner", "platform"}},
		"a name":                   {&iam.ListGroupsRequest{Name: "platform"}, []string{"platform"}},
		"part of a name":           {&iam.ListGroupsRequest{Name: "plat"}, nil},
		"the root":                 {&iam.ListGroupsRequest{Uidp: &common.UIDPFilter{InRoot: true}}, []string{"acme.example"}},
		"above":                    {&iam.ListGroupsRequest{Uidp: &common.UIDPFilter{AncestorsOf: inner}}, []string{"acme.example", "platform"}},
		"below":                    {&iam.ListGroupsRequest{Uidp: &common.UIDPFilter{DescendantsOf: org}}, []string{"inner", "platform"}},
		"right below":              {&iam.ListGroupsRequest{Uidp: &common.UIDPFilter{ChildrenOf: org}}, []string{"platform"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.request.OrderBy = "name"
			answer, err := p.groups.ListGroups(p.admin, test.request)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, g := range answer.GetGroups() {
				got = append(got, g.GetName())
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("listed %v, want %v", got, test.want)
			}
		})
	}
}

func TestGroups_life(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	created, err := p.groups.CreateGroup(p.admin, &iam.CreateGroupRequest{
		Parent: p.Group("acme.example"),
		Group:  &iam.Group{Name: "team", Description: "A team."},
	})
	if err != nil {
		t.Fatal(err)
	}
	if created.GetName() != "team" || created.GetVerified() || !created.GetCreateTime().AsTime().Equal(p.clock.Now()) {
		t.Errorf("created %v", created)
	}
	_, err = p.groups.CreateGroup(p.admin, &iam.CreateGroupRequest{Parent: p.Group("acme.example"), Group: &iam.Group{Name: "team"}})
	wantCode(t, err, codes.AlreadyExists)

	updated, err := p.groups.UpdateGroup(p.admin, &iam.UpdateGroupRequest{
		Group:      &iam.Group{Uid: created.GetUid(), Name: "ignored", Description: "Another."},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"description"}},
	})
	if err != nil || updated.GetName() != "team" || updated.GetDescription() != "Another." {
		t.Errorf("updated to %v, %v", updated, err)
	}
	_, err = p.groups.UpdateGroup(p.admin, &iam.UpdateGroupRequest{
		Group:      &iam.Group{Uid: created.GetUid()},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"colour"}},
	})
	wantCode(t, err, codes.InvalidArgument)

	p.AddInvite(emulator.Invite{Group: created.GetUid(), RoleUID: p.Role("viewer")})
	_, err = p.groups.DeleteGroup(p.admin, &iam.DeleteGroupRequest{Uid: created.GetUid()})
	wantCode(t, err, codes.FailedPrecondition)
	if v := detail[*errdetails.PreconditionFailure](t, err).GetViolations(); len(v) != 1 || v[0].GetType() != "RESOURCE_NOT_EMPTY" || v[0].GetSubject() != "" {
		t.Errorf("violations %v", v)
	}
	p.DeleteInvite(p.Invites()[0].UID)
	if _, err := p.groups.DeleteGroup(p.admin, &iam.DeleteGroupRequest{Uid: created.GetUid()}); err != nil {
		t.Fatal(err)
	}
	_, err = p.groups.GetGroup(p.admin, &iam.GetGroupRequest{Uid: created.GetUid()})
	wantCode(t, err, codes.NotFound)
}

func TestGroups_createGroupRefusesNamesThatThePlatformDoesNotAllow(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	for _, name := range []string{"", "ab", "Team", "a/b"} {
		_, err := p.groups.CreateGroup(p.admin, &iam.CreateGroupRequest{Parent: p.Group("acme.example"), Group: &iam.Group{Name: name}})
		wantCode(t, err, codes.InvalidArgument)
	}
}

func TestCreateGroup_creatorOwnsOrganization(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	org, err := p.groups.CreateGroup(p.admin, &iam.CreateGroupRequest{Group: &iam.Group{Name: "mine.example"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.create(p.admin, func(r *iam.CreateGroupInviteRequest) { r.Parent = org.GetUid() }); err != nil {
		t.Errorf("inviting to it: %v", err)
	}
}

func TestGroups_deletingAGroupBehindTheAPITakesWhatIsInIt(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	created := p.mustCreate(t, nil)
	p.DeleteGroup(p.Group("platform"))
	if left := p.Invites(); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
	_, err := p.invites.GetGroupInvite(p.admin, &iam.GetGroupInviteRequest{Uid: created.GetUid()})
	wantCode(t, err, codes.NotFound)
}

func TestDeleteGroup_founder(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	org, err := p.groups.CreateGroup(p.admin, &iam.CreateGroupRequest{Group: &iam.Group{Name: "mine.example"}})
	if err != nil {
		t.Fatal(err)
	}
	created := p.mustCreate(t, func(r *iam.CreateGroupInviteRequest) {
		r.Parent = org.GetUid()
		r.GroupInvite.SingleUse = true
	})
	if err := p.Accept(created.GetCode()); err != nil {
		t.Fatal(err)
	}
	_, err = p.groups.DeleteGroup(p.admin, &iam.DeleteGroupRequest{Uid: org.GetUid()})
	wantCode(t, err, codes.FailedPrecondition)
	if got, want := status.Convert(err).Message(), "Precondition failed: cannot delete group with child role bindings"; got != want {
		t.Errorf("message %q, want %q", got, want)
	}

	other, err := p.groups.CreateGroup(p.admin, &iam.CreateGroupRequest{Group: &iam.Group{Name: "other.example"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.groups.DeleteGroup(p.admin, &iam.DeleteGroupRequest{Uid: other.GetUid()}); err != nil {
		t.Errorf("an organization that holds its founder only: %v", err)
	}
}

func TestCreateGroup_invalidName(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	_, err := p.groups.CreateGroup(p.admin, &iam.CreateGroupRequest{Parent: p.Group("acme.example"), Group: &iam.Group{}})
	wantCode(t, err, codes.InvalidArgument)
	if got, want := status.Convert(err).Message(), `Invalid argument: name: name must match "^[a-z0-9 ._-]{1,}$"`; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
}
