package platform

import (
	"context"
	"errors"
	"testing"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

func TestCreateAnswersWhatWasMinted(t *testing.T) {
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
		Code: stored.Code, KeyID: stored.KeyID, CreatedAt: begin.Truncate(time.Millisecond), ExpiresAt: begin.Truncate(time.Millisecond).Add(36 * time.Hour),
	}
	if *got != want {
		t.Errorf("got another invite than was stored") // Not printed: it holds the code.
	}
	f.wantCalls(t, "", 1)
}

func TestCreateInterruptedBeforeItIsSentSendsNothing(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(t *testing.T, f *fixture, interrupt func()){
		"already": func(_ *testing.T, _ *fixture, interrupt func()) { interrupt() },
		"while signing in": func(_ *testing.T, f *fixture, interrupt func()) {
			f.tokens.block = make(chan struct{})
			time.AfterFunc(20*time.Millisecond, interrupt)
		},
		"while the platform has no room": func(_ *testing.T, f *fixture, interrupt func()) {
			f.client.pace.backOff(f.clock.Now(), time.Minute)
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
			f.wantCalls(t, "", 0)
		})
	}
}

func TestCreateInterruptedBetweenTriesIsNotSentAgainNorSearchedFor(t *testing.T) {
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

			if got := codeOf(err); got != fault.Code {
				t.Errorf("ended with %v, want what the platform said last", err)
			}
			f.wantCalls(t, "CreateGroupInvite", 1)
			f.wantCalls(t, "ListGroupInvites", 0)
			f.wantLive(t)
		})
	}
}

func TestCreateInterruptedUnderWayTakesAnAnswerThatComesInTime(t *testing.T) {
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
	f.wantCalls(t, "", 1)
}

func TestCreateInterruptedUnderWayLeavesNothingWhenNoAnswerComes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		when emulator.When
		says string
	}{
		"before commit": {emulator.BeforeCommit, nothing},
		"after commit":  {emulator.AfterCommit, "it was revoked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			f.client.grace = 50 * time.Millisecond
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

func TestCreateWhoseTimeIsOverSaysSo(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.client.grace = 10 * time.Millisecond
	f.Inject(emulator.Fault{Method: "CreateGroupInvite", When: emulator.AfterCommit, Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()

	_, err := f.client.CreateInvite(ctx, f.spec())

	e := problem(t, err)
	if e.Code != codes.DeadlineExceeded {
		t.Errorf("ended with %s", e.Code)
	}
	wantText(t, e.Error(), "the time allowed for the operation ran out", "it was revoked")
	f.wantLive(t)
}

func TestCreateInterruptedWithAnAnswerThatCannotBeUsedLeavesNothing(t *testing.T) {
	t.Parallel()
	f := start(t)
	ctx, interrupt := context.WithCancel(t.Context())
	spoils(1, func(i *iam.GroupInvite) {
		interrupt()
		i.Code = ""
	})(f, "CreateGroupInvite")

	_, err := f.client.CreateInvite(ctx, f.spec())

	wantText(t, problem(t, err).Left, "it was revoked")
	f.wantLive(t)
}

func TestCreateThatFailsOnItsAnswerNamesTheInviteThatItCannotRevoke(t *testing.T) {
	t.Parallel()
	f := start(t)
	spoils(1, func(i *iam.GroupInvite) { i.Code = "" })(f, "CreateGroupInvite")
	f.Inject(emulator.Fault{Method: "DeleteGroupInvite", Code: codes.PermissionDenied})

	_, err := f.client.CreateInvite(t.Context(), f.spec())

	wantText(t, problem(t, err).Left, f.live()[0], "may be alive", "chainctl iam invites delete")
	f.wantCalls(t, "CreateGroupInvite", 1)
}

func TestCreateThatIsAnsweredWithAnotherCreatesInviteLeavesThatAlone(t *testing.T) {
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

func TestCreateThatIsAnsweredWithAnInviteOfAnotherGroupNamesIt(t *testing.T) {
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

	wantText(t, problem(t, err).Left, nothing, elsewhere.UID, "another group", "chainctl iam invites delete")
	f.wantLive(t, elsewhere.UID)
}

func TestCreateInviteShowsNoCodeHoweverItIsPrinted(t *testing.T) {
	t.Parallel()
	f := start(t)
	invite, err := f.client.CreateInvite(t.Context(), f.spec())
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range printed(invite, *invite) {
		if text != invite.ID {
			t.Error("an invite prints more than its ID")
		}
	}
}
