package services

import (
	"context"

	"chainguard.dev/sdk/proto/capabilities"
	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/store"
)

// identities is the read-only service for identities, which come from the seed and from accepted invites.
type identities struct {
	iam.UnimplementedIdentitiesServiceServer
	store  *store.Store
	access *Authorizer
}

var identityListing = listing[*store.Identity]{
	tie: func(i *store.Identity) string { return i.UID },
	keys: map[string]func(*store.Identity) string{
		"uid":  func(i *store.Identity) string { return i.UID },
		"name": func(i *store.Identity) string { return i.Name },
	},
	defaultOrder: "uid asc",
}

func identityMessage(i *store.Identity) *iam.Identity {
	answer := &iam.Identity{
		Uid:        i.UID,
		Name:       i.Name,
		Email:      i.Email,
		CreateTime: timestamppb.New(i.Created),
		UpdateTime: timestamppb.New(i.Created),
	}
	m := i.Match
	if m == (store.Match{}) {
		return answer
	}
	claims := &iam.Identity_ClaimMatch{}
	switch {
	case m.Issuer != "":
		claims.Iss = &iam.Identity_ClaimMatch_Issuer{Issuer: m.Issuer}
	case m.IssuerPattern != "":
		claims.Iss = &iam.Identity_ClaimMatch_IssuerPattern{IssuerPattern: m.IssuerPattern}
	}
	switch {
	case m.Subject != "":
		claims.Sub = &iam.Identity_ClaimMatch_Subject{Subject: m.Subject}
	case m.SubjectPattern != "":
		claims.Sub = &iam.Identity_ClaimMatch_SubjectPattern{SubjectPattern: m.SubjectPattern}
	}
	switch {
	case m.Audience != "":
		claims.Aud = &iam.Identity_ClaimMatch_Audience{Audience: m.Audience}
	case m.AudiencePattern != "":
		claims.Aud = &iam.Identity_ClaimMatch_AudiencePattern{AudiencePattern: m.AudiencePattern}
	}
	answer.Relationship = &iam.Identity_ClaimMatch_{ClaimMatch: claims}
	return answer
}

// GetIdentity implements [iam.IdentitiesServiceServer].
func (s *identities) GetIdentity(_ context.Context, request *iam.GetIdentityRequest) (*iam.Identity, error) {
	i := s.store.Identities[request.GetUid()]
	if i == nil {
		return nil, notFound("Identity", request.GetUid())
	}
	return identityMessage(i), nil
}

// ListIdentities implements [iam.IdentitiesServiceServer]. A person belongs to no group, and is seen where the person
// is bound to a role.
func (s *identities) ListIdentities(ctx context.Context, request *iam.ListIdentitiesRequest) (*iam.ListIdentitiesResponse, error) {
	visible := s.access.visible(caller(ctx), capabilities.Capability_CAP_IAM_IDENTITY_LIST)
	bound := map[string]bool{}
	for _, b := range s.store.Bindings {
		bound[b.Identity] = bound[b.Identity] || visible(b.Group)
	}
	kind := request.GetRelationshipType()
	var found []*store.Identity
	for _, i := range s.store.Identities {
		if matches(request.GetUidp(), i.UID) &&
			(request.GetName() == "" || request.GetName() == i.Name) &&
			(kind == iam.RelationshipType_RELATIONSHIP_TYPE_UNSPECIFIED ||
				kind == iam.RelationshipType_RELATIONSHIP_TYPE_CLAIM_MATCH && i.Match != store.Match{}) &&
			(visible(i.UID) || bound[i.UID]) {
			found = append(found, i)
		}
	}
	page, err := identityListing.page(found, request, s.store.Now())
	if err != nil {
		return nil, err
	}
	return &iam.ListIdentitiesResponse{
		Identities:    each(page.items, identityMessage),
		NextPageToken: page.next,
		TotalCount:    &page.total,
		Skipped:       page.skipped,
	}, nil
}
