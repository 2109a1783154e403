package provider_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// A plan applies the configured renew_before, not the previously applied one, to the result of its refresh.
func TestInviteCodeResource_renewBefore_actsInThePlanThatChangesIt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before, after string
		action        plancheck.ResourceActionType
		status        string
	}{
		"removed":                {`renew_before = "5d"`, ``, plancheck.ResourceActionUpdate, "active"},
		"narrowed":               {`renew_before = "5d"`, `renew_before = "1d"`, plancheck.ResourceActionUpdate, "active"},
		"widened":                {`renew_before = "1d"`, `renew_before = "5d"`, plancheck.ResourceActionReplace, "active"},
		"added":                  {``, `renew_before = "5d"`, plancheck.ResourceActionReplace, "active"},
		"added, never recreated": {`recreate = "never"`, "recreate = \"never\"\nrenew_before = \"5d\"", plancheck.ResourceActionUpdate, "expiring"},
		"no longer recreated":    {"recreate = \"never\"\nrenew_before = \"5d\"", `renew_before = "5d"`, plancheck.ResourceActionReplace, "active"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := acctest.New(t)
			config := func(more string) string { return kimWith(acmeViewer + "ttl = \"10d\"\n" + more) }
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: p.Factories(),
				CheckDestroy:             checkAllRevoked(p),
				Steps: []resource.TestStep{
					{Config: config(test.before), ConfigPlanChecks: emptyPlan},
					{
						PreConfig: func() { p.Clock.Advance(6 * day) },
						Config:    config(test.after),
						ConfigPlanChecks: resource.ConfigPlanChecks{
							PreApply: []plancheck.PlanCheck{
								plancheck.ExpectResourceAction(kim, test.action),
								// Advance the clock before the apply, past the time of the plan's decision.
								between(func() { p.Clock.Advance(time.Hour) }),
							},
							PostApplyPostRefresh: emptyPlan.PostApplyPostRefresh,
						},
						ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectKnownValue(kim, attribute("status"), knownvalue.StringExact(test.status))},
					},
				},
			})
		})
	}
}

func TestInviteCodeResource_renewBefore_actsOnAnImport(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	id := p.AddInvite(emulator.Invite{
		Group: p.Group("acme.example"), RoleUID: p.Role("viewer"), TTL: 5 * day, Created: acctest.Start.Add(-4 * day),
	}).UID
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		CheckDestroy:             checkAllRevoked(p),
		Steps: []resource.TestStep{{
			Config: kimWith(acmeViewer+"ttl = \"5d\"\nrenew_before = \"2d\"") + fmt.Sprintf("import {\nto = %s\nid = %q\n}\n", kim, id),
			ConfigPlanChecks: resource.ConfigPlanChecks{
				PreApply:             []plancheck.PlanCheck{plancheck.ExpectResourceAction(kim, plancheck.ResourceActionReplace)},
				PostApplyPostRefresh: emptyPlan.PostApplyPostRefresh,
			},
		}},
	})
}

func TestInviteCodeResource_rotationTriggers_nullAndEmptyAreTheSame(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	id := newCompare("id", compare.ValuesSame())
	step := func(triggers string, actions ...plancheck.ResourceActionType) resource.TestStep {
		s := resource.TestStep{
			Config:            kimWith(acmeViewer + triggers),
			ConfigPlanChecks:  emptyPlan,
			ConfigStateChecks: []statecheck.StateCheck{id.AddStateValue()},
		}
		for _, action := range actions {
			s.ConfigPlanChecks.PreApply = append(s.ConfigPlanChecks.PreApply, plancheck.ExpectResourceAction(kim, action))
		}
		return s
	}
	rotated := step(`rotation_triggers = { a = "2" }`, plancheck.ResourceActionReplace)
	rotated.ConfigStateChecks = nil
	again := newCompare("id", compare.ValuesSame())
	same := step(`rotation_triggers = { a = "2", b = null }`, plancheck.ResourceActionNoop)
	same.ConfigStateChecks = []statecheck.StateCheck{again.AddStateValue()}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		CheckDestroy:             checkAllRevoked(p),
		Steps: []resource.TestStep{
			step(""),
			step("rotation_triggers = {}"),
			step("rotation_triggers = { b = null }"),
			step("rotation_triggers = null"),
			step("rotation_triggers = { b = null }"),
			rotated,
			same,
		},
	})
}

// Three invites were accepted. Another ttl for a new invitee only applies to new codes.
func TestInviteCodeResource_consumed_isNotCreatedAgainForTheNextCode(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	config := func(people, ttl, more string) string {
		return fmt.Sprintf(`resource "chainguard_invite_code" "person" {
			count = length([%[1]s])
			group = "acme.example"
			role  = "viewer"
			email = "${[%[1]s][count.index]}@example.com"
			ttl   = %[2]q
			%[3]s
		}
		`, people, ttl, more)
	}
	const three, four = `"ada", "kim", "lin"`, `"ada", "kim", "lin", "new"`
	action := func(who int, action plancheck.ResourceActionType) plancheck.PlanCheck {
		return plancheck.ExpectResourceAction(fmt.Sprintf("chainguard_invite_code.person[%d]", who), action)
	}
	consumed := func(who int) statecheck.StateCheck {
		return statecheck.ExpectKnownValue(fmt.Sprintf("chainguard_invite_code.person[%d]", who), attribute("status"), knownvalue.StringExact("consumed"))
	}
	inPlace := func(config string) resource.TestStep {
		return resource.TestStep{
			Config: config,
			ConfigPlanChecks: resource.ConfigPlanChecks{
				PreApply: []plancheck.PlanCheck{
					action(0, plancheck.ResourceActionUpdate), action(1, plancheck.ResourceActionUpdate), action(2, plancheck.ResourceActionUpdate),
				},
				PostApplyPostRefresh: emptyPlan.PostApplyPostRefresh,
			},
			ConfigStateChecks: []statecheck.StateCheck{consumed(0), consumed(1), consumed(2)},
		}
	}
	newcomer := inPlace(config(four, "7d", "single_use = true"))
	newcomer.PreConfig = func() {
		for _, invite := range p.Invites() {
			if err := p.AcceptAs(invite.Code, invite.Email); err != nil {
				t.Error(err)
			}
		}
	}
	newcomer.ConfigPlanChecks.PreApply = append(newcomer.ConfigPlanChecks.PreApply, action(3, plancheck.ResourceActionCreate))
	granted := inPlace(strings.Replace(config(four, "7d", ""), "viewer", "editor", 1))
	granted.ConfigStateChecks = nil
	granted.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{action(0, plancheck.ResourceActionReplace)}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		CheckDestroy:             checkAllRevoked(p),
		Steps: []resource.TestStep{
			{Config: config(three, "5d", "single_use = true"), ConfigPlanChecks: emptyPlan},
			newcomer,
			inPlace(config(three, "7d", "single_use = true\nrotation_triggers = { quarter = 2 }")),
			inPlace(config(three, "7d", "")), // They are no longer single-use, which does not make them revoked.
			granted,
		},
	})
}

func TestInviteCodeResource_consumed_isCreatedAgainOnDemand(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	w := workspace(t, p, kimWith(acmeViewer+"single_use = true"))
	w.Run("apply", "-auto-approve")
	if err := p.Accept(p.Invites()[0].Code); err != nil {
		t.Fatal(err)
	}
	if out := w.Run("apply", "-auto-approve"); !strings.Contains(out, "0 added, 0 changed, 0 destroyed") {
		t.Errorf("an accepted code is created again:\n%s", out)
	}
	if out := w.Run("apply", "-auto-approve", "-replace="+kim); !strings.Contains(out, "1 added, 0 changed, 1 destroyed") {
		t.Errorf("-replace does not create a code:\n%s", out)
	}
}

// A single-use invite that is gone and had expired may have been accepted or deleted.
func TestInviteCodeResource_consumed_warnsOnceIfItMayHaveExpired(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	w := workspace(t, p, kimWith(acmeViewer+"single_use = true\nttl = \"1d\""))
	w.Run("apply", "-auto-approve")
	p.Clock.Advance(2 * day)
	p.DeleteInvite(p.Invites()[0].UID)
	const warning = "Warning: Ambiguous Invite Code Status"
	if out := w.Run("apply", "-auto-approve"); strings.Count(out, warning) != 1 || !strings.Contains(out, "0 added") {
		t.Errorf("want one warning and no new code:\n%s", out)
	}
	if out := w.Run("apply", "-auto-approve"); strings.Contains(out, warning) {
		t.Errorf("it warns again:\n%s", out)
	}
}

// A default group of the machine decides where new invites go, and never moves an existing one.
func TestInviteCodeResource_defaultGroup_staysWhereItIs(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	folder := p.Group("acme.example/platform")
	w := workspace(t, p, kimWith("role = \"viewer\"\nttl = \"5d\""))
	setDefault := func(group string) { p.Setenv("CHAINGUARD_DEFAULT_GROUP", group) }

	setDefault("acme.example")
	w.Run("apply", "-auto-approve")
	id := p.Invites()[0].UID
	for _, group := range []string{"acme.example/platform", folder, "no-such-group", ""} {
		setDefault(group)
		if out := w.Run("apply", "-auto-approve"); !strings.Contains(out, "No changes.") {
			t.Errorf("with the default group %q, an existing invite is changed:\n%s", group, out)
		}
	}

	// A replacement does not move it either.
	p.Clock.Advance(6 * day)
	for _, group := range []string{"acme.example/platform", folder, ""} {
		setDefault(group)
		out, err := w.Try("plan")
		if err == nil || !strings.Contains(out, "Error: Missing Group") {
			t.Errorf("with the default group %q, a replacement is in another group:\n%s", group, out)
		}
	}
	for _, group := range []string{"acme.example", p.Group("acme.example")} {
		setDefault(group)
		if out := w.Run("plan"); !strings.Contains(out, "1 to add, 0 to change, 1 to destroy") {
			t.Errorf("with the default group %q, the expired invite is not replaced:\n%s", group, out)
		}
	}
	w.Run("apply", "-auto-approve")
	if invites := p.Invites(); len(invites) != 1 || invites[0].UID == id || invites[0].Group != p.Group("acme.example") {
		t.Error("the invite was not replaced in its group")
	}

	setDefault("")
	w.Run("destroy", "-auto-approve")
	if n := len(p.Invites()); n != 0 {
		t.Errorf("%d invites are left", n)
	}
}

// NotFound right after a create does not discard a code that may already be in use.
func TestInviteCodeResource_read_retriesNotFoundOfANewInvite(t *testing.T) {
	t.Parallel()
	for age, action := range map[time.Duration]plancheck.ResourceActionType{
		time.Second: plancheck.ResourceActionNoop,
		time.Hour:   plancheck.ResourceActionReplace,
	} {
		t.Run(age.String(), func(t *testing.T) {
			t.Parallel()
			p := acctest.New(t)
			config := kimWith(acmeViewer)
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: p.Factories(),
				CheckDestroy:             checkAllRevoked(p),
				Steps: []resource.TestStep{
					{Config: config},
					{
						PreConfig: func() {
							p.Clock.Advance(age)
							p.Inject(emulator.Fault{Method: "GetGroupInvite", Code: codes.NotFound, Times: 2})
						},
						Config:           config,
						ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(kim, action)}},
					},
				},
			})
		})
	}
}

func TestInviteCodeResource_plan_failsOnInvalidUIDPs(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	acme, viewer := p.Group("acme.example"), p.Role("viewer")
	rival := p.AddGroup("", "rival.example", acctest.Start)
	theirs := p.AddRole(rival, "invite-wizard")
	below := p.AddRole(p.Group("acme.example/platform"), "greeter")
	for name, test := range map[string]struct{ group, role, want string }{
		"a group that does not exist":         {acme + "/0123456789abcdef", viewer, `Group Not Found`},
		"a role that does not exist":          {acme, acme + "/0123456789abcdef", `Role Not Found`},
		"a built-in role that does not exist": {acme, "0123456789abcdef0123456789abcdef01234567", `Role Not Found`},
		"a role of another organization":      {"acme.example", theirs, `Role Not Found[\s\S]*"acme.example"`},
		"a role of a group below":             {acme, below, `Role Not Found`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: p.Factories(),
				Steps: []resource.TestStep{{
					Config:      kimWith(fmt.Sprintf("group = %q\nrole = %q", test.group, test.role)),
					PlanOnly:    true,
					ExpectError: regexp.MustCompile(test.want),
				}},
			})
		})
	}
}

// The status depends on the platform's time, not on the local clock.
func TestInviteCodeResource_status_usesThePlatformsClock(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		passed time.Duration // by the local clock, which says the opposite
		ahead  time.Duration // of the platform's clock
		status string
	}{
		"the platform's clock is ahead":  {0, 3 * time.Hour, "expired"},
		"the platform's clock is behind": {2 * time.Hour, -3 * time.Hour, "active"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			theirs := newSkewedClock()
			p := acctest.New(t, theirs.set)
			id := p.AddInvite(emulator.Invite{Group: p.Group("acme.example"), RoleUID: p.Role("viewer"), Created: acctest.Start.Add(-4 * time.Hour), TTL: 5 * time.Hour}).UID
			w := workspace(t, p, fmt.Sprintf("import {\nto = %s\nid = %q\n}\n", kim, id)+kimWith(acmeViewer+"ttl = \"5h\"\nrecreate = \"never\"")+
				"output \"status\" {\nvalue = "+kim+".status\n}\n")
			theirs.skew(p, test.ahead)
			p.Clock.Advance(test.passed)
			w.Run("apply", "-auto-approve")
			var status string
			if w.Output("status", &status); status != test.status {
				t.Errorf("status %s, want %s", status, test.status)
			}
		})
	}
}
