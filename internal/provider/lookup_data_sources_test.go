package provider_test

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"chainguard.dev/sdk/proto/capabilities"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

func TestGroupDataSource_lookup(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	acme, folder := p.Group("acme.example"), p.Group("acme.example/platform")
	protocol := p.Protocol(t, nil)
	for name, test := range map[string]struct {
		config acctest.Config
		want   acctest.Object
	}{
		"organization by name": {acctest.Config{"name": "acme.example"}, acctest.Object{
			"name": "acme.example", "id": acme, "description": "An organization to try things on.", "parent_id": nil, "verified": true,
			"created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z",
		}},
		"folder by path": {acctest.Config{"name": "acme.example/platform"}, acctest.Object{
			"name": "acme.example/platform", "id": folder, "description": "The platform team.", "parent_id": acme, "verified": false,
			"created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z",
		}},
		"folder by UIDP": {acctest.Config{"id": folder}, acctest.Object{
			"name": "platform", "id": folder, "description": "The platform team.", "parent_id": acme, "verified": false,
			"created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z",
		}},
		"folder by UIDP as its name": {acctest.Config{"name": folder}, acctest.Object{
			"name": folder, "id": folder, "description": "The platform team.", "parent_id": acme, "verified": false,
			"created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z",
		}},
	} {
		object, diags := protocol.ReadData("chainguard_group", test.config)
		if len(diags) > 0 || !reflect.DeepEqual(object, test.want) {
			t.Errorf("%s: got %v %v, want %v", name, object, diags, test.want)
		}
	}
}

func TestRoleDataSource_lookup(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	acme := p.Group("acme.example")
	custom := p.AddRole(acme, "pull-only", capabilities.Capability_CAP_IAM_GROUPS_LIST, capabilities.Capability_CAP_IAM_GROUP_INVITES_LIST)
	protocol := p.Protocol(t, nil)
	want := func(name string, group any) acctest.Object {
		return acctest.Object{
			"name": name, "group": group, "id": custom, "description": nil, "managed": false,
			"capabilities": []any{"group_invites.list", "groups.list"},
		}
	}
	for name, test := range map[string]struct {
		config acctest.Config
		want   acctest.Object
	}{
		"by name":              {acctest.Config{"name": "pull-only"}, want("pull-only", nil)},
		"by name in its group": {acctest.Config{"name": "pull-only", "group": "acme.example"}, want("pull-only", "acme.example")},
		"by name further down": {acctest.Config{"name": "pull-only", "group": "acme.example/platform"}, want("pull-only", "acme.example/platform")},
		"by UIDP":              {acctest.Config{"id": custom}, want("pull-only", nil)},
	} {
		object, diags := protocol.ReadData("chainguard_role", test.config)
		if len(diags) > 0 || !reflect.DeepEqual(object, test.want) {
			t.Errorf("%s: got %v %v, want %v", name, object, diags, test.want)
		}
	}
}

func TestRoleDataSource_feedsInviteCode(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	const viewer = "data.chainguard_role.viewer"
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		CheckDestroy:             checkAllRevoked(p),
		Steps: []resource.TestStep{{
			Config: `
				data "chainguard_group" "platform" {
				  name = "acme.example/platform"
				}
				data "chainguard_role" "viewer" {
				  name  = "viewer"
				  group = data.chainguard_group.platform.id
				}
				resource "chainguard_invite_code" "kim" {
				  group = data.chainguard_group.platform.id
				  role  = data.chainguard_role.viewer.id
				}
			`,
			ConfigPlanChecks: emptyPlan,
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(viewer, attribute("managed"), knownvalue.Bool(true)),
				statecheck.ExpectKnownValue(viewer, attribute("capabilities"), knownvalue.ListPartial(map[int]knownvalue.Check{
					0: knownvalue.StringRegexp(regexp.MustCompile(`^[a-z_]+(\.[a-z_]+)+$`)),
				})),
				statecheck.ExpectKnownValue(kim, attribute("role_name"), knownvalue.StringExact("viewer")),
			},
		}},
	})
}

func TestLookupDataSources_notFound(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	for _, group := range []string{"acme.example", "acme.example/platform"} {
		p.AddRole(p.Group(group), "auditor", capabilities.Capability_CAP_IAM_GROUPS_LIST)
	}
	nowhere := p.Group("acme.example") + "/0123456789abcdef"
	protocol := p.Protocol(t, nil)
	for name, test := range map[string]struct {
		source string
		config acctest.Config
		want   string
	}{
		"group by name":           {"chainguard_group", acctest.Config{"name": "acme.exampel"}, `Did you mean "acme.example"?`},
		"group by path":           {"chainguard_group", acctest.Config{"name": "acme.example/platforms"}, `Did you mean "platform"?`},
		"group by UIDP":           {"chainguard_group", acctest.Config{"id": nowhere}, "Group " + nowhere + " does not exist"},
		"role by name":            {"chainguard_role", acctest.Config{"name": "veiwer"}, `There is no role named "veiwer" that this identity can see. Did you mean "viewer"?`},
		"role of several invites": {"chainguard_role", acctest.Config{"name": "auditor"}, `2 roles that this identity can see are named "auditor"`},
		"role by UIDP":            {"chainguard_role", acctest.Config{"id": nowhere}, "Role " + nowhere + " does not exist"},
		"group of the role":       {"chainguard_role", acctest.Config{"name": "viewer", "group": "acme.exampel"}, `Did you mean "acme.example"?`},
	} {
		_, diags := protocol.ReadData(test.source, test.config)
		if errs := diags.Errors(); len(errs) != 1 || !strings.Contains(errs[0], test.want) {
			t.Errorf("%s: errors are %q, want one with %q", name, errs, test.want)
		}
	}

	remove := p.Inject(emulator.Fault{Code: codes.PermissionDenied})
	defer remove()
	for source, capability := range map[string]string{"chainguard_group": "groups.list", "chainguard_role": "roles.list"} {
		_, diags := p.Protocol(t, nil).ReadData(source, acctest.Config{"id": nowhere})
		if errs := diags.Errors(); len(errs) != 1 || !strings.Contains(errs[0], capability) {
			t.Errorf("%s: errors are %q, want one with %q", source, errs, capability)
		}
	}
}

func TestLookupDataSources_validate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ source, attributes, want string }{
		"group by both":       {"chainguard_group", `name = "acme.example"` + "\n" + `id = "0123456789012345678901234567890123456789"`, "Invalid Attribute Combination"},
		"group by neither":    {"chainguard_group", ``, "Missing Attribute Configuration"},
		"group in capitals":   {"chainguard_group", `name = "ACME"`, "Invalid Group"},
		"a name as the id":    {"chainguard_group", `id = "acme.example"`, "Invalid UIDP"},
		"role by neither":     {"chainguard_role", `group = "acme.example"`, "Missing Attribute Configuration"},
		"role by id in group": {"chainguard_role", `id = "0123456789012345678901234567890123456789"` + "\n" + `group = "acme.example"`, "Invalid Attribute Combination"},
		"group of the search": {"chainguard_invite_codes", `group = "ACME"`, "Invalid Group"},
		"email of the search": {"chainguard_invite_codes", `email = "kim"`, "Invalid Email Address"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := acctest.New(t)
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: p.Factories(),
				Steps: []resource.TestStep{{
					Config:      fmt.Sprintf("data %q \"it\" {\n%s\n}\n", test.source, test.attributes),
					PlanOnly:    true,
					ExpectError: regexp.MustCompile(test.want),
				}},
			})
			if err := p.CheckCalls(nil); err != nil {
				t.Errorf("validation is not offline: %v", err)
			}
		})
	}
}

func TestRoleDataSource_builtInRolePrecedesCustomRoles(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	acme, folder := p.Group("acme.example"), p.Group("acme.example/platform")
	p.AddRole(acme, "viewer", capabilities.Capability_CAP_IAM_GROUPS_LIST)
	elsewhere := p.AddRole(folder, "auditor", capabilities.Capability_CAP_IAM_GROUPS_LIST)
	here := p.AddRole(acme, "auditor", capabilities.Capability_CAP_IAM_GROUPS_LIST)

	object, diags := p.Protocol(t, nil).ReadData("chainguard_role", acctest.Config{"name": "viewer"})
	if len(diags) > 0 || object["id"] != p.Role("viewer") {
		t.Errorf("without a group, viewer is %v (%v)", object["id"], diags)
	}
	if _, diags := p.Protocol(t, nil).ReadData("chainguard_role", acctest.Config{"name": "auditor"}); !strings.Contains(diags.String(), "or set `group`") {
		t.Errorf("the error does not suggest setting a group: %v", diags)
	}
	object, diags = p.Protocol(t, acctest.Config{"group": "acme.example"}).ReadData("chainguard_role", acctest.Config{"name": "auditor"})
	if len(diags) > 0 || object["id"] != here || object["group"] != nil {
		t.Errorf("in the provider's group, auditor is %v (%v); the other one is %s", object["id"], diags, elsewhere)
	}
}

func TestInviteCodesDataSource_groupDefaultsToTheProviders(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	ids := addInvites(p)
	for group, want := range map[any][]string{
		nil:                     {"kim", "anyone", "single", "folder"},
		"acme.example/platform": {"folder"},
	} {
		object, diags := p.Protocol(t, acctest.Config{"group": group}).ReadData("chainguard_invite_codes", nil)
		if len(diags) > 0 {
			t.Fatal(diags)
		}
		found := map[any]bool{}
		for _, invite := range invitesIn(object) {
			found[invite["id"]] = true
		}
		for _, name := range want {
			if !found[ids[name]] || len(found) != len(want) {
				t.Errorf("with the provider's group %v, %d invites are found, want %v", group, len(found), want)
			}
		}
	}
}
