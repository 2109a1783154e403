package platform

import (
	"context"
	"errors"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/uidp"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/refs"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/rpc"
)

// ReadInvite returns the invite with the UIDP id. [IsNotFound] tells whether the error is that there is none (any more).
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

// The lengths above which a field of an answer cannot be right.
const (
	maxField = 4 << 10
	maxCode  = 64 << 10
)

// readInvite checks an answer and takes it over. An answer that lacks what every invite has is an error.
func (c *Client) readInvite(answer *iam.GroupInvite, asOf time.Time, doing string) (*Invite, *Error) {
	for name, value := range map[string]string{
		"uid": answer.GetUid(), "role_uid": answer.GetRoleUid(), "email": answer.GetEmail(), "key_id": answer.GetKeyId(),
		"role.name": answer.GetRole().GetName(),
	} {
		if len(value) > maxField {
			return nil, c.unusable(doing, "its %s is %d bytes long", name, len(value))
		}
	}
	if !refs.IsInviteUIDP(answer.GetUid()) {
		return nil, c.unusable(doing, "its uid %q is not the UIDP of an invite", redact.Text(answer.GetUid()))
	}
	if len(answer.GetCode()) > maxCode {
		return nil, c.unusable(doing, "its code is %d bytes long", len(answer.GetCode()))
	}
	created, err := readTime(answer.GetCreateTime())
	if err != nil {
		return nil, c.unusable(doing, "its create_time %v", err)
	}
	expires, err := readTime(answer.GetExpirationTime())
	if err != nil {
		return nil, c.unusable(doing, "its expiration_time %v", err)
	}
	roleID := answer.GetRoleUid()
	if roleID == "" {
		roleID = answer.GetRole().GetUid()
	}
	return &Invite{
		ID:        answer.GetUid(),
		GroupID:   uidp.Parent(answer.GetUid()),
		RoleID:    roleID,
		RoleName:  answer.GetRole().GetName(),
		Email:     answer.GetEmail(),
		SingleUse: answer.GetSingleUse(),
		Code:      redact.Secret(answer.GetCode()),
		KeyID:     redact.Secret(answer.GetKeyId()),
		CreatedAt: created,
		ExpiresAt: expires,
		AsOf:      asOf,
	}, nil
}

func readTime(t *timestamppb.Timestamp) (time.Time, error) {
	if t == nil {
		return time.Time{}, errors.New("is missing")
	}
	if err := t.CheckValid(); err != nil {
		return time.Time{}, errors.New("is not a valid time")
	}
	return t.AsTime(), nil
}
