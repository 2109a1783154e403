package emulator_test

import (
	"context"
	"io"
	"testing"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// platform is an emulator with a fake clock, and clients of it.
type platform struct {
	*emulator.Emulator
	clock   *clock.Fake
	invites iam.GroupInvitesServiceClient
	groups  iam.GroupsServiceClient
	roles   iam.RolesServiceClient
	admin   context.Context // a call's context with the admin's token
}

func start(t *testing.T, seed emulator.Seed) *platform {
	t.Helper()
	fake := clock.NewFake(time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC))
	e := emulator.ForTest(t, emulator.Options{Seed: seed, Clock: fake})
	conn := dial(t, e)
	return &platform{
		Emulator: e,
		clock:    fake,
		invites:  iam.NewGroupInvitesServiceClient(conn),
		groups:   iam.NewGroupsServiceClient(conn),
		roles:    iam.NewRolesServiceClient(conn),
		admin:    as(t.Context(), e.AdminToken()),
	}
}

func dial(t *testing.T, e *emulator.Emulator) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(e.URL()[len("http://"):], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func closeIt(t *testing.T, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
}

// as adds a bearer token to a call's context.
func as(ctx context.Context, token string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

// create makes an invite for the folder that the default seed has.
func (p *platform) create(ctx context.Context, change func(*iam.CreateGroupInviteRequest)) (*iam.GroupInvite, error) {
	request := &iam.CreateGroupInviteRequest{
		Parent: p.Group("acme.example/platform"),
		GroupInvite: &iam.GroupInvite{
			RoleUid: p.Role("viewer"),
			Ttl:     durationpb.New(24 * time.Hour),
		},
	}
	if change != nil {
		change(request)
	}
	return p.invites.CreateGroupInvite(ctx, request)
}

func (p *platform) mustCreate(t *testing.T, change func(*iam.CreateGroupInviteRequest)) *iam.GroupInvite {
	t.Helper()
	invite, err := p.create(p.admin, change)
	if err != nil {
		t.Fatalf("creating an invite: %v", err)
	}
	return invite
}

// wantCode fails the test unless the error is a status of this code.
func wantCode(t *testing.T, err error, want codes.Code) {
	t.Helper()
	if got := status.Code(err); got != want {
		t.Fatalf("the call answered %s (%v), want %s", got, err, want)
	}
}

// detail returns the first detail of a type.
func detail[T any](t *testing.T, err error) T {
	t.Helper()
	for _, d := range status.Convert(err).Details() {
		if found, ok := d.(T); ok {
			return found
		}
	}
	var none T
	t.Fatalf("the error %v has no detail of the type %T", err, none)
	return none
}
