package provider_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// everything is a limit that no test reaches.
const everything = 10000

func TestInviteCodeList_filters(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	ids := addInvites(p)
	protocol := p.Protocol(t, nil)
	for name, test := range map[string]struct {
		config acctest.Config
		want   []string
	}{
		"all, the newest first": {acctest.Config{}, []string{"folder", "single", "anyone", "kim"}},
		"group":                 {acctest.Config{"group": "acme.example"}, []string{"single", "anyone", "kim"}},
		"group and below":       {acctest.Config{"group": "acme.example", "recursive": true}, []string{"folder", "single", "anyone", "kim"}},
		"address":               {acctest.Config{"email": "kim@example.com"}, []string{"folder", "kim"}},
		"role":                  {acctest.Config{"role": "editor"}, []string{"single"}},
		"single use":            {acctest.Config{"single_use": true}, []string{"single"}},
		"expired too":           {acctest.Config{"group": "acme.example", "include_expired": true}, []string{"expired", "single", "anyone", "kim"}},
		"none":                  {acctest.Config{"email": "nobody@example.com"}, nil},
	} {
		var got, want []string
		for _, found := range protocol.List(inviteCode, test.config, everything, false) {
			if len(found.Diagnostics) > 0 {
				t.Errorf("%s: %v", name, found.Diagnostics)
			}
			got = append(got, fmt.Sprint(found.Identity["id"]))
		}
		for _, one := range test.want {
			want = append(want, ids[one])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: found %v, want %v", name, got, want)
		}
	}
}

func TestInviteCodeList_displayName(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	addInvites(p)
	gone := p.AddRole(p.Group("acme.example"), "gone")
	p.AddInvite(emulator.Invite{Group: p.Group("acme.example"), RoleUID: gone})
	p.DeleteRole(gone)
	protocol := p.Protocol(t, nil)
	want := []string{
		"role " + gone + " for anyone in acme.example until 2030-01-09 03:04 UTC",
		"viewer for kim@example.com in acme.example/platform until 2030-01-08 03:07 UTC",
		"editor for lee@example.com in acme.example until 2030-01-08 03:06 UTC",
		"viewer for anyone in acme.example until 2030-01-08 03:05 UTC",
		"viewer for kim@example.com in acme.example until 2030-01-08 03:04 UTC",
	}
	if got := displayNames(protocol.List(inviteCode, nil, everything, false)); !slices.Equal(got, want) {
		t.Errorf("the display names are %q, want %q", got, want)
	}
	if count := p.Count("ListGroups"); count != 2 {
		t.Errorf("%d lookups of the names of 2 groups", count)
	}

	p.Inject(emulator.Fault{Method: "ListGroups", Code: codes.PermissionDenied})
	names := displayNames(protocol.List(inviteCode, acctest.Config{"role": "editor"}, everything, false))
	if want := "editor for lee@example.com in " + p.Group("acme.example") + " until 2030-01-08 03:06 UTC"; len(names) != 1 || names[0] != want {
		t.Errorf("without groups the display names are %q, want %q", names, want)
	}
}

func displayNames(found []acctest.Found) []string {
	var names []string
	for _, one := range found {
		names = append(names, one.DisplayName)
	}
	return names
}

func TestInviteCodeList_limit(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	for range 450 {
		p.AddInvite(emulator.Invite{Group: p.Group("acme.example"), RoleUID: p.Role("viewer")})
	}
	protocol := p.Protocol(t, nil)
	for _, test := range []struct {
		limit                int64
		wantFound, wantPages int
	}{
		{limit: 1, wantFound: 1, wantPages: 1},
		{limit: 200, wantFound: 200, wantPages: 1},
		{limit: 201, wantFound: 201, wantPages: 2},
		{limit: 450, wantFound: 450, wantPages: 3},
		{limit: 1000, wantFound: 450, wantPages: 3},
	} {
		p.ResetRequests()
		if found := protocol.List(inviteCode, nil, test.limit, false); len(found) != test.wantFound || p.Count("ListGroupInvites") != test.wantPages {
			t.Errorf("with a limit of %d, found %d on %d pages; want %d on %d", test.limit, len(found), p.Count("ListGroupInvites"), test.wantFound, test.wantPages)
		}
	}
}

// Importing a listed invite gives the listed state, so a plan of the configuration that Terraform generates is empty.
func TestInviteCodeList_matchesImport(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	addInvites(p)
	p.AddInvite(emulator.Invite{Group: p.Group("acme.example"), RoleUID: p.Role("viewer"), TTL: 90*time.Second + 300*time.Millisecond})
	protocol := p.Protocol(t, nil)
	listed := protocol.List(inviteCode, acctest.Config{"include_expired": true}, everything, true)
	if len(listed) != 6 {
		t.Fatalf("found %d invites, want 6", len(listed))
	}
	for _, found := range listed {
		if len(found.Diagnostics) > 0 {
			t.Fatal(found.Diagnostics)
		}
		imported, diags := protocol.Import(inviteCode, found.Identity)
		if len(diags.Errors()) > 0 {
			t.Fatal(diags)
		}
		if !reflect.DeepEqual(found.Resource, imported) {
			for _, name := range slices.Sorted(maps.Keys(imported)) {
				if !reflect.DeepEqual(found.Resource[name], imported[name]) {
					t.Errorf("%s: %s is listed as %v and imported as %v", found.DisplayName, name, found.Resource[name], imported[name])
				}
			}
		}
		if found.Resource["code"] != nil {
			t.Error("a code is listed")
		}
	}
	for _, found := range protocol.List(inviteCode, nil, everything, false) {
		if found.Resource != nil {
			t.Errorf("unrequested resource: %v", found.Resource)
		}
	}
}

func TestInviteCodeList_errors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		block, config acctest.Config
		fault         emulator.Fault
		wantFound     int
		want          string
	}{
		"first page":     {fault: emulator.Fault{Method: "ListGroupInvites", Code: codes.Internal, Message: "out of luck"}, want: "out of luck"},
		"second page":    {fault: emulator.Fault{Method: "ListGroupInvites", Code: codes.Internal, Message: "out of luck", Match: notTheFirst()}, wantFound: 200, want: "out of luck"},
		"unknown group":  {config: acctest.Config{"group": "acme.exampel"}, want: `Did you mean "acme.example"?`},
		"unknown role":   {config: acctest.Config{"role": "veiwer"}, want: `Did you mean "viewer"?`},
		"unknown api":    {block: acctest.Config{"api": acctest.Unknown}, want: "Provider Setting Not Known Yet"},
		"unusable token": {block: acctest.Config{"token": "stale"}, want: "Unauthenticated"},
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
			found := p.Protocol(t, test.block).List(inviteCode, test.config, everything, true)
			if len(found) != test.wantFound+1 {
				t.Fatalf("%d results, want %d and the error", len(found), test.wantFound)
			}
			if errs := found[test.wantFound].Diagnostics.Errors(); len(errs) != 1 || !strings.Contains(errs[0], test.want) {
				t.Errorf("errors are %q, want one with %q", errs, test.want)
			}
		})
	}
}

func TestInviteCodeList_validate(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	protocol := p.Protocol(t, nil)
	for want, config := range map[string]acctest.Config{
		"Invalid Group":         {"group": "ACME"},
		"Invalid Role":          {"role": "acme.example/viewer"},
		"Invalid Email Address": {"email": "kim"},
	} {
		if errs := protocol.ValidateList(inviteCode, config).Errors(); len(errs) != 1 || !strings.Contains(errs[0], want) {
			t.Errorf("errors are %q, want one with %q", errs, want)
		}
	}
	if err := p.CheckCalls(nil); err != nil {
		t.Error(err)
	}
}

func TestInviteCodeList_query(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	const many = 450
	for i := range many {
		p.AddInvite(emulator.Invite{
			Group: p.Group("acme.example/platform"), RoleUID: p.Role("viewer"), Email: fmt.Sprintf("guest-%d@example.com", i),
			SingleUse: i%2 == 0, TTL: time.Duration(i+1) * time.Hour, Created: acctest.Start.Add(-time.Duration(i) * time.Second),
		})
	}
	w := workspace(t, p, "")
	w.NeedsVersion("1.14.0", noOpenTofu)
	w.Write("invites.tfquery.hcl", fmt.Sprintf(`
		list "chainguard_invite_code" "platform" {
		  provider = chainguard
		  limit    = %d
		  config {
		    group = "acme.example/platform"
		  }
		}
	`, 2*many))
	w.Run("init")
	if names := queried(t, w.Run("query", "-json")); len(names) != many || !slices.Contains(names, "viewer for guest-449@example.com in acme.example/platform until 2030-01-20 20:56 UTC") {
		t.Errorf("the query found %d invites, want %d: %q", len(names), many, names[:min(3, len(names))])
	}

	w.Run("query", "-generate-config-out=generated.tf")
	generated, err := os.ReadFile(w.Path("generated.tf"))
	if err != nil {
		t.Fatal(err)
	}
	if blocks := len(regexp.MustCompile(`(?m)^import \{`).FindAll(generated, -1)); blocks != many {
		t.Errorf("%d import blocks, want %d", blocks, many)
	}
	output := w.Run("plan")
	if want := fmt.Sprintf("Plan: %d to import, 0 to add, 0 to change, 0 to destroy.", many); !strings.Contains(output, want) {
		t.Errorf("the plan of the generated configuration is not %q:\n%s", want, output[max(0, len(output)-3000):])
	}
	w.Run("apply", "-auto-approve")
	if output, err := w.Try("plan", "-detailed-exitcode"); err != nil {
		t.Errorf("the plan after the import is not empty: %v\n%s", err, output[max(0, len(output)-3000):])
	}
	if p.Count("CreateGroupInvite")+p.Count("DeleteGroupInvite") != 0 || len(p.Live()) != many {
		t.Errorf("an import changed something: %v", p.Counts())
	}
}

// queried returns the display names of a query's results.
func queried(t *testing.T, output string) []string {
	t.Helper()
	var names []string
	for line := range strings.Lines(output) {
		var message struct {
			Found struct {
				DisplayName string `json:"display_name"`
			} `json:"list_resource_found"`
		}
		if err := json.Unmarshal([]byte(line), &message); err != nil {
			t.Fatalf("the query printed %q: %v", line, err)
		}
		if message.Found.DisplayName != "" {
			names = append(names, message.Found.DisplayName)
		}
	}
	return names
}
