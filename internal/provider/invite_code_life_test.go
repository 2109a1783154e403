package provider_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// TestInviteCodeResource_outcomes is the table of what happens to an invite, by recreate and single_use. It accepts and
// deletes invites, and advances the time by three days.
func TestInviteCodeResource_outcomes(t *testing.T) {
	t.Parallel()
	type cell struct {
		fate      string
		recreate  string
		singleUse bool
		status    string
		replaced  bool
	}
	var cells []cell
	for _, single := range []bool{false, true} {
		for fate, replacedBy := range map[string]map[string]bool{
			"active":   {},
			"expiring": {"auto": true, "always": true},
			"expired":  {"auto": true, "always": true},
			"accepted": {"always": single}, // One that is not single-use stays.
			"deleted":  {"auto": !single, "always": true},
		} {
			for _, recreate := range []string{"auto", "always", "never"} {
				c := cell{fate: fate, recreate: recreate, singleUse: single, status: fate, replaced: replacedBy[recreate]}
				switch {
				case fate == "accepted" && !single:
					c.status = "active"
				case fate == "accepted", fate == "deleted" && single: // These two look the same.
					c.status = "consumed"
				case fate == "deleted":
					c.status = "revoked"
				}
				cells = append(cells, c)
			}
		}
	}
	if len(cells) != 30 {
		t.Fatalf("the table has %d cells, want 30", len(cells))
	}

	name := func(c cell) string { return fmt.Sprintf("%s-%s-%t", c.fate, c.recreate, c.singleUse) }
	address := func(c cell) string { return "chainguard_invite_code." + name(c) }
	var config strings.Builder
	for _, c := range cells {
		lifetime := map[string]string{"expiring": "ttl = \"5d\"\nrenew_before = \"3d\"", "expired": `ttl = "1d"`}[c.fate]
		if lifetime == "" {
			lifetime = `ttl = "30d"`
		}
		fmt.Fprintf(&config, "resource \"chainguard_invite_code\" %q {\ngroup = \"acme.example\"\nrole = \"viewer\"\nemail = \"%s@example.com\"\n"+
			"single_use = %t\nrecreate = %q\n%s\n}\n", name(c), name(c), c.singleUse, c.recreate, lifetime)
	}

	p := acctest.New(t)
	var actions []plancheck.PlanCheck
	var statuses, first []statecheck.StateCheck
	for _, c := range cells {
		action, status := plancheck.ResourceActionNoop, c.status
		if c.replaced {
			action = plancheck.ResourceActionReplace
			status = "active"
		}
		actions = append(actions, plancheck.ExpectResourceAction(address(c), action))
		statuses = append(statuses, statecheck.ExpectKnownValue(address(c), attribute("status"), knownvalue.StringExact(status)))
		first = append(first, statecheck.ExpectKnownValue(address(c), attribute("status"), knownvalue.StringExact("active")))
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		// All of them can be destroyed.
		CheckDestroy: checkAllRevoked(p),
		Steps: []resource.TestStep{
			{Config: config.String(), ConfigPlanChecks: emptyPlan, ConfigStateChecks: first},
			{
				PreConfig: func() {
					for _, invite := range p.Invites() {
						switch fate, _, _ := strings.Cut(invite.Email, "-"); fate {
						case "accepted":
							if err := p.AcceptAs(invite.Code, invite.Email); err != nil {
								t.Error(err)
							}
						case "deleted":
							p.DeleteInvite(invite.UID)
						}
					}
					p.Clock.Advance(3 * day)
				},
				Config: config.String(),
				ConfigPlanChecks: resource.ConfigPlanChecks{
					PreApply:             actions,
					PostApplyPostRefresh: emptyPlan.PostApplyPostRefresh,
				},
				ConfigStateChecks: statuses,
			},
		},
	})
}

// between is a plan check that runs a function between the plan and its apply.
type between func()

func (b between) CheckPlan(context.Context, plancheck.CheckPlanRequest, *plancheck.CheckPlanResponse) {
	b()
}

func TestInviteCodeResource_savedPlan_isAppliedAfterTheExpiration(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	config := func(more string) string {
		return kimWith(acmeViewer + "ttl = \"1h\"\n" + more)
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		CheckDestroy:             checkAllRevoked(p),
		Steps: []resource.TestStep{
			{Config: config("")},
			{
				Config: config(`renew_before = "10m"`),
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
					plancheck.ExpectResourceAction(kim, plancheck.ResourceActionUpdate),
					between(func() { p.Clock.Advance(2 * time.Hour) }),
				}},
				ExpectNonEmptyPlan: true, // It has expired, and the next run replaces it.
			},
		},
	})
}

func TestInviteCodeResource_update_makesNoCall(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	id := newCompare("id", compare.ValuesSame())
	config := func(more string) string {
		return kimWith(acmeViewer + "single_use = true\n" + more)
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		CheckDestroy:             checkAllRevoked(p),
		Steps: []resource.TestStep{
			{Config: config(""), ConfigStateChecks: []statecheck.StateCheck{id.AddStateValue()}},
			{
				PreConfig: func() {
					if err := p.Accept(p.Invites()[0].Code); err != nil {
						t.Error(err)
					}
				},
				Config: config("recreate = \"never\"\nrenew_before = \"1d\"\ntimeouts {\ncreate = \"1m\"\n}"),
				ConfigPlanChecks: resource.ConfigPlanChecks{
					PreApply: []plancheck.PlanCheck{
						plancheck.ExpectResourceAction(kim, plancheck.ResourceActionUpdate),
						between(p.ResetRequests),
					},
					PostApplyPostRefresh: emptyPlan.PostApplyPostRefresh,
				},
				ConfigStateChecks: []statecheck.StateCheck{
					id.AddStateValue(),
					statecheck.ExpectKnownValue(kim, attribute("status"), knownvalue.StringExact("consumed")),
					statecheck.ExpectKnownValue(kim, attribute("code"), knownvalue.NotNull()),
				},
				Check: func(*terraform.State) error {
					if p.Count("CreateGroupInvite")+p.Count("DeleteGroupInvite") > 0 {
						return fmt.Errorf("an in-place update called the platform: %v", p.Counts())
					}
					return nil
				},
			},
		},
	})
}

func TestInviteCodeResource_createBeforeDestroy(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	config := kimWith(`
		group        = "acme.example"
		role         = "viewer"
		ttl          = "10d"
		renew_before = "2d"
		lifecycle {
			create_before_destroy = true
		}
	`) + `
	resource "terraform_data" "mail" {
		lifecycle {
			replace_triggered_by = [chainguard_invite_code.kim]
		}
	}`
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		CheckDestroy:             checkAllRevoked(p),
		Steps: []resource.TestStep{
			{Config: config, ConfigPlanChecks: emptyPlan},
			{
				PreConfig: func() { p.Clock.Advance(9 * day); p.ResetRequests() },
				Config:    config,
				ConfigPlanChecks: resource.ConfigPlanChecks{
					PreApply: []plancheck.PlanCheck{
						plancheck.ExpectResourceAction(kim, plancheck.ResourceActionCreateBeforeDestroy),
						plancheck.ExpectResourceAction("terraform_data.mail", plancheck.ResourceActionReplace),
					},
					PostApplyPostRefresh: emptyPlan.PostApplyPostRefresh,
				},
				Check: func(*terraform.State) error {
					var order []string
					for _, request := range p.Requests() {
						if request.Method == "CreateGroupInvite" || request.Method == "DeleteGroupInvite" {
							order = append(order, request.Method)
						}
					}
					if got := strings.Join(order, " "); got != "CreateGroupInvite DeleteGroupInvite" {
						return fmt.Errorf("calls: %s", got)
					}
					return nil
				},
			},
		},
	})
}

func TestInviteCodeResource_drift_isReplaced(t *testing.T) {
	t.Parallel()
	for name, drift := range map[string]func(invite *emulator.Invite, owner string){
		"email":      func(i *emulator.Invite, _ string) { i.Email = "mallory@example.com" },
		"role":       func(i *emulator.Invite, owner string) { i.RoleUID = owner },
		"single use": func(i *emulator.Invite, _ string) { i.SingleUse = true },
		"expiry":     func(i *emulator.Invite, _ string) { i.Expires = i.Expires.Add(30 * day) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := acctest.New(t)
			id := newCompare("id", compare.ValuesDiffer())
			config := kimWith(acmeViewer + "email = \"kim@example.com\"\nttl = \"5d\"")
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: p.Factories(),
				CheckDestroy:             checkAllRevoked(p),
				Steps: []resource.TestStep{
					{Config: config, ConfigStateChecks: []statecheck.StateCheck{id.AddStateValue()}},
					{
						PreConfig: func() {
							owner := p.Role("owner")
							p.SetInvite(p.Invites()[0].UID, func(i *emulator.Invite) { drift(i, owner) })
						},
						Config: config,
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

func TestInviteCodeResource_drift_ignoresSpelling(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	custom := p.AddRole(p.Group("acme.example"), "greeter")
	config := kimWith("group = \"acme.example\"\nrole = \"greeter\"\nemail = \"Kim@Example.com\"")
	still := func(roleName knownvalue.Check) resource.TestStep {
		return resource.TestStep{
			Config: config,
			ConfigPlanChecks: resource.ConfigPlanChecks{
				PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(kim, plancheck.ResourceActionNoop)},
			},
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(kim, attribute("email"), knownvalue.StringExact("Kim@Example.com")),
				statecheck.ExpectKnownValue(kim, attribute("role_name"), roleName),
			},
		}
	}
	lowerCase := still(knownvalue.StringExact("greeter"))
	lowerCase.PreConfig = func() {
		p.SetInvite(p.Invites()[0].UID, func(i *emulator.Invite) { i.Email = "kim@example.com" })
	}
	renamed := still(knownvalue.StringExact("welcomer"))
	renamed.PreConfig = func() { p.RenameRole(custom, "welcomer") }
	deleted := still(knownvalue.Null())
	deleted.PreConfig = func() { p.DeleteRole(custom) }
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		CheckDestroy:             checkAllRevoked(p),
		Steps:                    []resource.TestStep{{Config: config, ConfigPlanChecks: emptyPlan}, lowerCase, renamed, deleted},
	})
}

func TestInviteCodeResource_read_deletedGroup(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	group := p.AddGroup(p.Group("acme.example"), "short-lived", acctest.Start)
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		CheckDestroy:             checkAllRevoked(p),
		Steps: []resource.TestStep{
			{Config: kimWith(fmt.Sprintf("group = %q\nrole = \"viewer\"\nrecreate = \"never\"", group))},
			{
				PreConfig:        func() { p.DeleteGroup(group) },
				Config:           kimWith(fmt.Sprintf("group = %q\nrole = \"viewer\"\nrecreate = \"never\"", group)),
				ConfigPlanChecks: emptyPlan,
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(kim, attribute("status"), knownvalue.StringExact("revoked")),
				},
			},
		},
	})
}

// If the platform grants a shorter lifetime than configured, applies must not keep creating new codes.
func TestInviteCodeResource_renewBefore_notShorterThanTheGrantedLifetime(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	p.Inject(emulator.Fault{Method: "CreateGroupInvite", Mutate: func(m proto.Message) {
		if answer, ok := m.(*iam.GroupInvite); ok {
			p.SetInvite(answer.GetUid(), func(i *emulator.Invite) {
				i.Expires = i.Created.Add(2 * day)
				answer.ExpirationTime = timestamppb.New(i.Expires)
			})
		}
	}})
	config := kimWith(acmeViewer + "ttl = \"30d\"\nrenew_before = \"3d\"")
	after := func(d time.Duration, action plancheck.ResourceActionType) resource.TestStep {
		return resource.TestStep{
			PreConfig: func() { p.Clock.Advance(d) },
			Config:    config,
			ConfigPlanChecks: resource.ConfigPlanChecks{
				PreApply:             []plancheck.PlanCheck{plancheck.ExpectResourceAction(kim, action)},
				PostApplyPostRefresh: emptyPlan.PostApplyPostRefresh,
			},
		}
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		CheckDestroy:             checkAllRevoked(p),
		Steps: []resource.TestStep{
			{Config: config, ConfigPlanChecks: emptyPlan},
			after(day, plancheck.ResourceActionNoop),
			after(day, plancheck.ResourceActionReplace), // It has expired.
		},
	})
}
