package services

import (
	"context"

	"chainguard.dev/sdk/proto/capabilities"
	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/store"
)

// roleBindings is the read-only service for role bindings, which come from the seed and from accepted invites.
type roleBindings struct {
	iam.UnimplementedRoleBindingsServiceServer
	store  *store.Store
	access *Authorizer
}

var bindingListing = listing[*store.Binding]{
	tie:          func(b *store.Binding) string { return b.UID },
	keys:         map[string]func(*store.Binding) string{"uid": func(b *store.Binding) string { return b.UID }},
	defaultOrder: "uid asc",
}

// message converts a role binding, with details of the identity, group and role that still exist.
func (s *roleBindings) message(b *store.Binding) *iam.RoleBinding {
	answer := &iam.RoleBinding{
		Uid:         b.UID,
		IdentityUid: b.Identity,
		RoleUid:     b.Role,
		CreateTime:  timestamppb.New(b.Created),
	}
	if i := s.store.Identities[b.Identity]; i != nil {
		answer.Identity = &iam.RoleBindingIdentity{
			Uid:     i.UID,
			Name:    i.Name,
			Email:   i.Email,
			Issuer:  i.Match.Issuer,
			Subject: i.Match.Subject,
		}
	}
	if g := s.store.Groups[b.Group]; g != nil {
		answer.Group = &iam.RoleBindingGroup{Uid: g.UID, Name: g.Name, Description: g.Description}
	}
	if r := s.store.Roles[b.Role]; r != nil {
		answer.Role = &iam.RoleBindingRole{Uid: r.UID, Name: r.Name, Description: r.Description}
	}
	return answer
}

// GetRoleBinding implements [iam.RoleBindingsServiceServer].
func (s *roleBindings) GetRoleBinding(_ context.Context, request *iam.GetRoleBindingRequest) (*iam.RoleBinding, error) {
	for _, b := range s.store.Bindings {
		if b.UID == request.GetUid() {
			return s.message(b), nil
		}
	}
	return nil, notFound("RoleBinding", request.GetUid())
}

// ListRoleBindings implements [iam.RoleBindingsServiceServer].
func (s *roleBindings) ListRoleBindings(ctx context.Context, request *iam.ListRoleBindingsRequest) (*iam.ListRoleBindingsResponse, error) {
	visible := s.access.visible(caller(ctx), capabilities.Capability_CAP_IAM_ROLE_BINDINGS_LIST)
	anyOr := func(asked, is string) bool { return asked == "" || asked == is }
	var found []*store.Binding
	for _, b := range s.store.Bindings {
		if matches(request.GetUidp(), b.UID) && anyOr(request.GetIdentity(), b.Identity) && anyOr(request.GetGroup(), b.Group) &&
			anyOr(request.GetRole(), b.Role) && visible(b.Group) {
			found = append(found, b)
		}
	}
	page, err := bindingListing.page(found, request, s.store.Now())
	if err != nil {
		return nil, err
	}
	return &iam.ListRoleBindingsResponse{
		RoleBindings:  each(page.items, s.message),
		NextPageToken: page.next,
		TotalCount:    &page.total,
		Skipped:       page.skipped,
	}, nil
}
