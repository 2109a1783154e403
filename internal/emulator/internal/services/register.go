package services

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"chainguard.dev/sdk/proto/capabilities"
	auth "chainguard.dev/sdk/proto/platform/auth/v1"
	iamv1 "chainguard.dev/sdk/proto/platform/iam/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/store"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/token"
)

// registration is the service that accepts invites and returns who the caller is.
type registration struct {
	auth.UnimplementedAuthServer
	store  *store.Store
	issuer *Issuer
}

// Register implements [auth.AuthServer]. The caller's token may be any issuer's.
func (s *registration) Register(ctx context.Context, request *auth.RegistrationRequest) (*auth.Session, error) {
	upstream, err := s.issuer.upstream(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.issuer.checkAudience(upstream); err != nil {
		return nil, err
	}
	identity := request.GetIdentityId()
	if identity != "" && s.store.Identities[identity] == nil {
		return nil, notFound("Identity", identity)
	}
	if code := request.GetCode(); code != "" {
		b, err := s.issuer.Accept(code, identity, upstream)
		if err != nil {
			return nil, err
		}
		return &auth.Session{Identity: b.Identity, Group: b.Group}, nil
	}
	if identity == "" {
		identity = s.issuer.register(upstream).UID
	}
	return &auth.Session{Identity: identity}, nil
}

// Accept accepts an invite code, and returns the role binding that it grants to identity or, if that is "", to the
// identity of the caller's token.
func (i *Issuer) Accept(code, identity string, c *token.Claims) (*store.Binding, error) {
	var invite *store.Invite
	for _, stored := range i.store.Invites() {
		if stored.Code == code {
			invite = stored
			break
		}
	}
	switch {
	case invite == nil:
		return nil, failure(codes.NotFound, "INVITE_NOT_FOUND",
			"the invite code is not known: it was mistyped, deleted, or accepted before")
	case !i.store.Now().Before(invite.Expires):
		return nil, precondition("INVITE_EXPIRED", "the invite expired at "+invite.Expires.UTC().Format(time.RFC3339))
	case invite.Email != "" && !c.ProvesEmail(invite.Email):
		return nil, failure(codes.PermissionDenied, "INVITE_FOR_SOMEONE_ELSE",
			"the invite is for another email address than the one of the caller's token")
	case i.store.Roles[invite.RoleUID] == nil:
		return nil, precondition("ROLE_DELETED", "the role of the invite was deleted")
	}
	if i.store.Identities[identity] == nil {
		identity = i.register(c).UID
	}
	if invite.SingleUse {
		i.store.RemoveInvite(invite)
	}
	return i.store.Bind(identity, invite.Group, invite.RoleUID), nil
}

// register returns the identity for an upstream token, which it creates if there is none.
func (i *Issuer) register(c *token.Claims) *store.Identity {
	if identity := i.identityOf(c); identity != nil {
		return identity
	}
	identity := &store.Identity{
		UID:     i.store.NewUID("", "identity", c.Issuer+" "+c.Subject),
		Name:    cmp.Or(c.Email, c.Subject),
		Email:   c.Email,
		Match:   store.Match{Issuer: c.Issuer, Subject: c.Subject},
		Created: i.store.Stamp(),
	}
	i.store.Identities[identity.UID] = identity
	return identity
}

// Validate implements [auth.AuthServer].
func (s *registration) Validate(ctx context.Context, _ *emptypb.Empty) (*auth.WhoAmI, error) {
	c := caller(ctx)
	answer := &auth.WhoAmI{
		Issuer:   c.Issuer,
		Subject:  c.Subject,
		Audience: c.Audience,
		Expiry:   timestamppb.New(time.Unix(c.Expires, 0)),
		IssuedAt: timestamppb.New(time.Unix(c.IssuedAt, 0)),
		Email:    c.Email,
	}
	for _, b := range s.store.Grants(c.Subject) {
		g, r := s.store.Groups[b.Group], s.store.Roles[b.Role]
		if g == nil || r == nil {
			continue
		}
		names, err := capabilities.StringifyAll(r.Capabilities)
		if err != nil {
			return nil, fmt.Errorf("the capabilities of the role %q: %w", r.UID, err)
		}
		answer.Capabilities = append(answer.Capabilities, &auth.WhoAmI_Capability{
			Group: &iamv1.Group{Id: g.UID, Name: g.Name, Description: g.Description, Verified: g.Verified},
			Role:  &iamv1.Role{Id: r.UID, Name: r.Name, Description: r.Description, Capabilities: names},
		})
	}
	return answer, nil
}
