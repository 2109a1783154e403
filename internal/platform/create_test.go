package platform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

func TestCreateInvite_returnsWhatWasCreated(t *testing.T) {
	t.Parallel()
	f := start(t)
	spec := InviteSpec{GroupID: f.group, RoleID: f.Role("editor"), Email: "kim@acme.example", TTL: 36 * time.Hour, SingleUse: true}

	got, err := f.client.CreateInvite(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	stored := f.Invites()[0]
	want := Invite{
		ID: stored.UID, GroupID: f.group, RoleID: spec.RoleID, RoleName: "editor", Email: spec.Email, SingleUse: true,
		Code: redact.Secret(stored.Code), KeyID: redact.Secret(stored.KeyID), CreatedAt: stored.Created.Truncate(time.Millisecond), ExpiresAt: stored.Expires.Truncate(time.Millisecond),
		AsOf: begin.Truncate(time.Second),
	}
	if *got != want {
		t.Errorf("got %+v, want %+v", *got, want)
	}
	if mark := spec.TTL - got.Lifetime(); mark < time.Millisecond || mark > maxMark || mark%time.Millisecond != 0 {
		t.Errorf("its lifetime is %s shorter than its TTL, want 1 to 499 whole milliseconds", mark)
	}
	f.wantCalls(t, "CreateGroupInvite", 1)
	f.wantCalls(t, "ListGroupInvites", 1)
}

func TestCreateInvite_interrupted_beforeItIsSent(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(t *testing.T, f *fixture, interrupt func()){
		"already": func(_ *testing.T, _ *fixture, interrupt func()) { interrupt() },
		"while signing in": func(_ *testing.T, f *fixture, interrupt func()) {
			f.tokens.block = make(chan struct{})
			time.AfterFunc(20*time.Millisecond, interrupt)
		},
		"while the API limits requests": func(t *testing.T, f *fixture, interrupt func()) {
			t.Helper()
			f.Inject(emulator.Fault{Method: "GetGroup", Code: codes.ResourceExhausted, RetryAfter: time.Minute})
			waiting, cancel := context.WithCancel(t.Context())
			f.waits.during = func(time.Duration) { cancel() }
			_, _ = f.client.ReadGroup(waiting, f.group)
			f.ResetRequests()
			f.clock.Advance(-time.Minute) // Time does not advance during the wait.
			f.waits.during = func(time.Duration) { interrupt() }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			ctx, interrupt := context.WithCancel(t.Context())
			prepare(t, f, interrupt)

			_, err := f.client.CreateInvite(ctx, f.spec())

			if !errors.Is(err, context.Canceled) {
				t.Errorf("ended with %v, want it to be interrupted", err)
			}
			f.wantCalls(t, "CreateGroupInvite", 0)
		})
	}
}

func TestCreateInvite_interrupted_betweenTries(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]emulator.Fault{
		"no room":   {Method: "CreateGroupInvite", Code: codes.ResourceExhausted},
		"new group": {Method: "CreateGroupInvite", Code: codes.PermissionDenied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			f.group = f.AddGroup(f.Group("acme.example"), "newcomers", f.clock.Now())
			f.Inject(fault)
			ctx, interrupt := context.WithCancel(t.Context())
			f.waits.during = func(time.Duration) { interrupt() }

			_, err := f.client.CreateInvite(ctx, f.spec())

			if got := errorCode(err); got != fault.Code {
				t.Errorf("ended with %v, want the last error of the platform", err)
			}
			f.wantCalls(t, "CreateGroupInvite", 1)
			f.wantCalls(t, "ListGroupInvites", 1)
			f.wantLive(t)
		})
	}
}

func TestCreateInvite_interrupted_answerInTime(t *testing.T) {
	t.Parallel()
	f := start(t)
	ctx, interrupt := context.WithCancel(t.Context())
	f.Inject(emulator.Fault{
		Method: "CreateGroupInvite", When: emulator.AfterCommit, Delay: 150 * time.Millisecond,
		Match: func(proto.Message) bool { interrupt(); return true },
	})

	got, err := f.client.CreateInvite(ctx, f.spec())
	if err != nil {
		t.Fatal(err)
	}
	f.wantLive(t, got.ID)
	f.wantCalls(t, "CreateGroupInvite", 1)
	f.wantCalls(t, "ListGroupInvites", 1)
}

func TestCreateInvite_interrupted_noAnswer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		when emulator.When
		says string
	}{
		"before commit": {emulator.BeforeCommit, noMatch},
		"after commit":  {emulator.AfterCommit, wasDeleted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			f.client.limits.grace = 50 * time.Millisecond
			ctx, interrupt := context.WithCancel(t.Context())
			f.Inject(emulator.Fault{
				Method: "CreateGroupInvite", When: test.when, Hang: true,
				Match: func(proto.Message) bool { interrupt(); return true },
			})

			_, err := f.client.CreateInvite(ctx, f.spec())

			e := problem(t, err)
			if e.Code != codes.Canceled {
				t.Errorf("ended with %s", e.Code)
			}
			wantText(t, e.Left, test.says)
			f.wantLive(t)
			f.wantCalls(t, "CreateGroupInvite", 1)
		})
	}
}

func TestCreateInvite_deadline(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.client.limits.grace = 10 * time.Millisecond
	f.Inject(emulator.Fault{Method: "CreateGroupInvite", When: emulator.AfterCommit, Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()

	_, err := f.client.CreateInvite(ctx, f.spec())

	e := problem(t, err)
	if e.Code != codes.DeadlineExceeded {
		t.Errorf("ended with %s", e.Code)
	}
	wantText(t, e.Error(), "the time allowed for the operation ran out", wasDeleted)
	f.wantLive(t)
}

func TestCreateInvite_interrupted_unusableAnswer(t *testing.T) {
	t.Parallel()
	f := start(t)
	ctx, interrupt := context.WithCancel(t.Context())
	spoils(1, func(i *iam.GroupInvite) {
		interrupt()
		i.Code = ""
	})(f, "CreateGroupInvite")

	_, err := f.client.CreateInvite(ctx, f.spec())

	wantText(t, problem(t, err).Left, wasDeleted)
	f.wantLive(t)
}

func TestCreateInvite_unusableAnswer_deleteFails(t *testing.T) {
	t.Parallel()
	f := start(t)
	spoils(1, func(i *iam.GroupInvite) { i.Code = "" })(f, "CreateGroupInvite")
	f.Inject(emulator.Fault{Method: "DeleteGroupInvite", Code: codes.PermissionDenied})

	_, err := f.client.CreateInvite(t.Context(), f.spec())

	wantText(t, problem(t, err).Left, f.live()[0], "may still be valid", "chainctl iam invites delete")
	f.wantCalls(t, "CreateGroupInvite", 1)
}

func TestCreateInvite_answeredWithAnotherCreatesInvite(t *testing.T) {
	t.Parallel()
	f := start(t)
	first, err := f.client.CreateInvite(t.Context(), f.spec())
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*iam.GroupInvite){
		"whole":          func(i *iam.GroupInvite) { i.Uid = first.ID },
		"without a code": func(i *iam.GroupInvite) { i.Uid, i.Code = first.ID, "" },
	} {
		spoils(1, spoil)(f, "CreateGroupInvite")
		second, err := f.client.CreateInvite(t.Context(), f.spec())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		f.wantLive(t, first.ID, second.ID)
		if err := f.client.DeleteInvite(t.Context(), second.ID); err != nil {
			t.Fatal(err)
		}
	}
}

// The platform may return an invite that existed before. It does not belong to the create, even if it has the same
// inputs.
func TestCreateInvite_answeredWithAnExistingInvite(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(i *iam.GroupInvite){
		"whole":          func(*iam.GroupInvite) {},
		"without a code": func(i *iam.GroupInvite) { i.Code = "" },
	} {
		f := start(t)
		existing := f.add(f.spec())
		spoils(1, func(i *iam.GroupInvite) {
			i.Uid = existing.UID
			spoil(i)
		})(f, "CreateGroupInvite")

		created, err := f.client.CreateInvite(t.Context(), f.spec())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		f.wantLive(t, existing.UID, created.ID)
	}
}

func TestCreateInvite_answeredWithAnotherGroupsInvite(t *testing.T) {
	t.Parallel()
	f := start(t)
	var elsewhere emulator.Invite
	spoils(1, func(i *iam.GroupInvite) {
		f.DeleteInvite(i.GetUid())
		other := f.spec()
		other.GroupID = f.Group("acme.example")
		elsewhere = f.add(other)
		i.Uid = elsewhere.UID
	})(f, "CreateGroupInvite")

	_, err := f.client.CreateInvite(t.Context(), f.spec())

	wantText(t, problem(t, err).Left, noMatch, elsewhere.UID, "another group", "chainctl iam invites delete")
	f.wantLive(t, elsewhere.UID)
}

// `terraform output -raw` prints a code without escaping.
func TestCreateInvite_codeThatIsNotPrintable(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"\x1b[2J", "\n", " ", "\u0085", "\u200b", "\u202e"} {
		f := start(t)
		var code string
		spoils(1, func(i *iam.GroupInvite) {
			code = i.GetCode()
			i.Code = code[:10] + bad + code[10:]
		})(f, "CreateGroupInvite")

		_, err := f.client.CreateInvite(t.Context(), f.spec())

		e := problem(t, err)
		wantText(t, e.Message, "control characters")
		wantText(t, e.Left, wasDeleted)
		if text := e.Error(); strings.Contains(text, code[:10]) || strings.Contains(text, code[10:]) {
			t.Errorf("%q: the error shows the code", bad)
		}
		f.wantLive(t)
	}
}

// An invite for another address is not the configured one, however similar the addresses look.
func TestCreateInvite_answeredForALookalikeAddress(t *testing.T) {
	t.Parallel()
	f := start(t)
	spoils(1, func(i *iam.GroupInvite) { i.Email = "\u212aim@acme.example" })(f, "CreateGroupInvite")
	spec := f.spec()
	spec.Email = "kim@acme.example"

	_, err := f.client.CreateInvite(t.Context(), spec)

	wantText(t, problem(t, err).Message, "for another address")
	f.wantLive(t)
}

func TestCreateInvite_printsNoCode(t *testing.T) {
	t.Parallel()
	f := start(t)
	invite, err := f.client.CreateInvite(t.Context(), f.spec())
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range printed(invite, *invite) {
		if strings.Contains(text, invite.Code.Reveal()) || strings.Contains(text, invite.KeyID.Reveal()) {
			t.Error("an invite prints its code or its key")
		}
	}
}

// printed returns values in every form in which they could be logged.
func printed(values ...any) []string {
	var texts []string
	for _, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			texts = append(texts, fmt.Sprintf(verb, value))
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("", "invite", value)
		texts = append(texts, log.String())
	}
	return texts
}
