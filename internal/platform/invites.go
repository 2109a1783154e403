package platform

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/uidp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/refs"
)

// InviteSpec is what an invite is made from.
type InviteSpec struct {
	// GroupID is the UIDP of the group that the invitee joins.
	GroupID string
	// RoleID is the UIDP of the role the invitee gets there.
	RoleID string
	// Email is the only address that may accept. Empty is anybody who has the code.
	Email string
	// TTL is how long the invite lives.
	TTL time.Duration
	// SingleUse has the platform delete the invite when it is accepted.
	SingleUse bool
}

// Invite is an invite as the platform tells of it.
type Invite struct {
	// ID is the invite's UIDP, a child of its group's.
	ID string
	// GroupID is the UIDP of the group that the invitee joins.
	GroupID string
	// RoleID is the UIDP of the role the invitee gets there.
	RoleID string
	// RoleName is the role's name. It is empty where the role was deleted.
	RoleName string
	// Email is the only address that may accept. Empty is anybody who has the code.
	Email string
	// SingleUse says that the platform deletes the invite when it is accepted.
	SingleUse bool
	// Code is what the invitee redeems, a bearer credential. The platform tells it once, in the answer to the create.
	Code string
	// KeyID names the key that verifies the code. Public sources disagree on whether it may be known.
	KeyID string
	// CreatedAt and ExpiresAt are the platform's times, in UTC.
	CreatedAt, ExpiresAt time.Time
	// InPlaceOf is the UIDP of the invite that was revoked before this one was made, because the answer to its create
	// was lost. It is empty where no answer was lost, and but for what a create answers.
	InPlaceOf string
}

// LogValue implements [slog.LogValuer]: an invite shows nothing but its ID, however it is logged.
func (i Invite) LogValue() slog.Value { return slog.StringValue(i.ID) }

// Format implements [fmt.Formatter]: an invite shows nothing but its ID, whatever the verb.
func (i Invite) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, i.ID) }

// The lengths above which a field of an answer is nonsense.
const (
	maxField = 4 << 10
	maxCode  = 64 << 10
)

// DeleteInvite revokes the invite with the UIDP id. That there is no such invite, or no such group, is success.
func (c *Client) DeleteInvite(ctx context.Context, id string) error {
	defer c.reads.forget(id)
	err := c.withYoungGroup(ctx, uidp.Parent(id), func() error {
		_, err := c.invites.DeleteGroupInvite(ctx, &iam.DeleteGroupInviteRequest{Uid: id})
		return err
	})
	if err != nil && !IsNotFound(err) {
		return c.explain(err, deleteInvite, "revoking invite "+redact.Text(id))
	}
	return nil
}

// readInvite checks an answer and takes it over. An answer that lacks what every invite has is an error.
func (c *Client) readInvite(answer *iam.GroupInvite, doing string) (*Invite, error) {
	for name, value := range map[string]string{
		"uid": answer.GetUid(), "role_uid": answer.GetRoleUid(), "email": answer.GetEmail(), "key_id": answer.GetKeyId(),
		"role.name": answer.GetRole().GetName(),
	} {
		if len(value) > maxField {
			return nil, c.malformed(doing, "its %s is %d bytes long", name, len(value))
		}
	}
	if !refs.IsInviteUIDP(answer.GetUid()) {
		return nil, c.malformed(doing, "its uid %q is not the UIDP of an invite", redact.Text(answer.GetUid()))
	}
	if len(answer.GetCode()) > maxCode {
		return nil, c.malformed(doing, "its code is %d bytes long", len(answer.GetCode()))
	}
	created, err := readTime(answer.GetCreateTime())
	if err != nil {
		return nil, c.malformed(doing, "its create_time %v", err)
	}
	expires, err := readTime(answer.GetExpirationTime())
	if err != nil {
		return nil, c.malformed(doing, "its expiration_time %v", err)
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
		Code:      strings.TrimSpace(answer.GetCode()),
		KeyID:     answer.GetKeyId(),
		CreatedAt: created,
		ExpiresAt: expires,
	}, nil
}

func readTime(t *timestamppb.Timestamp) (time.Time, error) {
	if t == nil {
		return time.Time{}, fmt.Errorf("is missing")
	}
	if err := t.CheckValid(); err != nil {
		return time.Time{}, fmt.Errorf("is no time")
	}
	return t.AsTime(), nil
}
