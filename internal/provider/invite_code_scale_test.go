package provider_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// These tests count calls, which a slow network multiplies. `make bench` measures time.

func TestInviteCodeResource_scale_planLooksUpNamesOnce(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("scale")
	}
	w, e := acctest.NewProgramWorkspace(t)
	w.Configure(people(1000, `"acme.example"`))

	planned := costOf(t, w, e, "plan")
	if !maps.Equal(planned.calls, map[string]int{"ListGroups": 1, "ListRoles": 1}) {
		t.Errorf("the platform was called %v, want one lookup of the group and one of the role", planned.calls)
	}
}

func TestInviteCodeResource_scale_applyAndDestroy(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("scale")
	}
	const many = 250 // Terraform itself needs half a minute to destroy a thousand resources.
	w, e := acctest.NewProgramWorkspace(t)
	w.Configure(people(many, `"acme.example"`))

	w.Run("plan", "-out=tfplan")
	applied := costOf(t, w, e, "apply", "-parallelism=50", "tfplan")
	lookups := applied.calls["ListGroups"] + applied.calls["ListRoles"]
	if applied.calls["CreateGroupInvite"] != many || applied.calls["ListGroupInvites"] != 1 || applied.total() != many+lookups+1 {
		t.Errorf("the apply called the platform %v, want one CreateGroupInvite for each, one listing of what the group has, and "+
			"lookups of names", applied.calls)
	}
	if applied.calls["ListGroups"] > 1 || applied.calls["ListRoles"] > 1 {
		t.Errorf("the apply called the platform %v, want no name looked up twice", applied.calls)
	}
	if applied.connections != 1 {
		t.Errorf("the apply made %d connections, want 1", applied.connections)
	}

	w.Run("plan", "-destroy", "-refresh=false", "-out=tfplan")
	destroyed := costOf(t, w, e, "apply", "-parallelism=50", "tfplan")
	if !maps.Equal(destroyed.calls, map[string]int{"DeleteGroupInvite": many}) {
		t.Errorf("the destroy called the platform %v, want one DeleteGroupInvite for each", destroyed.calls)
	}
	if destroyed.connections != 1 {
		t.Errorf("the destroy made %d connections, want 1", destroyed.connections)
	}
	if left := len(e.Invites()); left != 0 {
		t.Errorf("%d invites are left on the platform", left)
	}
}

func TestInviteCodeResource_scale_refreshIsBatched(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("scale")
	}
	for name, test := range map[string]struct{ groups, most int }{
		"a thousand invites of one group":  {1, 8},
		"a thousand invites of ten groups": {10, 25},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, e := acctest.NewProgramWorkspace(t)
			for i := range test.groups {
				e.AddGroup(e.Group("acme.example"), fmt.Sprintf("team-%d", i), time.Now().AddDate(-1, 0, 0))
			}
			group := fmt.Sprintf(`"team-${count.index %% %d}"`, test.groups)
			w.Configure(people(test.groups, group))
			w.Run("apply", "-auto-approve")
			multiply(t, w, e, 1000)
			w.Configure(people(1000, group))

			refreshed := costOf(t, w, e, "plan", "-detailed-exitcode", "-parallelism=50")
			if refreshed.total() > test.most {
				t.Errorf("the platform was called %v, want at most %d calls", refreshed.calls, test.most)
			}
			if refreshed.connections != 1 {
				t.Errorf("%d connections were made, want 1", refreshed.connections)
			}
		})
	}
}

func TestInviteCodeResource_scale_oneInviteIsOneGet(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("scale")
	}
	for name, others := range map[string]int{"alone in its group": 0, "among 20,000 others": 20_000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, e := acctest.NewProgramWorkspace(t)
			for range others {
				e.AddInvite(emulator.Invite{Group: e.Group("acme.example"), RoleUID: e.Role("viewer")})
			}
			w.Configure(people(1, `"acme.example"`))
			w.Run("apply", "-auto-approve")

			refreshed := costOf(t, w, e, "plan", "-detailed-exitcode")
			if !maps.Equal(refreshed.calls, map[string]int{"GetGroupInvite": 1}) {
				t.Errorf("the platform was called %v, want one GetGroupInvite", refreshed.calls)
			}
		})
	}
}

// people returns a configuration of invites that refer to the role by name, and to the group by an expression.
func people(count int, group string) string {
	return fmt.Sprintf(`
resource "chainguard_invite_code" "people" {
  count = %d
  group = %s
  role  = "viewer"
  email = "person-${count.index}@example.com"
}
`, count, group)
}

// cost has the calls and connections of a command to the platform.
type cost struct {
	calls       map[string]int
	connections int
}

func (c cost) total() int {
	total := 0
	for n := range maps.Values(c.calls) {
		total += n
	}
	return total
}

// costOf runs a command and returns its cost.
func costOf(t *testing.T, w *acctest.Workspace, e *emulator.Emulator, args ...string) cost {
	t.Helper()
	e.ResetRequests()
	connections := e.Connections()
	w.Run(args...)
	return cost{calls: e.Counts(), connections: e.Connections() - connections}
}

// multiply increases the number of people in the state, each with an invite on the platform that is a copy of an
// existing one. Applying as many would take Terraform much longer.
func multiply(t *testing.T, w *acctest.Workspace, e *emulator.Emulator, count int) {
	t.Helper()
	path := w.Path("terraform.tfstate")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var state struct {
		Version          int            `json:"version"`
		TerraformVersion string         `json:"terraform_version"`
		Serial           int            `json:"serial"`
		Lineage          string         `json:"lineage"`
		Outputs          map[string]any `json:"outputs"`
		Resources        []struct {
			Mode      string           `json:"mode"`
			Type      string           `json:"type"`
			Name      string           `json:"name"`
			Provider  string           `json:"provider"`
			Instances []map[string]any `json:"instances"`
		} `json:"resources"`
	}
	if err := json.Unmarshal(text, &state); err != nil {
		t.Fatal(err)
	}
	byID := map[any]emulator.Invite{}
	for _, invite := range e.Invites() {
		byID[invite.UID] = invite
	}
	resource := &state.Resources[0]
	models := resource.Instances // in the order of their indices
	for i := len(models); i < count; i++ {
		instance := maps.Clone(models[i%len(models)])
		attributes := maps.Clone(instance["attributes"].(map[string]any))
		invite := byID[attributes["id"]]
		invite.UID, invite.Code, invite.Email = "", "", fmt.Sprintf("person-%d@example.com", i)
		invite = e.AddInvite(invite)
		attributes["id"], attributes["code"], attributes["email"] = invite.UID, invite.Code, invite.Email
		instance["index_key"], instance["attributes"] = i, attributes
		if instance["identity"] != nil {
			instance["identity"] = map[string]any{"id": invite.UID}
		}
		resource.Instances = append(resource.Instances, instance)
	}
	state.Serial++
	if text, err = json.Marshal(state); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
