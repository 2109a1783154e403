package provider_test

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// This file has the configurations, fixtures and checks that several tests share.

const day = 24 * time.Hour

// inviteCode is the type of the resource, and of the ephemeral resource and the list resource.
const inviteCode = "chainguard_invite_code"

// kim is the address of the resource in [kimWith].
const kim = inviteCode + ".kim"

// kimWith returns a configuration of one invite code with these attributes.
func kimWith(attributes string) string {
	return fmt.Sprintf("resource \"chainguard_invite_code\" \"kim\" {\n%s\n}\n", attributes)
}

// acmeViewer has the minimum attributes of an invite code.
const acmeViewer = "group = \"acme.example\"\nrole = \"viewer\"\n"

// attribute returns the path of an attribute.
func attribute(name string) tfjsonpath.Path { return tfjsonpath.New(name) }

// workspace returns a workspace with this configuration and a provider for the platform.
func workspace(t *testing.T, p *acctest.Platform, configuration string) *acctest.Workspace {
	t.Helper()
	w := acctest.NewWorkspace(t, "", p.ServerOf())
	w.Configure(configuration)
	return w
}

// noOpenTofu is the minimum version of OpenTofu for tests of features that it does not have.
const noOpenTofu = "99.0.0"

// addInvites adds invites of several groups and roles, one of them expired. It returns their UIDPs by their names in
// the tests.
func addInvites(p *acctest.Platform) map[string]string {
	acme, folder := p.Group("acme.example"), p.Group("acme.example/platform")
	viewer, editor := p.Role("viewer"), p.Role("editor")
	ids := map[string]string{}
	for i, one := range []struct {
		name   string
		invite emulator.Invite
	}{
		{"kim", emulator.Invite{Group: acme, RoleUID: viewer, Email: "kim@example.com"}},
		{"anyone", emulator.Invite{Group: acme, RoleUID: viewer}},
		{"single", emulator.Invite{Group: acme, RoleUID: editor, Email: "lee@example.com", SingleUse: true}},
		{"folder", emulator.Invite{Group: folder, RoleUID: viewer, Email: "kim@example.com"}},
		{"expired", emulator.Invite{Group: acme, RoleUID: viewer, TTL: time.Hour}},
	} {
		one.invite.Created = acctest.Start.Add(-day + time.Duration(i)*time.Minute)
		ids[one.name] = p.AddInvite(one.invite).UID
	}
	return ids
}

// emptyPlan checks that an apply is followed by an empty plan.
var emptyPlan = resource.ConfigPlanChecks{
	PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
}

// checkAllRevoked is a CheckDestroy that fails if the platform still has an invite.
func checkAllRevoked(p *acctest.Platform) resource.TestCheckFunc {
	return func(*terraform.State) error {
		if invites := p.Invites(); len(invites) != 0 {
			return fmt.Errorf("%d invites are left on the platform", len(invites))
		}
		return nil
	}
}

// expectNoneAlive fails the test if a code is still valid after the run.
func expectNoneAlive(t *testing.T, e *emulator.Emulator, when string) {
	t.Helper()
	if live := e.Live(); len(live) != 0 {
		t.Errorf("%s, %d invites are still valid", when, len(live))
	}
}

// compareAcrossSteps compares an attribute of the invite code kim between steps.
type compareAcrossSteps struct {
	attribute string
	compare   interface {
		AddStateValue(string, tfjsonpath.Path) statecheck.StateCheck
	}
}

func newCompare(attribute string, comparer compare.ValueComparer) *compareAcrossSteps {
	return &compareAcrossSteps{attribute: attribute, compare: statecheck.CompareValue(comparer)}
}

func (c *compareAcrossSteps) AddStateValue() statecheck.StateCheck {
	return c.compare.AddStateValue(kim, attribute(c.attribute))
}

// recordCodes records all codes that the platform returns from now on, including those that are revoked later.
func recordCodes(e *emulator.Emulator) (recorded func() acctest.Canaries) {
	var mu sync.Mutex
	codes := acctest.Canaries{}
	e.Inject(emulator.Fault{Method: "CreateGroupInvite", Mutate: func(response proto.Message) {
		mu.Lock()
		defer mu.Unlock()
		if invite, ok := response.(*iam.GroupInvite); ok {
			codes[fmt.Sprintf("code %d", len(codes)+1)] = invite.GetCode()
		}
	}})
	return func() acctest.Canaries {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(codes)
	}
}

// secretsOn returns the secrets of a run: a token of the platform, and the codes and keys of all its invites.
func secretsOn(e *emulator.Emulator, token string) acctest.Canaries {
	canaries := acctest.Canaries{"token": token}
	for i, invite := range e.Invites() {
		canaries[fmt.Sprintf("code %d", i)] = invite.Code
		canaries[fmt.Sprintf("key id %d", i)] = invite.KeyID
	}
	return canaries
}

// notTheFirst returns a Match for every request except the first.
func notTheFirst() func(proto.Message) bool {
	asked := 0
	return func(proto.Message) bool {
		asked++
		return asked > 1
	}
}

// skewedClock is a platform's clock that differs from the provider's.
type skewedClock struct {
	mu   sync.Mutex
	ours func() time.Time
	by   time.Duration
}

func newSkewedClock() *skewedClock {
	return &skewedClock{ours: func() time.Time { return acctest.Start }}
}

// set is an option of [acctest.New].
func (c *skewedClock) set(o *emulator.Options) { o.Clock = c }

// skew sets the platform's clock ahead of the provider's.
func (c *skewedClock) skew(p *acctest.Platform, by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ours, c.by = p.Clock.Now, by
}

// Now implements [clock.Clock].
func (c *skewedClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ours().Add(c.by)
}

// Sleep implements [clock.Clock]. It returns at once.
func (c *skewedClock) Sleep(context.Context, time.Duration) error { return nil }

// expiresAbout checks an expiration. A create requests up to half a second less than its ttl, as its mark.
func expiresAbout(want string) knownvalue.Check {
	return knownvalue.StringFunc(func(got string) error { return checkExpiry(got, want) })
}

func checkExpiry(got, want string) error {
	at, err := time.Parse(time.RFC3339, got)
	if err != nil {
		return err
	}
	latest, err := time.Parse(time.RFC3339, want)
	if err != nil {
		return err
	}
	if early := latest.Sub(at); early < 0 || early >= 500*time.Millisecond {
		return fmt.Errorf("it expires at %s, want %s or up to half a second before", got, want)
	}
	return nil
}
