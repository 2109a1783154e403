package platform

import (
	"context"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/uidp"
	"google.golang.org/grpc"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/rpc"
)

// ReadInvite returns the invite with the UIDP id. [IsNotFound] reports whether the error is that there is none (any more).
// Where many invites of one group are read, it may be answered from a listing of the group that began after the client
// was made.
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

// getInvite reads one invite by a call of its own.
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

// DeleteInvite deletes the invite with the UIDP id. That there is no such invite, or no such group, is success.
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
