package platform

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	can "chainguard.dev/sdk/proto/capabilities"
	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// organizations returns a seed with names that are unique, ambiguous and unknown.
func organizations() emulator.Seed {
	seed := emulator.DefaultSeed()
	custom := func(name string) emulator.SeedRole {
		return emulator.SeedRole{Name: name, Capabilities: []string{"groups.list"}}
	}
	seed.Organizations = []emulator.SeedGroup{
		{
			Name: "acme.example",
			Folders: []emulator.SeedGroup{
				{Name: "platform", Folders: []emulator.SeedGroup{{Name: "build"}}, Roles: []emulator.SeedRole{custom("deployer")}},
				{Name: "research", Folders: []emulator.SeedGroup{{Name: "build"}}},
				{Name: "other.example"},
			},
			Roles: []emulator.SeedRole{custom("auditor")},
		},
		{Name: "acme.example", Unverified: true, Folders: []emulator.SeedGroup{{Name: "platform"}, {Name: "decoy"}}},
		{Name: "other.example", Folders: []emulator.SeedGroup{{Name: "solo"}}, Roles: []emulator.SeedRole{custom("auditor"), custom("foreigner")}},
		{Name: "twins", Unverified: true},
		{Name: "twins", Unverified: true},
	}
	seed.Identities = []emulator.SeedIdentity{{Name: "admin"}}
	return seed
}

// startNames returns a fixture with these organizations, all visible to the caller, and their UIDPs by path. Equal
// paths are numbered.
func startNames(t *testing.T) (*fixture, map[string]string) {
	t.Helper()
	e, err := emulator.New(emulator.Options{Seed: organizations()})
	if err != nil {
		t.Fatal(err)
	}
	seed := organizations()
	paths := map[string]string{}
	for _, group := range e.Groups() {
		path := group.Name
		for n := 2; paths[path] != ""; n++ {
			path = fmt.Sprintf("%s#%d", group.Name, n)
		}
		paths[path] = group.UID
		if !strings.Contains(group.UID, "/") {
			seed.Identities[0].Bindings = append(seed.Identities[0].Bindings, emulator.SeedBinding{Group: group.UID, Role: "owner"})
		}
	}
	return start(t, func(s *setup) { s.emulator.Seed, s.noGroup = seed, true }), paths
}

func TestLookup_group_byReference(t *testing.T) {
	t.Parallel()
	f, paths := startNames(t)
	verified := func(name string) string {
		for path, id := range paths {
			if group, err := f.client.ReadGroup(t.Context(), id); err == nil && group.Verified && strings.HasPrefix(path, name) && !strings.Contains(id, "/") {
				return id
			}
		}
		t.Fatalf("no verified %s", name)
		return ""
	}
	acme := verified("acme.example")
	child := func(parent, name string) string {
		for path, id := range paths {
			if strings.HasPrefix(id, parent+"/") && strings.Count(id, "/") == strings.Count(parent, "/")+1 &&
				strings.HasSuffix(strings.Split(path, "#")[0], "/"+name) {
				return id
			}
		}
		t.Fatalf("no %s in %s", name, parent)
		return ""
	}
	platform := child(acme, "platform")
	for reference, want := range map[string]string{
		"research":                    child(acme, "research"),
		"acme.example":                acme, // the verified one of two
		"acme.example/platform":       platform,
		"acme.example/research":       child(acme, "research"),
		"acme.example/platform/build": child(platform, "build"),
		"platform/build":              child(platform, "build"),
		"other.example":               verified("other.example"), // not the folder of that name
		"other.example/solo":          child(verified("other.example"), "solo"),
		"solo":                        child(verified("other.example"), "solo"),
	} {
		group, err := f.client.FindGroup(t.Context(), reference)
		if err != nil || group.ID != want {
			t.Errorf("%q is %s (%v), want %s", reference, group.ID, err, want)
		}
	}
	for reference, want := range map[string]struct {
		ambiguous bool
		says      []string
	}{
		"twins":                  {true, []string{"2 groups", paths["twins"], paths["twins#2"]}},
		"build":                  {true, []string{"2 groups", "acme.example/platform/build", "acme.example/research/build"}},
		"platform":               {true, []string{platform}},
		"acme.exampel":           {false, []string{`no group named "acme.exampel"`, `Did you mean "acme.example"?`}},
		"acme.example/plattform": {false, []string{`no group named "plattform" in "acme.example"`, `Did you mean "platform"?`}},
		"twins/platform":         {false, []string{"no group there at all"}},
		"acme.example/decoy":     {false, []string{`no group named "decoy" in "acme.example"`}}, // in the other organization of that name
		"zzzzzzzzzzzz":           {false, []string{"There are: ", "acme.example"}},
		"":                       {false, []string{"does not name a group"}},
		"/":                      {false, []string{"does not name a group"}},
		"acme.example/":          {false, []string{"does not name a group"}},
		"/acme.example":          {false, []string{"does not name a group"}},
		"other.example//solo":    {false, []string{"does not name a group"}},
		"ACME.EXAMPLE":           {false, []string{"no group named"}},
		"acme.example\x1b[31m":   {false, []string{`acme.example\x1b[31m`}},
	} {
		group, err := f.client.FindGroup(t.Context(), reference)
		var e *NameError
		if !errors.As(err, &e) {
			t.Errorf("%q is %s (%v), want a NameError", reference, group.ID, err)
			continue
		}
		if e.Ambiguous != want.ambiguous || e.Kind != "group" || e.Name != reference {
			t.Errorf("%q: %+v", reference, e)
		}
		wantText(t, e.Error(), want.says...)
	}
}

func TestLookup_role_byReference(t *testing.T) {
	t.Parallel()
	f := start(t)
	acme := f.Group("acme.example")
	elsewhere := f.AddGroup("", "elsewhere", begin)
	auditor := f.AddRole(acme, "auditor", can.Capability_CAP_IAM_GROUPS_LIST)
	f.AddRole(elsewhere, "auditor", can.Capability_CAP_IAM_GROUPS_LIST)
	f.AddRole(elsewhere, "foreigner", can.Capability_CAP_IAM_GROUPS_LIST)
	deployer := f.AddRole(f.group, "deployer", can.Capability_CAP_IAM_GROUPS_LIST)
	mine := f.AddRole(f.group, "viewer", can.Capability_CAP_IAM_GROUPS_LIST)

	for _, test := range []struct{ name, group, want string }{
		{"editor", acme, f.Role("editor")},
		{"auditor", f.group, auditor}, // of the group above, not of an unrelated one
		{"auditor", acme, auditor},
		{"deployer", f.group, deployer},
		{"viewer", acme, f.Role("viewer")}, // not the folder's
	} {
		role, err := f.client.FindRole(t.Context(), test.name, test.group)
		if err != nil || role.ID != test.want {
			t.Errorf("%q in %s is %s (%v), want %s", test.name, test.group, role.ID, err, test.want)
		}
	}
	for _, test := range []struct {
		name, group string
		ambiguous   bool
		says        []string
	}{
		{"viewer", f.group, true, []string{"2 roles", mine, "managed by Chainguard", "custom role of group " + f.group}},
		{"deployer", acme, false, []string{`no role named "deployer"`}}, // a role of a folder cannot be granted in the group above
		{"foreigner", f.group, false, []string{`no role named "foreigner"`}},
		{"veiwer", acme, false, []string{`Did you mean "viewer"?`}},
		{"zzzzzzzzzzzzzzzz", acme, false, []string{"There are: ", "editor", "viewer"}},
		{"", acme, false, []string{"empty"}},
	} {
		role, err := f.client.FindRole(t.Context(), test.name, test.group)
		var e *NameError
		if !errors.As(err, &e) || e.Kind != "role" || e.Ambiguous != test.ambiguous {
			t.Errorf("%q in %s is %s (%v)", test.name, test.group, role.ID, err)
			continue
		}
		wantText(t, e.Error(), test.says...)
		if strings.Contains(e.Error(), "foreigner\",") || strings.Contains(e.Error(), ", foreigner") {
			t.Errorf("suggests a role that cannot be granted in the group: %v", e)
		}
	}

	// Errors name the group by the reference it was looked up by.
	group, err := f.client.FindGroup(t.Context(), "acme.example")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.client.FindRole(t.Context(), "viewerr", group.ID)
	wantText(t, fmt.Sprint(err), `in group "acme.example"`, `Did you mean "viewer"?`)
}

// A time that cannot be represented counts as unknown.
func TestLookup_group_year10000(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.Inject(emulator.Fault{Method: "ListGroups", Mutate: changing(func(answer *iam.ListGroupsResponse) {
		for _, group := range answer.GetGroups() {
			group.CreateTime, group.UpdateTime = year10000, year10000
		}
	})})
	group, err := f.client.FindGroup(t.Context(), folder)
	if err != nil || group.ID != f.group || !group.CreatedAt.IsZero() || !group.UpdatedAt.IsZero() {
		t.Errorf("got %+v, error %v", group, err)
	}
}

func TestLookup_error_shortensLongNames(t *testing.T) {
	t.Parallel()
	f := start(t)
	name := strings.Repeat("a", 5000)
	_, group := f.client.FindGroup(t.Context(), name)
	_, folder := f.client.FindGroup(t.Context(), name+"/")
	_, role := f.client.FindRole(t.Context(), name, f.group)
	for _, err := range []error{group, folder, role} {
		if text := err.Error(); !strings.Contains(text, "(shortened)") || len(text) > 1000 {
			t.Errorf("an error of %d bytes: %.200s", len(text), text)
		}
	}
}

func TestLookup_error_shortensLongLists(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range maxSuggested + 3 {
		names = append(names, fmt.Sprintf("team-%02d", i))
	}
	got := suggest("zzzzzzzz", names, "")
	wantText(t, got, "There are: team-00, ", " and 3 more.")
	if last := names[maxSuggested]; strings.Contains(got, last) {
		t.Errorf("%q has %s", got, last)
	}
}

func TestLookup_name_matchesExactly(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.Inject(emulator.Fault{Method: "ListGroups", Mutate: changing(func(r *iam.ListGroupsResponse) {
		r.Groups = append(r.GetGroups(), &iam.Group{Uid: strings.Repeat("a", 40), Name: "acme.example.attacker", Verified: true})
	})})
	f.Inject(emulator.Fault{Method: "ListRoles", Mutate: changing(func(r *iam.ListRolesResponse) {
		r.Roles = append(r.GetRoles(), &iam.Role{Uid: strings.Repeat("a", 40), Name: "console_viewer"})
	})})
	if group, err := f.client.FindGroup(t.Context(), "acme.example"); err != nil || group.ID != f.Group("acme.example") {
		t.Errorf("found %+v (%v)", group, err)
	}
	if role, err := f.client.FindRole(t.Context(), "viewer", f.group); err != nil || role.ID != f.Role("viewer") {
		t.Errorf("found %+v (%v)", role, err)
	}
}

func TestLookup_cache_oneCallPerName(t *testing.T) {
	t.Parallel()
	f := start(t)
	var all sync.WaitGroup
	for range 1000 {
		all.Go(func() {
			if _, err := f.client.FindGroup(t.Context(), "acme.example"); err != nil {
				t.Error(err)
			}
			if _, err := f.client.FindRole(t.Context(), "viewer", f.group); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	// The same role in another group needs no further call.
	if _, err := f.client.FindRole(t.Context(), "viewer", f.Group("acme.example")); err != nil {
		t.Error(err)
	}
	f.wantCalls(t, "ListGroups", 1)
	f.wantCalls(t, "ListRoles", 1)
	f.wantCalls(t, "", 2)
}

func TestLookup_cache_forgetsFailures(t *testing.T) {
	t.Parallel()
	f := start(t)
	find := func() error {
		_, err := f.client.FindGroup(t.Context(), "newcomers")
		return err
	}
	for range 100 {
		if find() == nil {
			t.Fatal("found a group that does not exist")
		}
	}
	f.wantCalls(t, "ListGroups", 2) // one for the name, and one for the suggestions

	id := f.AddGroup(f.Group("acme.example"), "newcomers", f.clock.Now())
	f.clock.Advance(failureMemory)
	if err := find(); err != nil {
		t.Errorf("the group exists now: %v", err)
	}
	f.DeleteGroup(id)
	if err := find(); err != nil {
		t.Errorf("the result was not cached: %v", err)
	}
}

func TestLookup_cache_outlivesACaller(t *testing.T) {
	t.Parallel()
	f := start(t)
	ctx, giveUp := context.WithCancel(t.Context())
	f.Inject(emulator.Fault{
		Method: "ListGroups", Delay: 100 * time.Millisecond, Match: func(proto.Message) bool { giveUp(); return true },
	})
	if _, err := f.client.FindGroup(ctx, "acme.example"); !errors.Is(err, context.Canceled) {
		t.Errorf("the caller that gave up got %v", err)
	}
	if _, err := f.client.FindGroup(t.Context(), "acme.example"); err != nil {
		t.Error(err)
	}
	f.wantCalls(t, "ListGroups", 1)
}

func TestLookup_error_platformFails(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.Inject(emulator.Fault{Method: "ListGroups", Code: codes.PermissionDenied})
	f.Inject(emulator.Fault{Method: "ListRoles", Code: codes.Internal, Message: "out of disk"})
	_, err := f.client.FindGroup(t.Context(), "acme.example")
	if e := problem(t, err); e.Capability != "groups.list" {
		t.Errorf("the error is %+v", e)
	}
	_, err = f.client.FindRole(t.Context(), "viewer", f.group)
	if e := problem(t, err); e.Code != codes.Internal || e.Message != "out of disk" {
		t.Errorf("the error is %+v", e)
	}
}

func FuzzSplitReference(f *testing.F) {
	for _, seed := range []string{"", "/", "acme.example", "acme.example/platform", "a//b", "/a", "a/", "a/b/c/", "\x00", "ä/ö", "..//.."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, reference string) {
		names, ok := splitReference(reference)
		if strings.Join(names, "/") != reference {
			t.Fatalf("%q was split into %q", reference, names)
		}
		for _, name := range names {
			if strings.Contains(name, "/") || name == "" && ok {
				t.Fatalf("%q was split into %q (%t)", reference, names, ok)
			}
		}
	})
}
