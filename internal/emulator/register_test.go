package emulator_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	auth "chainguard.dev/sdk/proto/platform/auth/v1"
	"chainguard.dev/sdk/sts"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// kim is the upstream token of someone who is new to the platform.
func (p *platform) kim() string {
	return p.upstream(func(u *emulator.Upstream) {
		u.Issuer, u.Subject, u.Email = "https://accounts.example.com", "kim", "kim@example.com"
	})
}

func TestRegister_acceptingAnInviteMakesAMember(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	created := p.mustCreate(t, func(r *iam.CreateGroupInviteRequest) {
		r.GroupInvite.RoleUid = p.Role("invite-manager")
		r.GroupInvite.Email = "Kim@example.com"
	})
	session, err := auth.NewAuthClient(dial(t, p.Emulator)).Register(as(t.Context(), p.kim()), &auth.RegistrationRequest{Code: created.GetCode()})
	if err != nil {
		t.Fatal(err)
	}
	if session.GetGroup() != p.Group("platform") || session.GetIdentity() == "" {
		t.Errorf("session = %v", session)
	}
	pair, err := sts.ExchangePair(t.Context(), p.URL(), p.Audience(), p.kim())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.create(as(t.Context(), pair.AccessToken), nil); err != nil {
		t.Errorf("the new member cannot do what the role allows: %v", err)
	}
	if len(p.Invites()) != 2 {
		t.Error("an invite for many was deleted when it was accepted")
	}
}

func TestRegister_singleUseInviteIsDeletedWhenItIsAccepted(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	created := p.mustCreate(t, func(r *iam.CreateGroupInviteRequest) { r.GroupInvite.SingleUse = true })
	if err := p.Accept(created.GetCode()); err != nil {
		t.Fatal(err)
	}
	_, err := p.invites.GetGroupInvite(p.admin, &iam.GetGroupInviteRequest{Uid: created.GetUid()})
	wantCode(t, err, codes.NotFound)
	wantCode(t, p.Accept(created.GetCode()), codes.NotFound)
}

func TestRegister_invitesThatCannotBeAccepted(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	bound := p.mustCreate(t, func(r *iam.CreateGroupInviteRequest) { r.GroupInvite.Email = "lee@example.com" })
	revoked := p.mustCreate(t, nil)
	p.DeleteInvite(revoked.GetUid())
	client := auth.NewAuthClient(dial(t, p.Emulator))

	tests := map[string]struct {
		token, code string
		want        codes.Code
	}{
		"someone else's": {p.kim(), bound.GetCode(), codes.PermissionDenied},
		"revoked":        {p.kim(), revoked.GetCode(), codes.NotFound},
		"made up":        {p.kim(), "eyJncnAiOiJ4In0=", codes.NotFound},
		"no token":       {"", bound.GetCode(), codes.Unauthenticated},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := client.Register(as(t.Context(), test.token), &auth.RegistrationRequest{Code: test.code})
			wantCode(t, err, test.want)
		})
	}
	if err := p.Accept(bound.GetCode()); err != nil {
		t.Errorf("as the one it is for: %v", err)
	}
}

func TestRegister_overREST(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	created := p.mustCreate(t, nil)
	code, session := p.restAs(t, "Bearer "+p.kim(), http.MethodPost, "/auth/v1/register", `{"code":"`+created.GetCode()+`"}`)
	if code != http.StatusOK || session["group"] != p.Group("platform") {
		t.Errorf("answered %d %v", code, session)
	}
	code, again := p.restAs(t, "Bearer "+p.kim(), http.MethodPost, "/auth/v1/register", fmt.Sprintf(`{"identityId":%q}`, session["identity"]))
	if code != http.StatusOK || again["identity"] != session["identity"] || again["group"] != "" {
		t.Errorf("without a code: %d %v", code, again)
	}
}

func TestRegister_validateSaysWhoCalls(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	client := auth.NewAuthClient(dial(t, p.Emulator))
	who, err := client.Validate(as(t.Context(), p.Token(p.AdminIdentity(), p.Audience(), time.Hour)), &emptypb.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	if who.GetSubject() != p.AdminIdentity() || who.GetIssuer() != p.URL() || who.GetEmail() != "admin@acme.example" ||
		!who.GetExpiry().AsTime().Equal(p.clock.Now().Add(time.Hour)) {
		t.Errorf("answered %v", who)
	}
	if c := who.GetCapabilities(); len(c) != 1 || c[0].GetGroup().GetId() != p.Group("acme.example") || c[0].GetRole().GetName() != "owner" {
		t.Errorf("capabilities %v", c)
	}
	_, err = client.Validate(t.Context(), &emptypb.Empty{})
	wantCode(t, err, codes.Unauthenticated)
}

func TestRegister_grantsWhatTheInviteSays(t *testing.T) {
	t.Parallel()
	p := start(t, people())
	created := p.mustCreate(t, func(r *iam.CreateGroupInviteRequest) { r.GroupInvite.SingleUse = true })
	conn := dial(t, p.Emulator)
	session, err := auth.NewAuthClient(conn).Register(as(t.Context(), p.kim()), &auth.RegistrationRequest{Code: created.GetCode()})
	if err != nil {
		t.Fatal(err)
	}

	bindings := iam.NewRoleBindingsServiceClient(conn)
	list, err := bindings.ListRoleBindings(p.admin, &iam.ListRoleBindingsRequest{Group: p.Group("platform"), Identity: session.GetIdentity()})
	if err != nil || len(list.GetRoleBindings()) != 1 {
		t.Fatalf("listed %v, %v", list, err)
	}
	b := list.GetRoleBindings()[0]
	if b.GetRoleUid() != p.Role("viewer") || b.GetRole().GetName() != "viewer" || b.GetGroup().GetName() != "platform" ||
		b.GetIdentityUid() != session.GetIdentity() || b.GetIdentity().GetEmail() != "kim@example.com" ||
		b.GetIdentity().GetSubject() != "kim" || !b.GetCreateTime().AsTime().Equal(p.clock.Now()) {
		t.Errorf("granted %v", b)
	}
	got, err := bindings.GetRoleBinding(p.admin, &iam.GetRoleBindingRequest{Uid: b.GetUid()})
	if err != nil || !proto.Equal(got, b) {
		t.Errorf("got %v, %v; want %v", got, err, b)
	}
	_, err = bindings.GetRoleBinding(p.admin, &iam.GetRoleBindingRequest{Uid: p.Group("platform") + "/0123456789abcdef"})
	wantCode(t, err, codes.NotFound)
	_, err = bindings.CreateRoleBinding(p.admin, &iam.CreateRoleBindingRequest{Parent: p.Group("platform")})
	wantCode(t, err, codes.Unimplemented)

	identities := iam.NewIdentitiesServiceClient(conn)
	known, err := identities.ListIdentities(p.admin, &iam.ListIdentitiesRequest{Name: "kim@example.com"})
	if err != nil || len(known.GetIdentities()) != 1 || known.GetIdentities()[0].GetUid() != session.GetIdentity() ||
		known.GetIdentities()[0].GetClaimMatch().GetSubject() != "kim" {
		t.Fatalf("listed %v, %v", known, err)
	}
	if identity, err := identities.GetIdentity(p.admin, &iam.GetIdentityRequest{Uid: session.GetIdentity()}); err != nil || identity.GetEmail() != "kim@example.com" {
		t.Errorf("got %v, %v", identity, err)
	}

	stranger := as(t.Context(), p.Token(p.Identity("stranger"), p.Audience(), time.Hour))
	if list, err := bindings.ListRoleBindings(stranger, &iam.ListRoleBindingsRequest{}); err != nil || len(list.GetRoleBindings()) != 0 {
		t.Errorf("a stranger sees %v, %v", list, err)
	}
	if list, err := identities.ListIdentities(stranger, &iam.ListIdentitiesRequest{}); err != nil || len(list.GetIdentities()) != 0 {
		t.Errorf("a stranger sees %v, %v", list, err)
	}
	_, err = identities.GetIdentity(stranger, &iam.GetIdentityRequest{Uid: session.GetIdentity()})
	wantCode(t, err, codes.PermissionDenied)
}
