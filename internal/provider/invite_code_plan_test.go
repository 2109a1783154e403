package provider

import (
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/duration"
)

func TestInviteCodeModel_markedFor_isWhatTheUserChanged(t *testing.T) {
	t.Parallel()
	viewer := func() *inviteCodeModel {
		m := newInviteCodeModel()
		m.Group, m.Role, m.Status = types.StringValue("acme.example"), types.StringValue("viewer"), types.StringValue(statusActive)
		return &m
	}
	for name, test := range map[string]struct {
		change     func(plan *inviteCodeModel)
		attribute  string
		wantMarked string
	}{
		"another group":                      {func(m *inviteCodeModel) { m.Group = types.StringValue("other.example") }, "group_id", "group"},
		"another group of the same name":     {func(*inviteCodeModel) {}, "group_id", "group_id"},
		"another role":                       {func(m *inviteCodeModel) { m.Role = types.StringValue("editor") }, "role_id", "role"},
		"the role for clusters":              {func(m *inviteCodeModel) { m.Cluster = types.BoolValue(true) }, "role_id", "cluster"},
		"another role of the same name":      {func(*inviteCodeModel) {}, "role_id", "role_id"},
		"a status since the last refresh":    {func(*inviteCodeModel) {}, "status", "status"},
		"a status because of the new window": {func(m *inviteCodeModel) { m.Status = types.StringValue(statusExpiring) }, "status", "renew_before"},
		"any other attribute":                {func(*inviteCodeModel) {}, "ttl", "ttl"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := viewer()
			test.change(plan)
			if got := plan.markedFor(test.attribute, viewer()); got != test.wantMarked {
				t.Errorf("marked %s, want %s", got, test.wantMarked)
			}
		})
	}
}

// TestReplacedBy tests the whole policy: each status, by recreate, by changed attribute.
func TestReplacedBy(t *testing.T) {
	t.Parallel()
	grant := []string{"group_id", "role_id", "email"}
	next := []string{"ttl", "single_use", "rotation_triggers"}
	for _, status := range []string{"", statusActive, statusExpiring, statusExpired, statusConsumed, statusRevoked} {
		for _, recreate := range []string{recreateAuto, recreateAlways, recreateNever} {
			byStatus := map[string]map[string]bool{
				recreateAuto:   {statusExpiring: true, statusExpired: true, statusRevoked: true},
				recreateAlways: {statusExpiring: true, statusExpired: true, statusRevoked: true, statusConsumed: true},
			}[recreate][status]
			if got := len(replacedBy(status, recreate, nil)) > 0; got != byStatus {
				t.Errorf("%s, %s: replaced = %t, want %t", status, recreate, got, byStatus)
			}
			for _, attribute := range grant {
				if got := replacedBy(status, recreate, []string{attribute}); !slices.Contains(got, attribute) {
					t.Errorf("%s, %s, another %s: replaced by %v", status, recreate, attribute, got)
				}
			}
			for _, attribute := range next {
				want := status != statusConsumed || recreate == recreateAlways
				if got := len(replacedBy(status, recreate, []string{attribute})) > 0; got != want {
					t.Errorf("%s, %s, another %s: replaced = %t, want %t", status, recreate, attribute, got, want)
				}
			}
		}
	}
}

func TestInviteCodeModel_statusForThePlannedWindow(t *testing.T) {
	t.Parallel()
	created := answer().CreatedAt // The invite is valid for five days.
	days := func(n int) time.Time { return created.Add(time.Duration(n) * 24 * time.Hour) }
	for name, test := range map[string]struct {
		status string
		window duration.Value
		seen   time.Time
		want   string
	}{
		"no window":                                  {statusActive, duration.NewNull(), days(4), statusActive},
		"a window that was removed":                  {statusExpiring, duration.NewNull(), days(4), statusActive},
		"a window that was narrowed":                 {statusExpiring, duration.NewValue("12h"), days(4), statusActive},
		"a window that was widened":                  {statusActive, duration.NewValue("2d"), days(4), statusExpiring},
		"a window as long as the life of the invite": {statusActive, duration.NewValue("5d"), days(4), statusActive},
		"an unknown window":                          {statusExpiring, duration.Value{StringValue: types.StringUnknown()}, days(1), statusExpiring},
		"never seen":                                 {statusActive, duration.NewValue("2d"), time.Unix(0, 0), statusActive},
		"expired":                                    {statusExpired, duration.NewValue("2d"), days(1), statusExpired},
		"consumed":                                   {statusConsumed, duration.NewValue("2d"), days(4), statusConsumed},
		"revoked":                                    {statusRevoked, duration.NewNull(), days(4), statusRevoked},
	} {
		m := inState()
		m.Status = types.StringValue(test.status)
		if got := m.statusFor(test.window, test.seen); got != test.want {
			t.Errorf("%s: status %s, want %s", name, got, test.want)
		}
	}
}

func TestInviteCodeModel_compare(t *testing.T) {
	t.Parallel()
	triggers := func(values map[string]attr.Value) types.Map { return types.MapValueMust(types.StringType, values) }
	one, null := types.StringValue("1"), types.StringNull()
	for name, test := range map[string]struct {
		how   adoption
		state func(*inviteCodeModel) // changes the state before it is copied to the plan
		plan  func(*inviteCodeModel)
		want  []string
	}{
		"nothing":                             {},
		"another group":                       {plan: func(m *inviteCodeModel) { m.GroupID = types.StringValue("0") }, want: []string{"group_id"}},
		"an unknown group":                    {plan: func(m *inviteCodeModel) { m.GroupID = types.StringUnknown() }, want: []string{"group_id"}},
		"another role":                        {plan: func(m *inviteCodeModel) { m.RoleID = types.StringValue("0") }, want: []string{"role_id"}},
		"another spelling of the group":       {plan: func(m *inviteCodeModel) { m.Group = m.GroupID }},
		"another ttl":                         {plan: func(m *inviteCodeModel) { m.TTL = duration.NewValue("6d") }, want: []string{"ttl"}},
		"another spelling of the ttl":         {plan: func(m *inviteCodeModel) { m.TTL = duration.NewValue("5d") }},
		"another address":                     {plan: func(m *inviteCodeModel) { m.Email = types.StringValue("lee@example.com") }, want: []string{"email"}},
		"no address":                          {plan: func(m *inviteCodeModel) { m.Email = null }, want: []string{"email"}},
		"an address in lower case":            {plan: func(m *inviteCodeModel) { m.Email = types.StringValue("kim@example.com") }},
		"an address with a Kelvin sign":       {plan: func(m *inviteCodeModel) { m.Email = types.StringValue("\u212aim@example.com") }, want: []string{"email"}},
		"another single_use":                  {plan: func(m *inviteCodeModel) { m.SingleUse = types.BoolValue(false) }, want: []string{"single_use"}},
		"first triggers":                      {plan: func(m *inviteCodeModel) { m.RotationTriggers = triggers(map[string]attr.Value{"a": one}) }, want: []string{"rotation_triggers"}},
		"first triggers of an adopted invite": {how: adopted, plan: func(m *inviteCodeModel) { m.RotationTriggers = triggers(map[string]attr.Value{"a": one}) }},
		"empty triggers":                      {plan: func(m *inviteCodeModel) { m.RotationTriggers = triggers(nil) }},
		"null-valued triggers":                {plan: func(m *inviteCodeModel) { m.RotationTriggers = triggers(map[string]attr.Value{"a": null}) }},
		"triggers removed": {
			state: func(m *inviteCodeModel) { m.RotationTriggers = triggers(map[string]attr.Value{"a": one}) },
			plan:  func(m *inviteCodeModel) { m.RotationTriggers = types.MapNull(types.StringType) }, want: []string{"rotation_triggers"},
		},
		"another trigger, with a null value": {
			state: func(m *inviteCodeModel) { m.RotationTriggers = triggers(map[string]attr.Value{"a": one}) },
			plan:  func(m *inviteCodeModel) { m.RotationTriggers = triggers(map[string]attr.Value{"a": one, "b": null}) },
		},
		"an unknown trigger": {
			state: func(m *inviteCodeModel) { m.RotationTriggers = triggers(map[string]attr.Value{"a": one}) },
			plan: func(m *inviteCodeModel) {
				m.RotationTriggers = triggers(map[string]attr.Value{"a": types.StringUnknown()})
			},
			want: []string{"rotation_triggers"},
		},
		"unknown triggers": {plan: func(m *inviteCodeModel) { m.RotationTriggers = types.MapUnknown(types.StringType) }, want: []string{"rotation_triggers"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state := inState()
			if test.state != nil {
				test.state(&state)
			}
			plan := state
			if test.plan != nil {
				test.plan(&plan)
			}
			if got := plan.compare(&state, test.how); !slices.Equal(got, test.want) {
				t.Errorf("changed %v, want %v", got, test.want)
			}
		})
	}
}
