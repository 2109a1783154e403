package provider_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

func TestInviteCodesDataSource_filters(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	ids := addInvites(p)
	protocol := p.Protocol(t, nil)
	for name, test := range map[string]struct {
		config acctest.Config
		want   []string
	}{
		"all":                {acctest.Config{}, []string{"kim", "anyone", "single", "folder"}},
		"expired too":        {acctest.Config{"include_expired": true}, []string{"kim", "anyone", "single", "folder", "expired"}},
		"group":              {acctest.Config{"group": "acme.example"}, []string{"kim", "anyone", "single"}},
		"group by UIDP":      {acctest.Config{"group": p.Group("acme.example")}, []string{"kim", "anyone", "single"}},
		"group and below":    {acctest.Config{"group": "acme.example", "recursive": true}, []string{"kim", "anyone", "single", "folder"}},
		"folder by path":     {acctest.Config{"group": "acme.example/platform"}, []string{"folder"}},
		"address":            {acctest.Config{"email": "Kim@Example.com"}, []string{"kim", "folder"}},
		"role":               {acctest.Config{"role": "editor"}, []string{"single"}},
		"role by UIDP":       {acctest.Config{"role": p.Role("editor")}, []string{"single"}},
		"role of no invite":  {acctest.Config{"role": "owner"}, nil},
		"custom role":        {acctest.Config{"role": "invite-manager"}, nil},
		"single use":         {acctest.Config{"single_use": true}, []string{"single"}},
		"not single use":     {acctest.Config{"group": "acme.example", "single_use": false}, []string{"kim", "anyone"}},
		"everything at once": {acctest.Config{"group": "acme.example", "email": "kim@example.com", "role": "viewer", "single_use": false}, []string{"kim"}},
	} {
		object, diags := protocol.ReadData("chainguard_invite_codes", test.config)
		if len(diags) > 0 {
			t.Errorf("%s: %v", name, diags)
			continue
		}
		want := []string{}
		for _, one := range test.want {
			want = append(want, ids[one])
		}
		if got := idsIn(object); !slices.Equal(got, want) {
			t.Errorf("%s: found %v, want %v", name, got, want)
		}
	}
}

// The platform returns an empty list both for a group that does not exist and for one without invites.
func TestInviteCodesDataSource_groupWithoutInvites(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	protocol := p.Protocol(t, nil)
	for name, test := range map[string]struct{ group, want string }{
		"exists":         {p.Group("acme.example"), ""},
		"does not exist": {p.Group("acme.example") + "/0123456789abcdef", "Group Not Found"},
	} {
		_, diags := protocol.ReadData("chainguard_invite_codes", acctest.Config{"group": test.group})
		if errs := diags.Errors(); (len(errs) > 0) != (test.want != "") || !strings.Contains(strings.Join(errs, ""), test.want) {
			t.Errorf("%s: errors are %q, want %q", name, errs, test.want)
		}
	}
}

// invitesIn returns the invites that the data source found, in its order.
func invitesIn(object acctest.Object) []acctest.Object {
	var all []acctest.Object
	invites, _ := object["invite_codes"].([]any)
	for _, invite := range invites {
		one, _ := invite.(acctest.Object)
		all = append(all, one)
	}
	return all
}

// idsIn returns the UIDPs of the invites that the data source found, in its order.
func idsIn(object acctest.Object) []string {
	ids := []string{}
	for _, invite := range invitesIn(object) {
		ids = append(ids, fmt.Sprint(invite["id"]))
	}
	return ids
}

func TestInviteCodesDataSource_attributes(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	ids := addInvites(p)
	const all = "data.chainguard_invite_codes.all"
	canaries := acctest.Canaries{}
	var keyID string
	for _, invite := range p.Invites() {
		canaries[invite.UID] = invite.Code
		if invite.UID == ids["single"] {
			keyID = invite.KeyID
		}
	}

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		Steps: []resource.TestStep{{
			Config: `data "chainguard_invite_codes" "all" {
				group           = "acme.example"
				include_expired = true
			}`,
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(all, attribute("invite_codes"), knownvalue.ListSizeExact(4)),
				statecheck.ExpectKnownValue(all, attribute("invite_codes").AtSliceIndex(2), knownvalue.ObjectExact(map[string]knownvalue.Check{
					"id":         knownvalue.StringExact(ids["single"]),
					"group_id":   knownvalue.StringExact(p.Group("acme.example")),
					"role_id":    knownvalue.StringExact(p.Role("editor")),
					"role_name":  knownvalue.StringExact("editor"),
					"email":      knownvalue.StringExact("lee@example.com"),
					"single_use": knownvalue.Bool(true),
					"key_id":     knownvalue.StringExact(keyID),
					"created_at": knownvalue.StringExact("2030-01-01T03:06:05Z"),
					"expires_at": knownvalue.StringExact("2030-01-08T03:06:05Z"),
					"status":     knownvalue.StringExact("active"),
				})),
				statecheck.ExpectKnownValue(all, attribute("invite_codes").AtSliceIndex(1).AtMapKey("email"), knownvalue.Null()),
				statecheck.ExpectKnownValue(all, attribute("invite_codes").AtSliceIndex(3).AtMapKey("status"), knownvalue.StringExact("expired")),
				statecheck.ExpectSensitiveValue(all, attribute("invite_codes").AtSliceIndex(0).AtMapKey("key_id")),
			},
		}},
	})
}

func TestInviteCodesDataSource_pages(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	const many = 1050
	for i := range many {
		p.AddInvite(emulator.Invite{Group: p.Group("acme.example"), RoleUID: p.Role("viewer"), Created: acctest.Start.Add(-time.Duration(i/10) * time.Second)})
	}
	object, diags := p.Protocol(t, nil).ReadData("chainguard_invite_codes", acctest.Config{"group": "acme.example"})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	ids := idsIn(object)
	if len(ids) != many {
		t.Errorf("found %d invites, want %d", len(ids), many)
	}
	sorted := slices.IsSortedFunc(invitesIn(object), func(a, b acctest.Object) int {
		return strings.Compare(fmt.Sprint(a["created_at"], a["id"]), fmt.Sprint(b["created_at"], b["id"]))
	})
	if !sorted {
		t.Error("they are not sorted by creation")
	}
	if pages := p.Count("ListGroupInvites"); pages != 6 {
		t.Errorf("%d pages were requested, want 6", pages)
	}
}

func TestInviteCodesDataSource_isCompleteOrFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault  emulator.Fault
		config acctest.Config
		want   string
	}{
		"a page that fails":    {fault: emulator.Fault{Method: "ListGroupInvites", Code: codes.Internal, Message: "out of luck", Match: notTheFirst()}, want: "out of luck"},
		"no capability":        {fault: emulator.Fault{Method: "ListGroupInvites", Code: codes.PermissionDenied}, want: "group_invites.list"},
		"an invite without id": {fault: emulator.Fault{Method: "ListGroupInvites", Mutate: spoilFirst}, want: "cannot be used"},
		"unknown group":        {config: acctest.Config{"group": "acme.exampel"}, want: `Did you mean "acme.example"?`},
		"unknown role":         {config: acctest.Config{"role": "veiwer"}, want: `Did you mean "viewer"?`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := acctest.New(t)
			for range 250 {
				p.AddInvite(emulator.Invite{Group: p.Group("acme.example"), RoleUID: p.Role("viewer")})
			}
			if test.fault.Method != "" {
				p.Inject(test.fault)
			}
			_, diags := p.Protocol(t, nil).ReadData("chainguard_invite_codes", test.config)
			if errs := diags.Errors(); len(errs) != 1 || !strings.Contains(errs[0], test.want) {
				t.Errorf("errors are %q, want one with %q", errs, test.want)
			}
		})
	}
}

// spoilFirst removes the uid of the first invite of a page.
func spoilFirst(answer proto.Message) {
	if page, ok := answer.(*iam.ListGroupInvitesResponse); ok {
		page.GetGroupInvites()[0].Uid = ""
	}
}

func TestInviteCodesDataSource_platformsClock(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ahead time.Duration // of the platform's clock
		want  string
	}{
		"the platform's clock is ahead":  {2 * time.Hour, "expired"},
		"the platform's clock is behind": {-2 * time.Hour, "active"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			theirs := newSkewedClock()
			p := acctest.New(t, theirs.set)
			theirs.skew(p, test.ahead)
			p.AddInvite(emulator.Invite{Group: p.Group("acme.example"), RoleUID: p.Role("viewer"), Created: acctest.Start.Add(-time.Hour), TTL: 2*time.Hour - time.Second})
			object, diags := p.Protocol(t, nil).ReadData("chainguard_invite_codes", acctest.Config{"include_expired": true})
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			if invites := invitesIn(object); len(invites) != 1 || invites[0]["status"] != test.want {
				t.Errorf("found %v, want one that is %s", invites, test.want)
			}
		})
	}
}
