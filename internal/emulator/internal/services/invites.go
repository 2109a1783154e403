package services

import (
	"context"
	"fmt"
	"net/mail"

	"chainguard.dev/sdk/proto/capabilities"
	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/uidp"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/store"
)

// invites is the service for invites.
type invites struct {
	iam.UnimplementedGroupInvitesServiceServer
	store  *store.Store
	access *Authorizer
}

var inviteListing = listing[*store.Invite]{
	tie: func(i *store.Invite) string { return fmt.Sprintf("%012d", i.Number()) }, // the order of creation
	keys: map[string]func(*store.Invite) string{
		"created_at": func(i *store.Invite) string { return timeKey(i.Created) },
		"uid":        func(i *store.Invite) string { return i.UID },
	},
	defaultOrder: "created_at desc",
}

// CreateGroupInvite implements [iam.GroupInvitesServiceServer].
func (s *invites) CreateGroupInvite(_ context.Context, request *iam.CreateGroupInviteRequest) (*iam.GroupInvite, error) {
	if s.store.Groups[request.GetParent()] == nil {
		return nil, notFound("Group", request.GetParent())
	}
	asked := request.GetGroupInvite()
	if err := s.check(request.GetParent(), asked); err != nil {
		return nil, err
	}
	created := s.store.AddInvite(store.Invite{
		Group:     request.GetParent(),
		RoleUID:   asked.GetRoleUid(),
		Email:     asked.GetEmail(),
		TTL:       asked.GetTtl().AsDuration(),
		SingleUse: asked.GetSingleUse(),
	})
	answer := s.message(created)
	answer.Code = created.Code
	return answer, nil
}

// check validates an invite to be created.
func (s *invites) check(group string, asked *iam.GroupInvite) error {
	var wrong violations
	longest := s.store.MaxInviteTTL
	switch ttl := asked.GetTtl(); {
	case ttl == nil:
		wrong.add("ttl", "is required")
	case ttl.CheckValid() != nil:
		wrong.add("ttl", "is not a valid duration")
	case ttl.AsDuration() <= 0:
		wrong.add("ttl", "must be positive, is %s", ttl.AsDuration())
	case ttl.AsDuration() > longest:
		wrong.add("ttl", "must not be longer than %s, is %s", longest, ttl.AsDuration())
	case s.store.Behavior.WholeSecondTTL && ttl.GetNanos() != 0:
		wrong.add("ttl", "must be whole seconds, is %s", ttl.AsDuration())
	}
	switch r := s.store.Roles[asked.GetRoleUid()]; {
	case asked.GetRoleUid() == "":
		wrong.add("role_uid", "is required")
	case r == nil:
		wrong.add("role_uid", "there is no role %q", asked.GetRoleUid())
	case !r.Within(group):
		wrong.add("role_uid", "the role %q belongs to %q, which is neither the group nor above it", r.UID, uidp.Parent(r.UID))
	}
	if email := asked.GetEmail(); email != "" && !BareEmail(email) {
		wrong.add("email", "%q is not a bare email address", email)
	}
	return wrong.err()
}

// BareEmail reports whether the text is an email address and nothing else.
func BareEmail(text string) bool {
	address, err := mail.ParseAddress(text)
	return err == nil && address.Address == text
}

// message converts a stored invite. Only Create returns the code, and no method the ttl.
func (s *invites) message(i *store.Invite) *iam.GroupInvite {
	answer := &iam.GroupInvite{
		Uid:            i.UID,
		RoleUid:        i.RoleUID,
		Email:          i.Email,
		SingleUse:      i.SingleUse,
		KeyId:          i.KeyID,
		CreateTime:     timestamppb.New(i.Created),
		ExpirationTime: timestamppb.New(i.Expires),
	}
	if r := s.store.Roles[i.RoleUID]; r != nil {
		answer.Role = &iam.GroupInviteRole{
			Uid:          r.UID,
			Name:         r.Name,
			Description:  r.Description,
			Capabilities: r.Capabilities,
		}
	}
	return answer
}

// GetGroupInvite implements [iam.GroupInvitesServiceServer].
func (s *invites) GetGroupInvite(_ context.Context, request *iam.GetGroupInviteRequest) (*iam.GroupInvite, error) {
	i := s.store.ListedInvite(request.GetUid())
	if i == nil {
		return nil, notFound("GroupInvite", request.GetUid())
	}
	return s.message(i), nil
}

// DeleteGroupInvite implements [iam.GroupInvitesServiceServer].
func (s *invites) DeleteGroupInvite(_ context.Context, request *iam.DeleteGroupInviteRequest) (*emptypb.Empty, error) {
	switch i := s.store.Invite(request.GetUid()); {
	case i != nil:
		s.store.RemoveInvite(i)
	case !s.store.Behavior.MissingDeleteOK:
		return nil, notFound("GroupInvite", request.GetUid())
	}
	return &emptypb.Empty{}, nil
}

// ListGroupInvites implements [iam.GroupInvitesServiceServer].
func (s *invites) ListGroupInvites(ctx context.Context, request *iam.ListGroupInvitesRequest) (*iam.ListGroupInvitesResponse, error) {
	visible := s.access.visible(caller(ctx), capabilities.Capability_CAP_IAM_GROUP_INVITES_LIST)
	var found []*store.Invite
	for _, i := range s.store.ListedInvites() {
		if matches(request.GetUidp(), i.UID) &&
			(request.GetKeyId() == "" || request.GetKeyId() == i.KeyID) &&
			visible(i.Group) {
			found = append(found, i)
		}
	}
	page, err := inviteListing.page(found, request, s.store.Now())
	if err != nil {
		return nil, err
	}
	return &iam.ListGroupInvitesResponse{
		GroupInvites:  each(page.items, s.message),
		NextPageToken: page.next,
		TotalCount:    &page.total,
		Skipped:       page.skipped,
	}, nil
}
