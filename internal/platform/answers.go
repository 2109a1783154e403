package platform

import (
	"errors"
	"slices"
	"time"

	sdk "chainguard.dev/sdk/proto/capabilities"
	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/uidp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/refs"
)

// These are the maximum lengths of valid fields.
const (
	maxField = 4 << 10
	maxCode  = 64 << 10
)

// readInvite validates and converts a response. A response without a field that every invite has is an error.
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

// named is a response with a group or a role.
type named interface {
	GetUid() string
	GetName() string
}

// checkNamed returns an error if a response lacks a field that every group and role has.
func (c *Client) checkNamed(answer named, doing string) *Error {
	switch {
	case !uidp.Valid(answer.GetUid()):
		return c.unusable(doing, "its uid %q is no UIDP", redact.Text(answer.GetUid()))
	case len(answer.GetName()) > maxField:
		return c.unusable(doing, "the name of %s is %d bytes long", answer.GetUid(), len(answer.GetName()))
	default:
		return nil
	}
}

func readGroup(answer *iam.Group) Group {
	group := Group{
		ID:          answer.GetUid(),
		Name:        redact.Text(answer.GetName()),
		Description: answer.GetDescription(),
		Verified:    answer.GetVerified(),
	}
	if t := answer.GetCreateTime(); t.CheckValid() == nil {
		group.CreatedAt = t.AsTime()
	}
	if t := answer.GetUpdateTime(); t.CheckValid() == nil {
		group.UpdatedAt = t.AsTime()
	}
	return group
}

func readRole(answer *iam.Role) Role {
	role := Role{ID: answer.GetUid(), Name: redact.Text(answer.GetName()), Description: answer.GetDescription()}
	for _, capability := range answer.GetCapabilities() {
		role.Capabilities = append(role.Capabilities, capabilityName(capability))
	}
	slices.Sort(role.Capabilities)
	return role
}

// capabilityName returns the documented name of a capability, such as "group_invites.create". A capability that is
// newer than the SDK has only a number.
func capabilityName(capability sdk.Capability) string {
	name, err := sdk.Stringify(capability)
	if err != nil || name == "" {
		return capability.String()
	}
	return name
}
