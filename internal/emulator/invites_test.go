package emulator_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	iambeta "chainguard.dev/sdk/proto/chainguard/platform/iam/v2beta1"
	common "chainguard.dev/sdk/proto/platform/common/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

func TestInvites_createAnswersWithTheCodeAndOnlyCreateDoes(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	created := p.mustCreate(t, func(r *iam.CreateGroupInviteRequest) {
		r.GroupInvite.Email = "kim@example.com"
		r.GroupInvite.SingleUse = true
	})

	folder := p.Group("acme.example/platform")
	if !regexp.MustCompile("^" + folder + "/[0-9a-f]{16}$").MatchString(created.GetUid()) {
		t.Errorf("uid = %q, want one right below %q", created.GetUid(), folder)
	}
	code, err := base64.StdEncoding.DecodeString(created.GetCode())
	if err != nil {
		t.Fatalf("the code is not base64: %v", err)
	}
	if !bytes.HasPrefix(code, []byte(`{"grp":"`+folder+`"`)) || !bytes.Contains(code, []byte("emulator")) {
		t.Errorf("the code holds %s, want the group first and a word about the emulator", code)
	}
	want := &iam.GroupInvite{
		Uid:            created.GetUid(),
		RoleUid:        p.Role("viewer"),
		Role:           created.GetRole(),
		Email:          "kim@example.com",
		SingleUse:      true,
		Code:           created.GetCode(),
		KeyId:          created.GetKeyId(),
		CreateTime:     created.GetCreateTime(),
		ExpirationTime: created.GetExpirationTime(),
	}
	if !proto.Equal(created, want) {
		t.Errorf("created %v, want %v", created, want)
	}
	if created.GetKeyId() == "" || created.GetRole().GetName() != "viewer" || len(created.GetRole().GetCapabilities()) == 0 {
		t.Errorf("created without key or role: %v", created)
	}
	if got := created.GetCreateTime().AsTime(); !got.Equal(p.clock.Now()) {
		t.Errorf("create_time = %s, want the clock's %s", got, p.clock.Now())
	}
	if got := created.GetExpirationTime().AsTime(); !got.Equal(p.clock.Now().Add(24 * time.Hour)) {
		t.Errorf("expiration_time = %s, want a day after the clock's %s", got, p.clock.Now())
	}

	want.Code = ""
	got, err := p.invites.GetGroupInvite(p.admin, &iam.GetGroupInviteRequest{Uid: created.GetUid()})
	if err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(got, want) {
		t.Errorf("Get answered %v, want %v", got, want)
	}
	list, err := p.invites.ListGroupInvites(p.admin, &iam.ListGroupInvitesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.GetGroupInvites()) != 1 || !proto.Equal(list.GetGroupInvites()[0], want) {
		t.Errorf("List answered %v, want just %v", list, want)
	}
}

func TestInvites_createNamesTheFieldsThatAreWrong(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	other := p.AddGroup("", "other.example", p.clock.Now())
	elsewhere := p.AddRole(other, "elsewhere", 103)

	tests := map[string]struct {
		change func(*iam.GroupInvite)
		fields []string
	}{
		"no ttl":             {func(i *iam.GroupInvite) { i.Ttl = nil }, []string{"ttl"}},
		"zero ttl":           {func(i *iam.GroupInvite) { i.Ttl = durationpb.New(0) }, []string{"ttl"}},
		"negative ttl":       {func(i *iam.GroupInvite) { i.Ttl = durationpb.New(-time.Second) }, []string{"ttl"}},
		"ttl over a year":    {func(i *iam.GroupInvite) { i.Ttl = durationpb.New(366 * 24 * time.Hour) }, []string{"ttl"}},
		"no valid ttl":       {func(i *iam.GroupInvite) { i.Ttl = &durationpb.Duration{Seconds: 1, Nanos: -1} }, []string{"ttl"}},
		"no role":            {func(i *iam.GroupInvite) { i.RoleUid = "" }, []string{"role_uid"}},
		"unknown role":       {func(i *iam.GroupInvite) { i.RoleUid = strings.Repeat("0", 40) }, []string{"role_uid"}},
		"role of another":    {func(i *iam.GroupInvite) { i.RoleUid = elsewhere }, []string{"role_uid"}},
		"no email address":   {func(i *iam.GroupInvite) { i.Email = "kim" }, []string{"email"}},
		"email with a name":  {func(i *iam.GroupInvite) { i.Email = "Kim <kim@example.com>" }, []string{"email"}},
		"everything at once": {func(i *iam.GroupInvite) { *i = iam.GroupInvite{Email: "kim"} }, []string{"ttl", "role_uid", "email"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := p.create(p.admin, func(r *iam.CreateGroupInviteRequest) { test.change(r.GetGroupInvite()) })
			wantCode(t, err, codes.InvalidArgument)
			var fields []string
			for _, v := range detail[*errdetails.BadRequest](t, err).GetFieldViolations() {
				fields = append(fields, v.GetField())
			}
			if !slices.Equal(fields, test.fields) {
				t.Errorf("violations of %v, want %v", fields, test.fields)
			}
			if info := detail[*errdetails.ErrorInfo](t, err); info.GetDomain() != "iam.chainguard.dev" || info.GetReason() == "" {
				t.Errorf("ErrorInfo = %v", info)
			}
		})
	}
	t.Cleanup(func() {
		if left := p.Invites(); len(left) > 0 {
			t.Errorf("refused creates left %d invites", len(left))
		}
	})
}

func TestInvites_createTakesTheRolesOfTheGroupAndOfThoseAbove(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	for name, uid := range map[string]string{
		"managed":              p.Role("owner"),
		"of the organization":  p.Role("invite-manager"),
		"of the folder itself": p.AddRole(p.Group("platform"), "own", 103),
	} {
		if _, err := p.create(p.admin, func(r *iam.CreateGroupInviteRequest) { r.GroupInvite.RoleUid = uid }); err != nil {
			t.Errorf("role %s: %v", name, err)
		}
	}
}

func TestInvites_missingThingsAreNamedInTheError(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	missing := p.Group("acme.example") + "/0123456789abcdef"
	calls := map[string]func() error{
		"GroupInvite": func() error {
			_, err := p.invites.GetGroupInvite(p.admin, &iam.GetGroupInviteRequest{Uid: missing})
			return err
		},
		"Group": func() error {
			_, err := p.create(p.admin, func(r *iam.CreateGroupInviteRequest) { r.Parent = missing })
			return err
		},
		"Role": func() error {
			_, err := p.roles.GetRole(p.admin, &iam.GetRoleRequest{Uid: missing})
			return err
		},
	}
	for kind, call := range calls {
		err := call()
		wantCode(t, err, codes.NotFound)
		info := detail[*errdetails.ResourceInfo](t, err)
		if info.GetResourceName() != missing || info.GetResourceType() != "iam.chainguard.dev/"+kind {
			t.Errorf("%s: ResourceInfo = %v", kind, info)
		}
	}
}

func TestInvites_deletingAMissingInviteIsNotFoundUnlessSwitched(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	request := &iam.DeleteGroupInviteRequest{Uid: p.mustCreate(t, nil).GetUid()}

	if _, err := p.invites.DeleteGroupInvite(p.admin, request); err != nil {
		t.Fatal(err)
	}
	if left := p.Invites(); len(left) != 0 {
		t.Errorf("after the deletion there are %v", left)
	}
	_, err := p.invites.DeleteGroupInvite(p.admin, request)
	wantCode(t, err, codes.NotFound)

	p.SetBehavior(func(b *emulator.Behavior) { b.MissingDeleteOK = true })
	if _, err := p.invites.DeleteGroupInvite(p.admin, request); err != nil {
		t.Errorf("switched: %v", err)
	}
}

func TestInvites_expiredInviteStaysUntilItIsDeleted(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	created := p.mustCreate(t, nil)

	p.clock.Advance(24*time.Hour - time.Nanosecond)
	if len(p.Live()) != 1 {
		t.Error("the invite is not alive just before it expires")
	}
	p.clock.Advance(time.Nanosecond)
	if len(p.Live()) != 0 || len(p.Invites()) != 1 {
		t.Errorf("at its expiry %d live and %d stored invites, want 0 and 1", len(p.Live()), len(p.Invites()))
	}
	wantCode(t, p.Accept(created.GetCode()), codes.FailedPrecondition)
	if _, err := p.invites.GetGroupInvite(p.admin, &iam.GetGroupInviteRequest{Uid: created.GetUid()}); err != nil {
		t.Errorf("Get of an expired invite: %v", err)
	}
}

func TestInvites_roleOfAnInviteIsAbsentOnceItIsDeleted(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	created := p.mustCreate(t, func(r *iam.CreateGroupInviteRequest) { r.GroupInvite.RoleUid = p.Role("invite-manager") })
	get := func() *iam.GroupInvite {
		got, err := p.invites.GetGroupInvite(p.admin, &iam.GetGroupInviteRequest{Uid: created.GetUid()})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	p.RenameRole(created.GetRoleUid(), "renamed")
	if name := get().GetRole().GetName(); name != "renamed" {
		t.Errorf("the role is called %q after it was renamed", name)
	}
	p.DeleteRole(created.GetRoleUid())
	if got := get(); got.GetRole() != nil || got.GetRoleUid() != created.GetRoleUid() {
		t.Errorf("got %v, want the role's uid without the role", got)
	}
}

func TestInvites_storedInvitesCanBeChangedBehindTheAPI(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	added := p.AddInvite(emulator.Invite{Group: p.Group("acme.example"), RoleUID: p.Role("owner"), SingleUse: true})
	created := p.mustCreate(t, nil)

	p.SetInvite(added.UID, func(i *emulator.Invite) { i.Email = "kim@example.com"; i.UID = "ignored" })
	got, err := p.invites.GetGroupInvite(p.admin, &iam.GetGroupInviteRequest{Uid: added.UID})
	if err != nil {
		t.Fatal(err)
	}
	if got.GetEmail() != "kim@example.com" || !got.GetSingleUse() {
		t.Errorf("got %v, want the changed invite", got)
	}
	p.DeleteInvite(added.UID)
	p.DeleteInvite(added.UID) // is gone already
	if left := p.Invites(); len(left) != 1 || left[0].UID != created.GetUid() || left[0].Code != created.GetCode() {
		t.Errorf("left are %v, want only %s", left, created.GetUid())
	}
}

func TestInvites_listPagesThroughEverythingOnce(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	group, role := p.Group("acme.example/platform"), p.Role("viewer")
	var want []string
	for range 450 {
		want = append(want, p.AddInvite(emulator.Invite{Group: group, RoleUID: role}).UID)
		p.clock.Advance(time.Second)
	}
	oldestFirst := slices.Clone(want)
	slices.Reverse(want) // the default is the newest first
	byUID := slices.Sorted(slices.Values(want))

	tests := map[string]struct {
		request *iam.ListGroupInvitesRequest
		pages   int
		want    []string
	}{
		"the default":       {&iam.ListGroupInvitesRequest{}, 9, want},
		"the largest pages": {&iam.ListGroupInvitesRequest{PageSize: 200}, 3, want},
		"too large pages":   {&iam.ListGroupInvitesRequest{PageSize: 1000}, 3, want},
		"uneven pages":      {&iam.ListGroupInvitesRequest{PageSize: 77}, 6, want},
		"oldest first":      {&iam.ListGroupInvitesRequest{OrderBy: "created_at asc"}, 9, oldestFirst},
		"no direction":      {&iam.ListGroupInvitesRequest{OrderBy: "created_at"}, 9, oldestFirst},
		"by uid":            {&iam.ListGroupInvitesRequest{OrderBy: "uid asc", PageSize: 150}, 3, byUID},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			pages := 0
			request := test.request
			for {
				answer, err := p.invites.ListGroupInvites(p.admin, request)
				if err != nil {
					t.Fatal(err)
				}
				pages++
				if answer.GetTotalCount() != 450 {
					t.Errorf("total_count = %d, want 450", answer.GetTotalCount())
				}
				for _, i := range answer.GetGroupInvites() {
					got = append(got, i.GetUid())
				}
				if request.PageToken = answer.GetNextPageToken(); request.GetPageToken() == "" {
					break
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%d invites in another order than the %d wanted", len(got), len(test.want))
			}
			if pages != test.pages {
				t.Errorf("%d pages, want %d", pages, test.pages)
			}
		})
	}
}

func TestInvites_listGoesOnWhereItWasWhenInvitesComeAndGo(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	group, role := p.Group("platform"), p.Role("viewer")
	var added []string
	for range 4 {
		added = append(added, p.AddInvite(emulator.Invite{Group: group, RoleUID: role}).UID)
	}
	first, err := p.invites.ListGroupInvites(p.admin, &iam.ListGroupInvitesRequest{PageSize: 2})
	if err != nil {
		t.Fatal(err)
	}
	p.DeleteInvite(added[2]) // was the last of the first page
	p.AddInvite(emulator.Invite{Group: group, RoleUID: role})
	second, err := p.invites.ListGroupInvites(p.admin, &iam.ListGroupInvitesRequest{PageSize: 2, PageToken: first.GetNextPageToken()})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range append(first.GetGroupInvites(), second.GetGroupInvites()...) {
		got = append(got, i.GetUid())
	}
	if want := []string{added[3], added[2], added[1], added[0]}; !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
}

func TestInvites_oldPageTokenStartsTheListAgain(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	for range 3 {
		p.AddInvite(emulator.Invite{Group: p.Group("platform"), RoleUID: p.Role("viewer")})
	}
	list := func(token string) *iam.ListGroupInvitesResponse {
		answer, err := p.invites.ListGroupInvites(p.admin, &iam.ListGroupInvitesRequest{PageSize: 1, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	first := list("")
	p.clock.Advance(3 * 24 * time.Hour)
	if second := list(first.GetNextPageToken()); second.GetGroupInvites()[0].GetUid() == first.GetGroupInvites()[0].GetUid() {
		t.Error("a token of three days starts again")
	}
	p.clock.Advance(time.Second)
	if again := list(first.GetNextPageToken()); again.GetGroupInvites()[0].GetUid() != first.GetGroupInvites()[0].GetUid() {
		t.Error("a token older than three days goes on")
	}
}

func TestInvites_skipAddsUp(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	var added []string
	for range 10 {
		added = append(added, p.AddInvite(emulator.Invite{Group: p.Group("platform"), RoleUID: p.Role("viewer")}).UID)
	}
	first, err := p.invites.ListGroupInvites(p.admin, &iam.ListGroupInvitesRequest{PageSize: 2, Skip: 3, OrderBy: "created_at asc"})
	if err != nil {
		t.Fatal(err)
	}
	second, err := p.invites.ListGroupInvites(p.admin, &iam.ListGroupInvitesRequest{PageSize: 2, Skip: 1, OrderBy: "created_at asc", PageToken: first.GetNextPageToken()})
	if err != nil {
		t.Fatal(err)
	}
	if got := first.GetGroupInvites()[0].GetUid(); got != added[3] || first.GetSkipped() != 3 {
		t.Errorf("first page: starts at %s with %d skipped, want %s and 3", got, first.GetSkipped(), added[3])
	}
	if got := second.GetGroupInvites()[0].GetUid(); got != added[6] || second.GetSkipped() != 4 {
		t.Errorf("second page: starts at %s with %d skipped, want %s and 4", got, second.GetSkipped(), added[6])
	}
	past, err := p.invites.ListGroupInvites(p.admin, &iam.ListGroupInvitesRequest{Skip: 99})
	if err != nil || len(past.GetGroupInvites()) != 0 || past.GetSkipped() != 10 {
		t.Errorf("skipping past the end: %v, %v", past, err)
	}
}

func TestInvites_listRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	for range 3 {
		p.AddInvite(emulator.Invite{Group: p.Group("platform"), RoleUID: p.Role("viewer")})
	}
	first, err := p.invites.ListGroupInvites(p.admin, &iam.ListGroupInvitesRequest{PageSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		request *iam.ListGroupInvitesRequest
		field   string
	}{
		"an unknown field":      {&iam.ListGroupInvitesRequest{OrderBy: "colour"}, "order_by"},
		"an unknown direction":  {&iam.ListGroupInvitesRequest{OrderBy: "uid up"}, "order_by"},
		"two fields":            {&iam.ListGroupInvitesRequest{OrderBy: "uid asc, email"}, "order_by"},
		"a negative page size":  {&iam.ListGroupInvitesRequest{PageSize: -1}, "page_size"},
		"a negative skip":       {&iam.ListGroupInvitesRequest{Skip: -1}, "skip"},
		"a made-up page token":  {&iam.ListGroupInvitesRequest{PageToken: "next"}, "page_token"},
		"a change of the order": {&iam.ListGroupInvitesRequest{PageToken: first.GetNextPageToken(), OrderBy: "uid asc"}, "page_token"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := p.invites.ListGroupInvites(p.admin, test.request)
			wantCode(t, err, codes.InvalidArgument)
			if got := detail[*errdetails.BadRequest](t, err).GetFieldViolations()[0].GetField(); got != test.field {
				t.Errorf("the violation is of %q, want %q", got, test.field)
			}
		})
	}
}

func TestInvites_listFilters(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	org, folder := p.Group("acme.example"), p.Group("platform")
	inner := p.AddGroup(folder, "inner", p.clock.Now())
	add := func(group string) emulator.Invite {
		return p.AddInvite(emulator.Invite{Group: group, RoleUID: p.Role("viewer")})
	}
	atOrg, atFolder, atInner := add(org), add(folder), add(inner)

	tests := map[string]struct {
		request *iam.ListGroupInvitesRequest
		want    []emulator.Invite
	}{
		"descendants of the organization": {&iam.ListGroupInvitesRequest{Uidp: &common.UIDPFilter{DescendantsOf: org}}, []emulator.Invite{atOrg, atFolder, atInner}},
		"descendants of the folder":       {&iam.ListGroupInvitesRequest{Uidp: &common.UIDPFilter{DescendantsOf: folder}}, []emulator.Invite{atFolder, atInner}},
		"children of the folder":          {&iam.ListGroupInvitesRequest{Uidp: &common.UIDPFilter{ChildrenOf: folder}}, []emulator.Invite{atFolder}},
		"ids":                             {&iam.ListGroupInvitesRequest{Uidp: &common.UIDPFilter{Ids: []string{atOrg.UID, atInner.UID}}}, []emulator.Invite{atOrg, atInner}},
		"ids and children":                {&iam.ListGroupInvitesRequest{Uidp: &common.UIDPFilter{Ids: []string{atOrg.UID, atInner.UID}, ChildrenOf: inner}}, []emulator.Invite{atInner}},
		"in the root":                     {&iam.ListGroupInvitesRequest{Uidp: &common.UIDPFilter{InRoot: true}}, nil},
		"a key":                           {&iam.ListGroupInvitesRequest{KeyId: atFolder.KeyID}, []emulator.Invite{atFolder}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.request.OrderBy = "created_at asc"
			answer, err := p.invites.ListGroupInvites(p.admin, test.request)
			if err != nil {
				t.Fatal(err)
			}
			var got, want []string
			for _, i := range answer.GetGroupInvites() {
				got = append(got, i.GetUid())
			}
			for _, i := range test.want {
				want = append(want, i.UID)
			}
			if !slices.Equal(got, want) {
				t.Errorf("listed %v, want %v", got, want)
			}
		})
	}
}

func TestInvites_twentyThousandInvitesOfOneGroupAreListedInPages(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	group, role := p.Group("platform"), p.Role("viewer")
	for range 20_000 {
		p.AddInvite(emulator.Invite{Group: group, RoleUID: role})
	}
	seen := map[string]bool{}
	request := &iam.ListGroupInvitesRequest{PageSize: 200, Uidp: &common.UIDPFilter{ChildrenOf: group}}
	for {
		answer, err := p.invites.ListGroupInvites(p.admin, request)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range answer.GetGroupInvites() {
			seen[i.GetUid()] = true
		}
		if request.PageToken = answer.GetNextPageToken(); request.GetPageToken() == "" {
			break
		}
	}
	if len(seen) != 20_000 || p.Count("ListGroupInvites") != 100 {
		t.Errorf("%d invites in %d calls, want 20000 in 100", len(seen), p.Count("ListGroupInvites"))
	}
}

func TestInvites_v2beta1IsTheSamePlatform(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	conn := dial(t, p.Emulator)
	invites := iambeta.NewGroupInvitesServiceClient(conn)

	created, err := invites.CreateGroupInvite(p.admin, &iambeta.CreateGroupInviteRequest{
		Parent:      p.Group("platform"),
		GroupInvite: &iambeta.GroupInvite{RoleUid: p.Role("viewer"), Ttl: durationpb.New(time.Hour)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if created.GetCode() == "" || created.GetRole().GetName() != "viewer" {
		t.Errorf("created %v", created)
	}
	if _, err := p.invites.GetGroupInvite(p.admin, &iam.GetGroupInviteRequest{Uid: created.GetUid()}); err != nil {
		t.Errorf("v2 does not see what v2beta1 created: %v", err)
	}
	_, err = invites.GetGroupInvite(t.Context(), &iambeta.GetGroupInviteRequest{Uid: created.GetUid()})
	wantCode(t, err, codes.Unauthenticated)
	groups, err := iambeta.NewGroupsServiceClient(conn).ListGroups(p.admin, &iambeta.ListGroupsRequest{Name: "platform"})
	if err != nil || len(groups.GetGroups()) != 1 {
		t.Errorf("groups: %v, %v", groups, err)
	}
	roles, err := iambeta.NewRolesServiceClient(conn).ListRoles(p.admin, &iambeta.ListRolesRequest{Name: "invite-manager"})
	if err != nil || len(roles.GetRoles()) != 1 {
		t.Errorf("roles: %v, %v", roles, err)
	}
	if got := p.Requests()[0].FullMethod; got != "/chainguard.platform.iam.v2beta1.GroupInvitesService/CreateGroupInvite" {
		t.Errorf("logged as %s", got)
	}
	if p.Count("CreateGroupInvite") != 1 {
		t.Errorf("counted %v", p.Counts())
	}
}

// The emulator answers v2beta1 with the messages of v2, which is right only as long as the two are defined alike.
func TestInvites_v2beta1IsDefinedLikeV2(t *testing.T) {
	t.Parallel()
	pairs := [][2]proto.Message{
		{&iam.GroupInvite{}, &iambeta.GroupInvite{}},
		{&iam.Group{}, &iambeta.Group{}},
		{&iam.Role{}, &iambeta.Role{}},
	}
	for _, pair := range pairs {
		v2, beta := pair[0].ProtoReflect().Descriptor().ParentFile(), pair[1].ProtoReflect().Descriptor().ParentFile()
		messages := v2.Messages()
		for i := range messages.Len() {
			m := messages.Get(i)
			other := beta.Messages().ByName(m.Name())
			if other == nil {
				t.Errorf("v2beta1 has no %s", m.Name())
				continue
			}
			for j := range m.Fields().Len() {
				f := m.Fields().Get(j)
				o := other.Fields().ByNumber(f.Number())
				if o == nil || fmt.Sprint(o.Name(), o.Kind(), o.Cardinality()) != fmt.Sprint(f.Name(), f.Kind(), f.Cardinality()) {
					t.Errorf("%s differs in the field %s", m.Name(), f.Name())
				}
			}
		}
	}
}
