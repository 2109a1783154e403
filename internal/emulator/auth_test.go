package emulator_test

import (
	"testing"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// people is the default seed with identities of little power.
func people() emulator.Seed {
	seed := emulator.DefaultSeed()
	seed.Identities = append(seed.Identities,
		emulator.SeedIdentity{Name: "viewer", Bindings: []emulator.SeedBinding{{Group: "acme.example", Role: "viewer"}}},
		emulator.SeedIdentity{Name: "folder manager", Bindings: []emulator.SeedBinding{{Group: "acme.example/platform", Role: "invite-manager"}}},
		emulator.SeedIdentity{Name: "stranger"},
	)
	return seed
}

func TestAuth_callsWithoutAGoodTokenAreRefused(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	expired := p.Token(p.AdminIdentity(), p.Audience(), time.Minute)
	p.clock.Advance(time.Minute)
	good := p.AdminToken()

	tests := map[string][]string{
		"no token":           nil,
		"no scheme":          {"authorization", good},
		"another scheme":     {"authorization", "Basic " + good},
		"no JWT":             {"authorization", "Bearer secret"},
		"expired":            {"authorization", "Bearer " + expired},
		"another audience":   {"authorization", "Bearer " + p.Token(p.AdminIdentity(), "https://elsewhere.example.com", time.Hour)},
		"another issuer":     {"authorization", "Bearer " + emulator.IssueToken("https://elsewhere.example.com", p.Audience(), p.AdminIdentity(), p.clock.Now(), time.Hour)},
		"an upstream's":      {"authorization", "Bearer " + emulator.UpstreamToken(emulator.Upstream{Issuer: p.URL(), Subject: p.AdminIdentity(), Audience: []string{p.URL()}, Expires: p.clock.Now().Add(time.Hour)})},
		"unknown identity":   {"authorization", "Bearer " + p.Token("0000000000000000000000000000000000000000", p.Audience(), time.Hour)},
		"a spoilt signature": {"authorization", "Bearer " + good[:len(good)-8] + "AAAAAAAA"},
	}
	for name, pairs := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := p.groups.ListGroups(metadata.AppendToOutgoingContext(t.Context(), pairs...), &iam.ListGroupsRequest{})
			wantCode(t, err, codes.Unauthenticated)
			if info := detail[*errdetails.ErrorInfo](t, err); info.GetDomain() != "iam.chainguard.dev" {
				t.Errorf("ErrorInfo = %v", info)
			}
		})
	}
}

func TestToken_ofAnotherProcess_isAccepted(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	token := emulator.IssueToken(p.URL(), p.URL(), p.AdminIdentity(), p.clock.Now(), time.Hour)
	if _, err := p.groups.ListGroups(as(t.Context(), token), &iam.ListGroupsRequest{}); err != nil {
		t.Error(err)
	}
}

func TestAuth_revokedTokensAreRefusedAndLaterOnesTaken(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	p.RevokeTokens()
	_, err := p.groups.ListGroups(p.admin, &iam.ListGroupsRequest{})
	wantCode(t, err, codes.Unauthenticated)
	if _, err := p.groups.ListGroups(as(t.Context(), p.AdminToken()), &iam.ListGroupsRequest{}); err != nil {
		t.Errorf("a token of after the revocation: %v", err)
	}
}

func TestAuth_audienceCanBeAnotherThanTheURL(t *testing.T) {
	t.Parallel()
	e := emulator.ForTest(t, emulator.Options{Audience: "https://console-api.example.com"})
	client := iam.NewGroupsServiceClient(dial(t, e))
	if _, err := client.ListGroups(as(t.Context(), e.AdminToken()), &iam.ListGroupsRequest{}); err != nil {
		t.Error(err)
	}
	_, err := client.ListGroups(as(t.Context(), e.Token(e.AdminIdentity(), e.URL(), time.Hour)), &iam.ListGroupsRequest{})
	wantCode(t, err, codes.Unauthenticated)
}

func TestAuth_missingCapabilityIsNamed(t *testing.T) {
	t.Parallel()
	p := start(t, people())
	created := p.mustCreate(t, nil)
	viewer := as(t.Context(), p.Token(p.Identity("viewer"), p.Audience(), time.Hour))
	stranger := as(t.Context(), p.Token(p.Identity("stranger"), p.Audience(), time.Hour))
	folder := p.Group("platform")

	tests := map[string]struct {
		call       func() error
		capability string
		scope      string
	}{
		"create": {func() error { _, err := p.create(viewer, nil); return err }, "group_invites.create", folder},
		"delete": {func() error {
			_, err := p.invites.DeleteGroupInvite(viewer, &iam.DeleteGroupInviteRequest{Uid: created.GetUid()})
			return err
		}, "group_invites.delete", created.GetUid()},
		"get": {func() error {
			_, err := p.invites.GetGroupInvite(stranger, &iam.GetGroupInviteRequest{Uid: created.GetUid()})
			return err
		}, "group_invites.list", created.GetUid()},
		"update a group": {func() error {
			_, err := p.groups.UpdateGroup(viewer, &iam.UpdateGroupRequest{Group: &iam.Group{Uid: folder, Name: "mine"}})
			return err
		}, "groups.update", folder},
		"create a group": {func() error {
			_, err := p.groups.CreateGroup(viewer, &iam.CreateGroupRequest{Parent: folder, Group: &iam.Group{Name: "mine"}})
			return err
		}, "groups.create", folder},
		"get a custom role": {func() error {
			_, err := p.roles.GetRole(stranger, &iam.GetRoleRequest{Uid: p.Role("invite-manager")})
			return err
		}, "roles.list", p.Group("acme.example")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := test.call()
			wantCode(t, err, codes.PermissionDenied)
			info := detail[*errdetails.ErrorInfo](t, err)
			if info.GetMetadata()["capability"] != test.capability || info.GetMetadata()["scope"] != test.scope || info.GetDomain() != "iam.chainguard.dev" {
				t.Errorf("ErrorInfo = %v, want %s on %s", info, test.capability, test.scope)
			}
		})
	}
}

func TestAuth_roleReachesWhatIsBelowItsGroupAndNothingElse(t *testing.T) {
	t.Parallel()
	p := start(t, people())
	manager := as(t.Context(), p.Token(p.Identity("folder manager"), p.Audience(), time.Hour))
	inner := p.AddGroup(p.Group("platform"), "inner", p.clock.Now())

	for _, group := range []string{p.Group("platform"), inner} {
		if _, err := p.create(manager, func(r *iam.CreateGroupInviteRequest) { r.Parent = group }); err != nil {
			t.Errorf("in %s: %v", group, err)
		}
	}
	_, err := p.create(manager, func(r *iam.CreateGroupInviteRequest) { r.Parent = p.Group("acme.example") })
	wantCode(t, err, codes.PermissionDenied)

	p.AddInvite(emulator.Invite{Group: p.Group("acme.example"), RoleUID: p.Role("viewer")})
	list, err := p.invites.ListGroupInvites(manager, &iam.ListGroupInvitesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.GetGroupInvites()) != 2 || list.GetTotalCount() != 2 {
		t.Errorf("the manager of a folder sees %v", list)
	}
	stranger := as(t.Context(), p.Token(p.Identity("stranger"), p.Audience(), time.Hour))
	if list, err := p.invites.ListGroupInvites(stranger, &iam.ListGroupInvitesRequest{}); err != nil || len(list.GetGroupInvites()) != 0 {
		t.Errorf("a stranger sees %v, %v", list, err)
	}
	if roles, err := p.roles.ListRoles(stranger, &iam.ListRolesRequest{Name: "viewer"}); err != nil || len(roles.GetRoles()) != 1 {
		t.Errorf("a stranger sees of the managed roles %v, %v", roles, err)
	}
}

func TestAuth_whatIsNoUIDPIsRefusedAsSuch(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	_, err := p.invites.GetGroupInvite(p.admin, &iam.GetGroupInviteRequest{Uid: "nonsense"})
	wantCode(t, err, codes.InvalidArgument)
	_, err = p.groups.UpdateGroup(p.admin, &iam.UpdateGroupRequest{})
	wantCode(t, err, codes.InvalidArgument)
	if got := detail[*errdetails.BadRequest](t, err).GetFieldViolations()[0].GetField(); got != "uid" {
		t.Errorf("the violation is of %q", got)
	}
}

func TestAuth_permissionsOnANewGroupComeLate(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	p.SetBehavior(func(b *emulator.Behavior) { b.NewGroupDelay = 5 * time.Second })
	group, err := p.groups.CreateGroup(p.admin, &iam.CreateGroupRequest{Parent: p.Group("acme.example"), Group: &iam.Group{Name: "team"}})
	if err != nil {
		t.Fatal(err)
	}
	inNew := func(r *iam.CreateGroupInviteRequest) { r.Parent = group.GetUid() }
	_, err = p.create(p.admin, inNew)
	wantCode(t, err, codes.PermissionDenied)
	p.mustCreate(t, nil) // in an old group
	p.clock.Advance(5 * time.Second)
	p.mustCreate(t, inNew)
}

func TestAuth_whatTheEmulatorDoesNotHaveIsUnimplemented(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	_, err := p.groups.LookupGroup(p.admin, &iam.LookupGroupRequest{})
	wantCode(t, err, codes.Unimplemented)
	_, err = iam.NewIdentityProvidersServiceClient(dial(t, p.Emulator)).ListIdentityProviders(p.admin, &iam.ListIdentityProvidersRequest{})
	wantCode(t, err, codes.Unimplemented)
	if p.Count("LookupGroup") != 1 || p.Count("ListIdentityProviders") != 1 {
		t.Errorf("counted %v", p.Counts())
	}
}
