package platform

import (
	"context"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/uidp"
	"google.golang.org/grpc"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/rpc"
)

// ReadInvite returns the invite with the UIDP id. The error satisfies [IsNotFound] if there is none. If many invites of
// a group are read, the result may be from a listing of the group that started after the client was created.
func (c *Client) ReadInvite(ctx context.Context, id string) (*Invite, error) {
	groupID := uidp.Parent(id)
	invite, err := c.reads.take(ctx, id, func() *pager[*Invite] { return c.invitePages(Scope{GroupID: groupID}) })
	switch {
	case err != nil:
		return nil, c.explain(err, readInvites, "reading invite "+redact.Text(id))
	case invite != nil:
		return invite, nil
	default:
		return c.getInvite(ctx, id)
	}
}

// getInvite reads one invite with Get.
func (c *Client) getInvite(ctx context.Context, id string, options ...grpc.CallOption) (*Invite, error) {
	doing := "reading invite " + redact.Text(id)
	asked := c.clock.Now()
	var outcome rpc.Outcome
	var answer *iam.GroupInvite
	err := c.withYoungGroup(ctx, uidp.Parent(id), func() (err error) {
		answer, err = c.invites.GetGroupInvite(ctx, &iam.GetGroupInviteRequest{Uid: id}, append(options, rpc.Report(&outcome))...)
		return err
	})
	if err != nil {
		return nil, c.explain(err, readInvites, doing)
	}
	if answer.GetUid() != id {
		return nil, c.unusable(doing, "it is about another invite, %q", redact.Text(answer.GetUid()))
	}
	invite, bad := c.readInvite(answer, dateOr(outcome.Date, asked), doing)
	if bad != nil {
		return nil, bad
	}
	return invite, nil
}

// DeleteInvite deletes the invite with the UIDP id. It succeeds if the invite or its group does not exist.
func (c *Client) DeleteInvite(ctx context.Context, id string) error { return c.deleteInvite(ctx, id) }

func (c *Client) deleteInvite(ctx context.Context, id string, options ...grpc.CallOption) error {
	defer c.reads.forget(id)
	err := c.withYoungGroup(ctx, uidp.Parent(id), func() error {
		_, err := c.invites.DeleteGroupInvite(ctx, &iam.DeleteGroupInviteRequest{Uid: id}, options...)
		return err
	})
	if err != nil && !IsNotFound(err) {
		return c.explain(err, deleteInvite, "deleting invite "+redact.Text(id))
	}
	return nil
}
