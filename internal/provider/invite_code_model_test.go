package provider

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/duration"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
)

const (
	testGroup = "1cac9a8dfac52c5411d6461aefd921725ecaa503"
	testRole  = "18bbfdc8f152560fa970a1b40ea99f5948842a30"
)

func answer() *platform.Invite {
	created := time.Date(2030, time.January, 2, 3, 4, 5, 0, time.UTC)
	return &platform.Invite{
		ID: testGroup + "/dffd66e985165f95", GroupID: testGroup, RoleID: testRole, RoleName: "viewer", Email: "kim@example.com",
		SingleUse: true, Code: "the code", KeyID: "the key", CreatedAt: created, ExpiresAt: created.Add(5 * 24 * time.Hour),
	}
}

// inState returns the state for answer, with the spelling of a configuration.
func inState() inviteCodeModel {
	m := newInviteCodeModel()
	m.Group, m.Role, m.TTL = types.StringValue("acme.example"), types.StringValue("viewer"), duration.NewValue("120h")
	m.GroupID, m.RoleID = types.StringValue(testGroup), types.StringValue(testRole)
	m.Email = types.StringValue("Kim@Example.com")
	m.setCreated(answer())
	return m
}

func TestInviteCodeModel_fromAPI(t *testing.T) {
	t.Parallel()
	otherRole := "0000000000000000000000000000000000000001"
	for name, test := range map[string]struct {
		change func(*platform.Invite)
		want   func(*inviteCodeModel)
	}{
		"the same":                      {func(*platform.Invite) {}, func(*inviteCodeModel) {}},
		"an address in upper case":      {func(i *platform.Invite) { i.Email = "KIM@EXAMPLE.COM" }, func(*inviteCodeModel) {}},
		"an address with a Kelvin sign": {func(i *platform.Invite) { i.Email = "\u212aim@example.com" }, func(m *inviteCodeModel) { m.Email = types.StringValue("\u212aim@example.com") }},
		"another address":               {func(i *platform.Invite) { i.Email = "lee@example.com" }, func(m *inviteCodeModel) { m.Email = types.StringValue("lee@example.com") }},
		"no address":                    {func(i *platform.Invite) { i.Email = "" }, func(m *inviteCodeModel) { m.Email = types.StringNull() }},
		"not single-use":                {func(i *platform.Invite) { i.SingleUse = false }, func(m *inviteCodeModel) { m.SingleUse = types.BoolValue(false) }},
		"a role with another name":      {func(i *platform.Invite) { i.RoleName = "onlooker" }, func(m *inviteCodeModel) { m.RoleName = types.StringValue("onlooker") }},
		"a deleted role":                {func(i *platform.Invite) { i.RoleName = "" }, func(m *inviteCodeModel) { m.RoleName = types.StringNull() }},
		"a role without UIDP and name":  {func(i *platform.Invite) { i.RoleID, i.RoleName = "", "" }, func(m *inviteCodeModel) { m.RoleName = types.StringNull() }},
		"another role": {
			func(i *platform.Invite) { i.RoleID = otherRole },
			func(m *inviteCodeModel) {
				m.Role, m.RoleID, m.Cluster = types.StringValue(otherRole), types.StringValue(otherRole), types.BoolNull()
			},
		},
		"another expiry": {
			func(i *platform.Invite) { i.ExpiresAt = i.ExpiresAt.Add(time.Hour) },
			func(m *inviteCodeModel) {
				m.TTL, m.ExpiresAt = duration.NewValue("121h"), types.StringValue("2030-01-07T04:04:05Z")
			},
		},
		"an expiry before the creation": {
			func(i *platform.Invite) { i.ExpiresAt = i.CreatedAt.Add(-time.Hour) },
			func(m *inviteCodeModel) {
				m.TTL, m.ExpiresAt = duration.NewValue("1s"), types.StringValue("2030-01-02T02:04:05Z")
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			invite := answer()
			invite.Code = "" // as in every response except the first
			test.change(invite)
			got, want := inState(), inState()
			got.FromAPI(invite)
			test.want(&want)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(inviteCodeModel{}, inviteModel{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestInviteCodeModel_fromAPIAfterImport(t *testing.T) {
	t.Parallel()
	got := newInviteCodeModel()
	got.ID = types.StringValue(answer().ID)
	invite := answer()
	invite.Code, invite.ExpiresAt = "", invite.ExpiresAt.Add(400*time.Millisecond)
	got.setFound(invite, invite.CreatedAt)

	want := newInviteCodeModel()
	want.Group, want.GroupID = types.StringValue(testGroup), types.StringValue(testGroup)
	want.Role, want.RoleID, want.RoleName = types.StringValue(testRole), types.StringValue(testRole), types.StringValue("viewer")
	want.TTL = duration.NewValue("5d")
	want.Email, want.SingleUse = types.StringValue("kim@example.com"), types.BoolValue(true)
	want.ID, want.Recreate, want.Status = types.StringValue(answer().ID), types.StringValue("auto"), types.StringValue("active")
	want.CreatedAt, want.ExpiresAt = types.StringValue("2030-01-02T03:04:05Z"), types.StringValue("2030-01-07T03:04:05.4Z")
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(inviteCodeModel{}, inviteModel{})); diff != "" {
		t.Error(diff)
	}
	if !got.Code.IsNull() {
		t.Error("an import has a code")
	}
}

func TestInviteCodeModel_createKeepsThePlannedRoleName(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		planned types.String
		answer  string
		want    types.String
	}{
		"no role in the answer": {types.StringValue("viewer"), "", types.StringValue("viewer")},
		"a role renamed since":  {types.StringValue("viewer"), "onlooker", types.StringValue("viewer")},
		"unknown during plan":   {types.StringUnknown(), "viewer", types.StringValue("viewer")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, invite := inState(), answer()
			m.RoleName, invite.RoleName = test.planned, test.answer
			m.setCreated(invite)
			if !m.RoleName.Equal(test.want) {
				t.Errorf("role_name is %s, want %s", m.RoleName, test.want)
			}
		})
	}
}

func TestInviteCodeModel_movedAndMissingIsRevoked(t *testing.T) {
	t.Parallel()
	m := newInviteCodeModel()
	m.ID, m.Group, m.Role = types.StringValue(answer().ID), types.StringValue(testGroup), types.StringValue(testRole)
	m.setMovedAndMissing()
	if m.Status.ValueString() != statusRevoked || len(replacedBy(m.Status.ValueString(), m.Recreate.ValueString(), nil)) == 0 {
		t.Errorf("status %s, recreate %s", m.Status, m.Recreate)
	}
}

func TestInviteCodeModel_missing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		last, want string
		singleUse  bool
		after      time.Duration // the expiration
		ambiguous  bool
	}{
		"single-use, in time":                {last: statusActive, singleUse: true, after: -time.Second, want: statusConsumed},
		"single-use, expiring":               {last: statusExpiring, singleUse: true, after: -time.Second, want: statusConsumed},
		"single-use, past":                   {last: statusActive, singleUse: true, want: statusConsumed, ambiguous: true},
		"single-use, seen expired":           {last: statusExpired, singleUse: true, after: time.Hour, want: statusExpired},
		"consumed before":                    {last: statusConsumed, singleUse: true, after: time.Hour, want: statusConsumed},
		"consumed, and not single-use now":   {last: statusConsumed, after: time.Hour, want: statusConsumed},
		"not single-use, in time":            {last: statusActive, after: -time.Second, want: statusRevoked},
		"not single-use, past":               {last: statusActive, after: time.Hour, want: statusRevoked},
		"not single-use, seen expired":       {last: statusExpired, after: time.Hour, want: statusExpired},
		"revoked before, and single-use now": {last: statusRevoked, singleUse: true, want: statusRevoked},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := inState()
			m.Status, m.SingleUse = types.StringValue(test.last), types.BoolValue(test.singleUse)
			ambiguous := m.setMissing(answer().ExpiresAt.Add(test.after))
			if m.Status.ValueString() != test.want || ambiguous != test.ambiguous {
				t.Errorf("status %s, ambiguous %t; want %s, %t", m.Status, ambiguous, test.want, test.ambiguous)
			}
		})
	}
}
