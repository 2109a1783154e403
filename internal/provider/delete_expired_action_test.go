package provider_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

const deleteExpired = "chainguard_delete_expired_invite_codes"

// idsOnPlatform returns the UIDPs of the invites on the platform, oldest first.
func idsOnPlatform(p *acctest.Platform) []string {
	var ids []string
	for _, invite := range p.Invites() {
		ids = append(ids, invite.UID)
	}
	return ids
}

// addExpired adds expired invites to a group.
func addExpired(p *acctest.Platform, group string, count int) []string {
	var ids []string
	for i := range count {
		ids = append(ids, p.AddInvite(emulator.Invite{
			Group: p.Group(group), RoleUID: p.Role("viewer"), TTL: time.Hour, Created: acctest.Start.Add(-24*time.Hour + time.Duration(i)*time.Second),
		}).UID)
	}
	return ids
}

// addValid adds valid invites to a group, one of which expires in a second.
func addValid(p *acctest.Platform, group string) []string {
	var ids []string
	for _, ttl := range []time.Duration{24 * time.Hour, time.Second} {
		ids = append(ids, p.AddInvite(emulator.Invite{Group: p.Group(group), RoleUID: p.Role("viewer"), TTL: ttl, Created: acctest.Start}).UID)
	}
	return ids
}

func TestDeleteExpiredAction_deletesOnlyExpired(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		block, config acctest.Config
		wantGone      []string
		wantSaid      []string
	}{
		"of a group": {
			config:   acctest.Config{"group": "acme.example"},
			wantGone: []string{"acme.example"},
			wantSaid: []string{"2 of 4 invites in acme.example have expired.", "Deleted 2 of 2 expired invites."},
		},
		"of a folder": {
			config:   acctest.Config{"group": "acme.example/platform", "recursive": true},
			wantGone: []string{"acme.example/platform"},
			wantSaid: []string{"3 of 5 invites in acme.example/platform have expired.", "Deleted 3 of 3 expired invites."},
		},
		"of a group and below": {
			config:   acctest.Config{"group": "acme.example", "recursive": true},
			wantGone: []string{"acme.example", "acme.example/platform"},
			wantSaid: []string{"5 of 9 invites in acme.example have expired.", "Deleted 5 of 5 expired invites."},
		},
		"of the provider's group": {
			block:    acctest.Config{"group": "acme.example"},
			wantGone: []string{"acme.example"},
			wantSaid: []string{"2 of 4 invites in acme.example have expired.", "Deleted 2 of 2 expired invites."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := acctest.New(t)
			gone := map[string][]string{"acme.example": addExpired(p, "acme.example", 2), "acme.example/platform": addExpired(p, "acme.example/platform", 3)}
			stays := append(addValid(p, "acme.example"), addValid(p, "acme.example/platform")...)
			for group, ids := range gone {
				if !slices.Contains(test.wantGone, group) {
					stays = append(stays, ids...)
				}
			}
			protocol := p.Protocol(t, test.block)
			if diags := protocol.PlanAction(deleteExpired, test.config); len(diags) > 0 {
				t.Fatal(diags)
			}
			said, diags := protocol.Invoke(deleteExpired, test.config)
			if len(diags) > 0 {
				t.Error(diags)
			}
			got := idsOnPlatform(p)
			slices.Sort(got)
			slices.Sort(stays)
			if !slices.Equal(got, stays) {
				t.Errorf("%d invites are left, want the %d that are valid or elsewhere", len(got), len(stays))
			}
			if !slices.Equal(said, test.wantSaid) {
				t.Errorf("progress %q, want %q", said, test.wantSaid)
			}
		})
	}
}

func TestDeleteExpiredAction_nothingExpired(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	addValid(p, "acme.example")
	said, diags := p.Protocol(t, nil).Invoke(deleteExpired, acctest.Config{"group": "acme.example"})
	if want := []string{"0 of 2 invites in acme.example have expired."}; len(diags) > 0 || !slices.Equal(said, want) {
		t.Errorf("progress %q and %v, want %q", said, diags, want)
	}
	if p.Count("DeleteGroupInvite") != 0 {
		t.Errorf("calls: %v", p.Counts())
	}
}

func TestDeleteExpiredAction_continuesAfterFailure(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	ids := addExpired(p, "acme.example", 60)
	refused := []string{ids[0], ids[17], ids[59]}
	p.Inject(emulator.Fault{Method: "DeleteGroupInvite", Code: codes.Internal, Message: "out of luck", Match: func(request proto.Message) bool {
		deletion, ok := request.(*iam.DeleteGroupInviteRequest)
		return ok && slices.Contains(refused, deletion.GetUid())
	}})
	said, diags := p.Protocol(t, nil).Invoke(deleteExpired, acctest.Config{"group": "acme.example"})
	if got := idsOnPlatform(p); !slices.Equal(got, refused) {
		t.Errorf("%d invites are left, want the %d that could not be deleted", len(got), len(refused))
	}
	errs := diags.Errors()
	for _, id := range refused {
		if !slices.ContainsFunc(errs, func(e string) bool { return strings.Contains(e, id) && strings.Contains(e, "out of luck") }) {
			t.Errorf("no error about %s: %q", id, errs)
		}
	}
	if len(errs) != len(refused) {
		t.Errorf("%d errors, want %d", len(errs), len(refused))
	}
	want := []string{"60 of 60 invites in acme.example have expired.", "25 of 60 done.", "50 of 60 done.", "Deleted 57 of 60 expired invites."}
	if !slices.Equal(said, want) {
		t.Errorf("progress %q, want %q", said, want)
	}
}

func TestDeleteExpiredAction_platformsClock(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ahead    time.Duration // of the platform's clock
		wantLeft int
	}{
		"the platform's clock is ahead":           {ahead: 2 * time.Hour, wantLeft: 0},
		"the platform's clock is behind":          {ahead: -2 * time.Hour, wantLeft: 1},
		"the platform's clock is slightly behind": {ahead: -1500 * time.Millisecond, wantLeft: 1},
		"the platform's clock is slightly ahead":  {ahead: time.Second, wantLeft: 0},
		"the platform's clock agrees":             {ahead: 0, wantLeft: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			theirs := newSkewedClock()
			p := acctest.New(t, theirs.set)
			theirs.skew(p, test.ahead)
			// By the local clock, it has just expired.
			p.AddInvite(emulator.Invite{Group: p.Group("acme.example"), RoleUID: p.Role("viewer"), Created: acctest.Start.Add(-time.Hour), TTL: time.Hour})
			if _, diags := p.Protocol(t, nil).Invoke(deleteExpired, acctest.Config{"group": "acme.example"}); len(diags) > 0 {
				t.Fatal(diags)
			}
			if got := len(p.Invites()); got != test.wantLeft {
				t.Errorf("%d invites are left, want %d", got, test.wantLeft)
			}
		})
	}
}

func TestDeleteExpiredAction_needsACompleteListing(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	addExpired(p, "acme.example", 250)
	p.Inject(emulator.Fault{Method: "ListGroupInvites", Code: codes.Internal, Message: "out of luck", Match: notTheFirst()})
	_, diags := p.Protocol(t, nil).Invoke(deleteExpired, acctest.Config{"group": "acme.example"})
	if errs := diags.Errors(); len(errs) != 1 || !strings.Contains(errs[0], "out of luck") {
		t.Errorf("errors are %q", errs)
	}
	if p.Count("DeleteGroupInvite") != 0 {
		t.Errorf("calls: %v", p.Counts())
	}
}

func TestDeleteExpiredAction_interrupted(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	addExpired(p, "acme.example", 100)
	protocol := p.Protocol(t, nil)
	p.Inject(emulator.Fault{Method: "DeleteGroupInvite", Times: 1, Mutate: func(proto.Message) { protocol.Stop() }})
	_, diags := protocol.Invoke(deleteExpired, acctest.Config{"group": "acme.example"})
	if !slices.ContainsFunc(diags.Errors(), func(e string) bool { return strings.Contains(e, "Interrupted: The run was interrupted before") }) {
		t.Errorf("no error about the interrupt: %v", diags)
	}
	if len(p.Invites()) < 50 {
		t.Errorf("%d invites are left: it did not stop", len(p.Invites()))
	}
}

func TestDeleteExpiredAction_unknownGroupFailsThePlan(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	for name, test := range map[string]struct {
		block, config acctest.Config
		want          string
	}{
		"misspelled":          {config: acctest.Config{"group": "acme.exampel"}, want: `Did you mean "acme.example"?`},
		"none":                {want: "Missing Group"},
		"unknown":             {config: acctest.Config{"group": acctest.Unknown}},
		"provider's, unknown": {block: acctest.Config{"group": acctest.Unknown}},
		"unknown api":         {block: acctest.Config{"api": acctest.Unknown}, config: acctest.Config{"group": "acme.example"}},
	} {
		errs := p.Protocol(t, test.block).PlanAction(deleteExpired, test.config).Errors()
		switch {
		case test.want == "" && len(errs) > 0:
			t.Errorf("%s: %q", name, errs)
		case test.want != "" && (len(errs) != 1 || !strings.Contains(errs[0], test.want)):
			t.Errorf("%s: errors are %q, want one with %q", name, errs, test.want)
		}
	}
	// None of these may delete invites elsewhere.
	for _, block := range []acctest.Config{nil, {"group": acctest.Unknown}, {"api": acctest.Unknown}} {
		if _, diags := p.Protocol(t, block).Invoke(deleteExpired, nil); len(diags.Errors()) == 0 {
			t.Errorf("with %v, an action without a group runs", block)
		}
	}
	if p.Count("ListGroupInvites")+p.Count("DeleteGroupInvite") != 0 {
		t.Errorf("calls: %v", p.Counts())
	}
}

func TestDeleteExpiredAction_configuration(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	addExpired(p, "acme.example", 3)
	stays := addValid(p, "acme.example")
	w := workspace(t, p, fmt.Sprintf(`
		action %q "tidy" {
		  config {
		    group = "acme.example"
		  }
		}
		resource "terraform_data" "weekly" {
		  lifecycle {
		    action_trigger {
		      events  = [after_create]
		      actions = [action.%[1]s.tidy]
		    }
		  }
		}
	`, deleteExpired))
	w.NeedsVersion("1.14.0", noOpenTofu)
	w.Run("init")
	output := w.Run("apply", "-auto-approve")
	for _, want := range []string{"3 of 5 invites in acme.example have expired.", "Deleted 3 of 3 expired invites."} {
		if !strings.Contains(output, want) {
			t.Errorf("the output lacks %q:\n%s", want, output)
		}
	}
	if got := idsOnPlatform(p); !slices.Equal(got, stays) {
		t.Errorf("%d invites are left, want the %d that are valid", len(got), len(stays))
	}

	addExpired(p, "acme.example", 1)
	w.Run("apply", "-auto-approve", "-invoke=action."+deleteExpired+".tidy")
	if got := idsOnPlatform(p); !slices.Equal(got, stays) {
		t.Errorf("run by itself, it left %d invites, want the %d that are valid", len(got), len(stays))
	}
}
