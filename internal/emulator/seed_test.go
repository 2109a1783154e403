package emulator_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

const fullSeed = `
organizations:
  - name: acme.example
    description: The real one.
    roles:
      - name: lister
        capabilities: [group_invites.list, groups.list]
    folders:
      - name: platform
        folders:
          - name: inner
            roles:
              - name: viewer
                description: A narrower one.
                capabilities: [groups.list]
  - name: twin.example
    unverified: true
  - name: twin.example
    unverified: true
roles:
  - name: gulfstream
    capabilities: [groups.list]
identities:
  - name: pipeline
    group: acme.example/platform
    issuer: https://token.actions.githubusercontent.com
    subject: repo:acme/infra
    bindings:
      - {group: acme.example/platform, role: lister}
  - name: admin
    email: admin@acme.example
    bindings:
      - {group: acme.example/platform, role: owner}
invites:
  - {group: acme.example/platform/inner, role: viewer, ttl: 2h, email: kim@example.com, single_use: true}
  - {group: inner, role: gulfstream}
max_invite_ttl: 720h
`

func TestSeed_fileSaysWhatThereIs(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "seed.yaml")
	if err := os.WriteFile(file, []byte(fullSeed), 0o600); err != nil {
		t.Fatal(err)
	}
	seed, err := emulator.LoadSeed(file)
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, seed)
	inner := p.Group("acme.example/platform/inner")
	if p.AdminIdentity() != p.Identity("admin") {
		t.Error("the admin is not the identity of that name")
	}
	if !strings.HasPrefix(p.Identity("pipeline"), p.Group("platform")+"/") {
		t.Errorf("the pipeline is %s, outside its group", p.Identity("pipeline"))
	}
	stored := p.Invites()
	if len(stored) != 2 {
		t.Fatalf("stored are %v", stored)
	}
	first := stored[0]
	if first.Group != inner || !strings.HasPrefix(first.RoleUID, inner+"/") || first.Email != "kim@example.com" ||
		!first.SingleUse || !first.Expires.Equal(p.clock.Now().Add(2*time.Hour)) {
		t.Errorf("the first invite is %+v", first)
	}
	if second := stored[1]; second.RoleUID != p.Role("gulfstream") || second.TTL != 7*24*time.Hour {
		t.Errorf("the second invite is %+v", second)
	}
	org, err := p.groups.GetGroup(p.admin, &iam.GetGroupRequest{Uid: p.Group("platform")})
	if err != nil || org.GetName() != "platform" {
		t.Errorf("the folder is %v, %v", org, err)
	}
	twins := 0
	for _, g := range p.Groups() {
		if g.Name == "twin.example" {
			twins++
		}
	}
	if twins != 2 {
		t.Errorf("there are %d organizations of one name, want 2: %v", twins, p.Groups())
	}
}

func TestSeed_badSeedIsOneClearError(t *testing.T) {
	t.Parallel()
	const good = "organizations:\n  - name: acme.example\nidentities:\n  - name: admin\n"
	tests := map[string]struct {
		text string
		want string
	}{
		"nothing":                   {"", "at least one organization"},
		"no YAML":                   {"organizations: [", "line 1"},
		"a list":                    {"- acme.example\n", "line 1: cannot unmarshal"},
		"an unknown key":            {good + "colour: red\n", "line 5: field colour not found"},
		"an unknown key inside":     {"organizations:\n  - name: acme.example\n    colour: red\n", "line 3: field colour not found"},
		"a text for a list":         {"organizations: acme.example\n", "line 1: cannot unmarshal"},
		"a text for a group":        {"organizations:\n  - acme.example\n", "line 2: cannot unmarshal"},
		"no duration":               {good + "max_invite_ttl: soon\n", "line 5: cannot unmarshal"},
		"a negative duration":       {good + "max_invite_ttl: -1h\n", "max_invite_ttl must be positive"},
		"a bad name":                {"organizations:\n  - name: ACME\n", `an organization needs a name of 3 to 63`},
		"a folder of one name":      {"organizations:\n  - name: acme.example\n    folders:\n      - name: platform\n      - name: platform\n", `there is a folder "platform" already`},
		"an organization twice":     {"organizations:\n  - name: acme.example\n  - name: acme.example\n", `there is an organization "acme.example" already: only unverified`},
		"an unverified folder":      {"organizations:\n  - name: acme.example\n    folders:\n      - name: platform\n        unverified: true\n", "only organizations can be unverified"},
		"no identity":               {"organizations:\n  - name: acme.example\n", "at least one identity"},
		"an identity twice":         {good + "  - name: admin\n", `there is an identity "admin" already`},
		"an identity without name":  {good + "  - email: kim@example.com\n", "an identity needs a name"},
		"no email address":          {good + "    email: kim\n", `"kim" is not a bare email address`},
		"an unknown group":          {good + "    bindings:\n      - {group: other, role: owner}\n", `there is no group "other": there are acme.example`},
		"an unknown role":           {good + "    bindings:\n      - {group: acme.example, role: king}\n", `the group "acme.example" has no role "king": there are apk.pull,`},
		"an unknown home":           {good + "    group: other\n", `there is no group "other"`},
		"a role without name":       {good + "roles:\n  - capabilities: [groups.list]\n", "a role needs a name"},
		"a role that is there":      {good + "roles:\n  - {name: owner, capabilities: [groups.list]}\n", `there is a role "owner" here already`},
		"a role without powers":     {good + "roles:\n  - name: empty\n", `the role "empty" needs at least one capability`},
		"an unknown capability":     {good + "roles:\n  - {name: x, capabilities: [group_invites.make]}\n", `unknown capability "group_invites.make": there are group_invites.create, group_invites.delete, group_invites.list`},
		"a capability of no kind":   {good + "roles:\n  - {name: x, capabilities: [fly]}\n", `unknown capability "fly": there are, among others,`},
		"an invite for too long":    {good + "invites:\n  - {group: acme.example, role: viewer, ttl: 8761h}\n", "invite 1: ttl must be positive and at most 8760h0m0s"},
		"an invite for no address":  {good + "invites:\n  - {group: acme.example, role: viewer, email: kim}\n", "invite 1: "},
		"an invite to nowhere":      {good + "invites:\n  - {group: other, role: viewer}\n", "there is no group"},
		"a group of several places": {"organizations:\n  - name: acme.example\n    folders: [{name: same}, {name: platform, folders: [{name: same}]}]\nidentities:\n  - {name: admin, group: same}\n", `there is more than one group "same"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "seed.yaml")
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := emulator.LoadSeed(file)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "seed.yaml") {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
	if _, err := emulator.LoadSeed(filepath.Join(t.TempDir(), "missing.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}
