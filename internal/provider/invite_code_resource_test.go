package provider_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
)

func TestInviteCodeResource_lifecycle(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	differs := func(name string) *compareAcrossSteps { return newCompare(name, compare.ValuesDiffer()) }
	id, code, expires := differs("id"), differs("code"), differs("expires_at")
	var first string

	config := func(ttl string) string {
		return kimWith(fmt.Sprintf("group = %q\nrole = %q\nemail = \"kim@example.com\"\nttl = %q", "acme.example", "viewer", ttl))
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		CheckDestroy:             checkAllRevoked(p),
		Steps: []resource.TestStep{
			{
				Config: config("5d"),
				ConfigStateChecks: []statecheck.StateCheck{
					id.AddStateValue(), code.AddStateValue(), expires.AddStateValue(),
					statecheck.ExpectKnownValue(kim, attribute("id"), knownvalue.StringRegexp(regexp.MustCompile(`^[0-9a-f]{40}/[0-9a-f]{16}$`))),
					statecheck.ExpectKnownValue(kim, attribute("group"), knownvalue.StringExact("acme.example")),
					statecheck.ExpectKnownValue(kim, attribute("group_id"), knownvalue.StringExact(p.Group("acme.example"))),
					statecheck.ExpectKnownValue(kim, attribute("role"), knownvalue.StringExact("viewer")),
					statecheck.ExpectKnownValue(kim, attribute("role_id"), knownvalue.StringExact(p.Role("viewer"))),
					statecheck.ExpectKnownValue(kim, attribute("role_name"), knownvalue.StringExact("viewer")),
					statecheck.ExpectKnownValue(kim, attribute("email"), knownvalue.StringExact("kim@example.com")),
					statecheck.ExpectKnownValue(kim, attribute("ttl"), knownvalue.StringExact("5d")),
					statecheck.ExpectKnownValue(kim, attribute("single_use"), knownvalue.Bool(false)),
					statecheck.ExpectKnownValue(kim, attribute("code"), knownvalue.NotNull()),
					statecheck.ExpectSensitiveValue(kim, attribute("code")),
					statecheck.ExpectKnownValue(kim, attribute("created_at"), knownvalue.StringExact("2030-01-02T03:04:05Z")),
					statecheck.ExpectKnownValue(kim, attribute("expires_at"), expiresAbout("2030-01-07T03:04:05Z")),
					statecheck.ExpectKnownValue(kim, attribute("status"), knownvalue.StringExact("active")),
				},
				ConfigPlanChecks: emptyPlan,
				Check: func(*terraform.State) error {
					first = p.Invites()[0].UID
					return nil
				},
			},
			{
				PreConfig: p.ResetRequests,
				Config:    config("120h0m0s"),
				ConfigPlanChecks: resource.ConfigPlanChecks{
					PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
				},
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(kim, attribute("ttl"), knownvalue.StringExact("5d")),
				},
				Check: func(*terraform.State) error {
					if p.Count("CreateGroupInvite")+p.Count("DeleteGroupInvite") != 0 {
						return fmt.Errorf("another spelling of the ttl called the platform: %v", p.Counts())
					}
					return nil
				},
			},
			{
				Config: config("1w"),
				ConfigPlanChecks: resource.ConfigPlanChecks{
					PreApply: []plancheck.PlanCheck{
						plancheck.ExpectResourceAction(kim, plancheck.ResourceActionDestroyBeforeCreate),
						plancheck.ExpectUnknownValue(kim, attribute("code")),
						plancheck.ExpectUnknownValue(kim, attribute("expires_at")),
						plancheck.ExpectKnownValue(kim, attribute("role_id"), knownvalue.StringExact(p.Role("viewer"))),
					},
					PostApplyPostRefresh: emptyPlan.PostApplyPostRefresh,
				},
				ConfigStateChecks: []statecheck.StateCheck{id.AddStateValue(), code.AddStateValue(), expires.AddStateValue()},
				Check: func(*terraform.State) error {
					if invites := p.Invites(); len(invites) != 1 || invites[0].UID == first {
						return fmt.Errorf("the first invite was not revoked: %d invites", len(invites))
					}
					return nil
				},
			},
		},
	})
}

func TestInviteCodeResource_names_UIDPsNeedNoListing(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		CheckDestroy:             checkAllRevoked(p),
		Steps: []resource.TestStep{{
			Config:           kimWith(fmt.Sprintf("group = %q\nrole = %q\nsingle_use = true", p.Group("acme.example/platform"), p.Role("viewer"))),
			ConfigPlanChecks: emptyPlan,
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(kim, attribute("ttl"), knownvalue.StringExact("168h")),
				statecheck.ExpectKnownValue(kim, attribute("email"), knownvalue.Null()),
				statecheck.ExpectKnownValue(kim, attribute("single_use"), knownvalue.Bool(true)),
				statecheck.ExpectKnownValue(kim, attribute("role_name"), knownvalue.StringExact("viewer")),
			},
			Check: func(*terraform.State) error {
				if p.Count("CreateGroupInvite") != 1 || p.Count("ListGroups")+p.Count("ListRoles") != 0 {
					return fmt.Errorf("calls: %v", p.Counts())
				}
				return nil
			},
		}},
	})
}

func TestInviteCodeResource_update_replaces(t *testing.T) {
	t.Parallel()
	base := map[string]string{
		"group": `"acme.example"`, "role": `"viewer"`, "email": `"kim@example.com"`, "single_use": "false",
		"rotation_triggers": `{ quarter = "1" }`,
	}
	for name, changed := range map[string]string{
		"group":             `"acme.example/platform"`,
		"role":              `"editor"`,
		"email":             `"lee@example.com"`,
		"single_use":        "true",
		"rotation_triggers": `{ quarter = "2" }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := acctest.New(t)
			id := newCompare("id", compare.ValuesDiffer())
			config := func(value string) string {
				text := ""
				for attribute, v := range base {
					if attribute == name {
						v = value
					}
					text += attribute + " = " + v + "\n"
				}
				return kimWith(text)
			}
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: p.Factories(),
				CheckDestroy:             checkAllRevoked(p),
				Steps: []resource.TestStep{
					{Config: config(base[name]), ConfigPlanChecks: emptyPlan, ConfigStateChecks: []statecheck.StateCheck{id.AddStateValue()}},
					{
						Config: config(changed),
						ConfigPlanChecks: resource.ConfigPlanChecks{
							PreApply:             []plancheck.PlanCheck{plancheck.ExpectResourceAction(kim, plancheck.ResourceActionReplace)},
							PostApplyPostRefresh: emptyPlan.PostApplyPostRefresh,
						},
						ConfigStateChecks: []statecheck.StateCheck{id.AddStateValue()},
					},
				},
			})
		})
	}
}

func TestInviteCodeResource_validate(t *testing.T) {
	t.Parallel()
	good := map[string]string{"group": `"acme.example"`, "role": `"viewer"`}
	for name, test := range map[string]struct {
		attributes map[string]string
		want       string
	}{
		"ttl of zero":                {map[string]string{"ttl": `"0s"`}, `too short`},
		"ttl below a second":         {map[string]string{"ttl": `"999ms"`}, `too short`},
		"negative ttl":               {map[string]string{"ttl": `"-5d"`}, `is negative`},
		"ttl that is not a duration": {map[string]string{"ttl": `"next week"`}, `is not a lifetime`},
		"ttl without unit":           {map[string]string{"ttl": `"5"`}, `lacks a unit`},
		"ttl without end":            {map[string]string{"ttl": `"400000000h"`}, `too long`},
		"empty ttl":                  {map[string]string{"ttl": `""`}, `must not be empty`},
		"address with a name":        {map[string]string{"email": `"Kim <kim@example.com>"`}, `Invalid Email Address`},
		"two addresses":              {map[string]string{"email": `"kim@example.com,lee@example.com"`}, `Invalid Email Address`},
		"no address":                 {map[string]string{"email": `""`}, `Omit\s+the\s+attribute`},
		"group in capitals":          {map[string]string{"group": `"ACME"`}, `Invalid Group`},
		"empty group":                {map[string]string{"group": `""`}, `Invalid Group`},
		"path with an empty name":    {map[string]string{"group": `"acme.example//platform"`}, `Invalid Group`},
		"role with a slash":          {map[string]string{"role": `"acme.example/viewer"`}, `Invalid Role`},
		"no role":                    {map[string]string{"role": "null"}, `Missing Role`},
		"cluster set to false":       {map[string]string{"role": "null", "cluster": "false"}, `Missing Role`},
		"role and cluster":           {map[string]string{"cluster": "true"}, `Invalid Attribute Combination`},
		"unknown recreate":           {map[string]string{"recreate": `"sometimes"`}, `"sometimes"\s+must\s+be\s+.auto.,\s+.always.\s+or\s+.never.`},
		"long recreate":              {map[string]string{"recreate": strconv.Quote(strings.Repeat("s", 101))}, `s{100}"\s+\(shortened\)`},
		"renewed before it begins":   {map[string]string{"ttl": `"1d"`, "renew_before": `"24h"`}, `Invalid Attribute Combination`},
		"renewed before a default":   {map[string]string{"renew_before": `"8d"`}, `Invalid Attribute Combination`},
		"renew_before of zero":       {map[string]string{"renew_before": `"0s"`}, `too short`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := acctest.New(t)
			text := ""
			for attribute, value := range good {
				if _, ok := test.attributes[attribute]; !ok {
					text += attribute + " = " + value + "\n"
				}
			}
			for attribute, value := range test.attributes {
				text += attribute + " = " + value + "\n"
			}
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: p.Factories(),
				Steps:                    []resource.TestStep{{Config: kimWith(text), PlanOnly: true, ExpectError: regexp.MustCompile(test.want)}},
			})
			if err := p.CheckCalls(nil); err != nil {
				t.Errorf("validation is not offline: %v", err)
			}
		})
	}
}

// The state of version 0.0.1 has a key_id, which Terraform drops without an upgrade.
func TestInviteCodeResource_state_withKeyIDIsRead(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	w := workspace(t, p, kimWith(acmeViewer))
	w.Run("apply", "-auto-approve")
	const stateFile = "terraform.tfstate"
	state, err := os.ReadFile(w.Path(stateFile))
	if err != nil {
		t.Fatal(err)
	}
	old := strings.Replace(string(state), `"recreate":`, `"key_id": "the key", "recreate":`, 1)
	if old == string(state) {
		t.Fatal("the state has no recreate")
	}
	w.Write(stateFile, old)
	if out := w.Run("apply", "-auto-approve"); !strings.Contains(out, "No changes.") {
		t.Errorf("an old state changes the plan:\n%s", out)
	}
}
