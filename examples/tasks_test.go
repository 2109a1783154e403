package examples_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

const day = 24 * time.Hour

// The README of each example has a table of what happens when. These tests go through it.

func TestOnboarding_followsTheFileOfPeople(t *testing.T) {
	t.Parallel()
	platform := acctest.New(t)
	w := acctest.NewWorkspace(t, "onboarding", platform.ServerOf())
	w.Run("init")
	key := acctest.NewSSHKey(t)
	people := regexp.MustCompile(`ssh-ed25519 \S+ ada@laptop`).ReplaceAllString(read(t, "onboarding/people.csv"), key.Public+" ada@laptop")
	w.Write("people.csv", people)
	apply(t, w, "3 added, 0 changed, 0 destroyed")
	codes, encrypted := map[string]string{}, map[string]string{}
	w.Output("codes", &codes)
	w.Output("encrypted_codes", &encrypted)
	if len(codes) != 1 || codes["noor@acme.example"] == "" || len(encrypted) != 2 || encrypted["lin@acme.example"] == "" {
		t.Fatalf("%d people have codes and %d encrypted ones, want 1 and 2", len(codes), len(encrypted))
	}

	// One accepts: nothing is left to do for that one.
	if err := platform.AcceptAs(key.Decrypt(t, encrypted["ada@acme.example"]), "ada@acme.example"); err != nil {
		t.Fatal(err)
	}
	apply(t, w, "0 added, 0 changed, 0 destroyed")
	var joined []string
	w.Output("joined", &joined)
	if !slices.Equal(joined, []string{"ada@acme.example"}) {
		t.Errorf("%q have joined", joined)
	}

	// A line is added, and another removed.
	people = strings.Replace(people, "lin@", "kim@", 1)
	w.Write("people.csv", people)
	apply(t, w, "1 added, 0 changed, 1 destroyed")

	// The others' codes expire and are renewed; the accepted one is left alone.
	platform.Clock.Advance(8 * day)
	apply(t, w, "2 added, 0 changed, 2 destroyed")

	// Another role for the one that was accepted creates another invite.
	w.Write("people.csv", strings.Replace(people, "ada@acme.example,viewer", "ada@acme.example,owner", 1))
	apply(t, w, "1 added, 0 changed, 1 destroyed")

	// The same file as a spreadsheet may export it is no change.
	people = strings.Replace(people, "ada@acme.example,viewer", "ada@acme.example,owner", 1)
	w.Write("people.csv", "\ufeff"+strings.NewReplacer(",", ";", "\n", "\r\n").Replace(people))
	apply(t, w, "0 added, 0 changed, 0 destroyed")
	destroy(t, w, platform)
}

func TestOnboarding_neverRecreates(t *testing.T) {
	t.Parallel()
	platform := acctest.New(t)
	w := acctest.NewWorkspace(t, "onboarding", platform.ServerOf())
	w.Write("main.tf", strings.Replace(read(t, "onboarding/main.tf"), "single_use = true\n", "single_use = true\n  recreate = \"never\"\n", 1))
	w.Run("init")
	apply(t, w, "3 added, 0 changed, 0 destroyed")
	platform.Clock.Advance(8 * day)
	apply(t, w, "0 added, 0 changed, 0 destroyed")
}

func TestRotation_createsTheNewCodeBeforeItDeletesTheOld(t *testing.T) {
	t.Parallel()
	platform := acctest.New(t)
	w := acctest.NewWorkspace(t, "rotation", platform.ServerOf())
	w.Run("init")
	apply(t, w, "2 added, 0 changed, 0 destroyed")

	platform.Clock.Advance(19 * day)
	expectNothingToDo(t, w)

	platform.Clock.Advance(2 * day)
	platform.ResetRequests()
	apply(t, w, "2 added, 0 changed, 2 destroyed")
	var order []string
	for _, request := range platform.Requests() {
		if strings.HasPrefix(request.Method, "Create") || strings.HasPrefix(request.Method, "Delete") {
			order = append(order, request.Method)
		}
	}
	if !slices.Equal(order, []string{"CreateGroupInvite", "DeleteGroupInvite"}) {
		t.Errorf("the platform was asked to %q", order)
	}

	for _, invite := range platform.Live() {
		platform.DeleteInvite(invite.UID)
	}
	apply(t, w, "2 added, 0 changed, 2 destroyed")

	w.Setenv("TF_VAR_incident", "2030-05-17")
	apply(t, w, "2 added, 0 changed, 2 destroyed")
	destroy(t, w, platform)
}

func TestCIBootstrap_handsTheCodeOverAndKeepsItNowhere(t *testing.T) {
	t.Parallel()
	platform := acctest.New(t)
	stubs := platform.Stubs()
	w := acctest.NewWorkspace(t, "ci-bootstrap", stubs.Serve())
	w.NeedsVersion("1.11", "1.11")
	w.Run("init")

	w.Run("plan", "-out=saved.tfplan")
	if live := platform.Live(); len(live) != 0 {
		t.Errorf("a plan leaves %d live codes behind", len(live))
	}
	applies := 1
	apply(t, w, "2 added, 0 changed, 0 destroyed")
	expectHandedOver(t, platform, stubs, 1)
	expectNothingToDo(t, w)
	applies++
	apply(t, w, "0 added, 0 changed, 0 destroyed")
	expectHandedOver(t, platform, stubs, 1)

	// The runner accepts it, and needs no other.
	if err := platform.Accept(stubs.Secrets()[0]); err != nil {
		t.Fatal(err)
	}
	applies++
	apply(t, w, "0 added, 0 changed, 0 destroyed")
	w.Setenv("TF_VAR_generation", "2")
	applies++
	apply(t, w, "0 added, 1 changed, 0 destroyed")
	expectHandedOver(t, platform, stubs, 2)

	for _, file := range []string{"terraform.tfstate", "terraform.tfstate.backup", "saved.tfplan"} {
		if content := read(t, w.Path(file)); containsAny(content, stubs.Secrets()) {
			t.Errorf("a code is in %s", file)
		}
	}
	w.Run("destroy", "-auto-approve")
	// Terraform creates a code in each apply, OpenTofu only in one that hands it over. One has been accepted.
	if live := len(platform.Live()); live < 1 || live > applies {
		t.Errorf("%d codes live after %d applies", live, applies)
	}
	platform.Clock.Advance(2 * day)
	if live := platform.Live(); len(live) > 0 {
		t.Errorf("%d codes outlive their ttl", len(live))
	}
}

// expectHandedOver fails the test unless so many codes were written to the secret, and the last of them lives.
func expectHandedOver(t *testing.T, platform *acctest.Platform, stubs *acctest.Stubs, count int) {
	t.Helper()
	secrets, live := stubs.Secrets(), platform.Live()
	if len(secrets) != count || !slices.ContainsFunc(live, func(i emulator.Invite) bool { return i.Code == secrets[count-1] }) {
		t.Errorf("%d codes were handed over, and %d live", len(secrets), len(live))
	}
}

func TestCIBootstrap_olderTerraformCreatesOnDemand(t *testing.T) {
	t.Parallel()
	platform := acctest.New(t)
	stubs := platform.Stubs()
	w := acctest.NewWorkspace(t, "ci-bootstrap/older-terraform", stubs.Serve())
	w.Run("init")
	apply(t, w, "3 added, 0 changed, 0 destroyed")
	expectHandedOver(t, platform, stubs, 1)
	if err := platform.Accept(stubs.Secrets()[0]); err != nil {
		t.Fatal(err)
	}
	apply(t, w, "0 added, 0 changed, 0 destroyed")
	platform.Clock.Advance(2 * day)
	apply(t, w, "0 added, 0 changed, 0 destroyed")
	if out := w.Run("apply", "-auto-approve", "-replace=chainguard_invite_code.runner"); !strings.Contains(out, "1 added, 1 changed, 1 destroyed") {
		t.Errorf("no new code is handed over:\n%s", out)
	}
	expectNothingToDo(t, w)
	expectHandedOver(t, platform, stubs, 2)
	destroy(t, w, platform)
}

func TestBesideOfficial_invitesToAGroupOfTheSameApply(t *testing.T) {
	t.Parallel()
	platform := acctest.New(t)
	// As on the platform, the group cannot be used for the first moments.
	platform.SetBehavior(func(b *emulator.Behavior) { b.NewGroupDelay = 10 * time.Second })
	w := acctest.NewWorkspace(t, "beside-official", platform.Stubs().Serve())
	w.Setenv("TF_VAR_organization_id", platform.Group("acme.example"))
	w.Run("init")
	apply(t, w, "2 added, 0 changed, 0 destroyed")
	if live := platform.Live(); len(live) != 1 || live[0].Group != platform.Group("data-team") {
		t.Errorf("%d invites are live, want one to the new group", len(live))
	}
	destroy(t, w, platform)
}

func TestCIIdentity_applies(t *testing.T) {
	t.Parallel()
	platform := acctest.New(t)
	w := acctest.NewWorkspace(t, "ci-identity", platform.Stubs().Serve())
	w.Setenv("TF_VAR_organization_id", platform.Group("acme.example"))
	w.Run("init")
	apply(t, w, "3 added, 0 changed, 0 destroyed")
	destroy(t, w, platform)
}

// apply applies, holds what was done against the summary, and expects nothing to be left to do.
func apply(t *testing.T, w *acctest.Workspace, summary string) {
	t.Helper()
	if out := w.Run("apply", "-auto-approve"); !strings.Contains(out, "Resources: "+summary) {
		t.Fatalf("want %q, but:\n%s", summary, out)
	}
	expectNothingToDo(t, w)
}

// destroy destroys, and expects nothing to be left behind.
func destroy(t *testing.T, w *acctest.Workspace, platform *acctest.Platform) {
	t.Helper()
	w.Run("destroy", "-auto-approve")
	if live := platform.Live(); len(live) > 0 {
		t.Errorf("%d invites are live after destroy", len(live))
	}
}

func containsAny(text string, needles []string) bool {
	return slices.ContainsFunc(needles, func(needle string) bool { return strings.Contains(text, needle) })
}

func TestFindingLeftovers_listsWhatIsNotManaged(t *testing.T) {
	t.Parallel()
	platform := acctest.New(t)
	left, managed := kim(platform), kim(platform)
	w := acctest.NewWorkspace(t, "finding-leftovers", platform.ServerOf())
	w.Run("init")
	w.Run("apply", "-auto-approve", `-var=managed=["`+managed.UID+`"]`)
	var found []struct{ ID, Email, Role string }
	w.Output("not_managed", &found)
	if len(found) != 1 || found[0].ID != left.UID || found[0].Email != left.Email || found[0].Role != "viewer" {
		t.Errorf("found %+v, want %s alone", found, left.UID)
	}
	if live := platform.Live(); len(live) != 2 {
		t.Errorf("looking for invites leaves %d of them valid, want 2", len(live))
	}
}
