package emulator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"chainguard.dev/sdk/proto/capabilities"
	auth "chainguard.dev/sdk/proto/platform/auth/v1"
	iamv1 "chainguard.dev/sdk/proto/platform/iam/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// registration is the service that accepts invites, and tells callers who they are.
type registration struct {
	auth.UnimplementedAuthServer
	*Emulator
}

// Register implements [auth.AuthServer]. The caller's token may be any issuer's.
func (s *registration) Register(ctx context.Context, request *auth.RegistrationRequest) (*auth.Session, error) {
	upstream, err := s.upstream(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if id := request.GetIdentityId(); id != "" && s.store.identities[id] == nil {
		return nil, notFound("Identity", id)
	}
	group := ""
	if code := request.GetCode(); code != "" {
		if group, err = s.accept(code, request.GetIdentityId(), upstream); err != nil {
			return nil, err
		}
	}
	identity := request.GetIdentityId()
	if identity == "" {
		identity = s.register(upstream).uid
	}
	return &auth.Session{Identity: identity, Group: group}, nil
}

// accept redeems a code for an identity, or for the one that the caller's token belongs to, and returns the group that
// it is now a member of.
func (e *Emulator) accept(code, identityUID string, upstream *claims) (group string, err error) {
	var invite *Invite
	for _, i := range e.store.ordered {
		if i.Code == code {
			invite = i
			break
		}
	}
	switch {
	case invite == nil:
		return "", failure(codes.NotFound, "INVITE_NOT_FOUND",
			"the invite code is not known: it was mistyped, revoked, or used by someone before")
	case !e.clock.Now().Before(invite.Expires):
		return "", precondition("INVITE_EXPIRED", invite.UID,
			"the invite expired at "+invite.Expires.UTC().Format(time.RFC3339))
	case invite.Email != "" && !provesEmail(upstream, invite.Email):
		return "", failure(codes.PermissionDenied, "INVITE_FOR_SOMEONE_ELSE",
			"the invite is for another email address than the one of the caller's token")
	case e.store.roles[invite.RoleUID] == nil:
		return "", precondition("ROLE_DELETED", invite.RoleUID, "the role of the invite was deleted")
	}
	member := e.store.identities[identityUID]
	if member == nil {
		member = e.register(upstream)
	}
	granted := binding{invite.Group, invite.RoleUID}
	if !slices.Contains(member.bindings, granted) {
		member.bindings = append(member.bindings, granted)
	}
	if invite.SingleUse {
		e.store.removeInvite(invite)
	}
	return invite.Group, nil
}

// provesEmail says that the token shows its bearer to own the address.
func provesEmail(c *claims, email string) bool {
	return strings.EqualFold(c.Email, email) && (c.EmailVerified == nil || *c.EmailVerified)
}

// Validate implements [auth.AuthServer].
func (s *registration) Validate(ctx context.Context, _ *emptypb.Empty) (*auth.WhoAmI, error) {
	c := caller(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := &auth.WhoAmI{
		Issuer:   c.Issuer,
		Subject:  c.Subject,
		Audience: c.Audience,
		Expiry:   timestamppb.New(time.Unix(c.Expires, 0)),
		IssuedAt: timestamppb.New(time.Unix(c.IssuedAt, 0)),
		Email:    c.Email,
	}
	for _, b := range s.store.identities[c.Subject].bindings {
		g, r := s.store.groups[b.group], s.store.roles[b.role]
		if g == nil || r == nil {
			continue
		}
		names, err := capabilities.StringifyAll(r.capabilities)
		if err != nil {
			return nil, fmt.Errorf("the capabilities of the role %q: %w", r.uid, err)
		}
		answer.Capabilities = append(answer.Capabilities, &auth.WhoAmI_Capability{
			Group: &iamv1.Group{Id: g.uid, Name: g.name, Description: g.description, Verified: g.verified},
			Role:  &iamv1.Role{Id: r.uid, Name: r.name, Description: r.description, Capabilities: names},
		})
	}
	return answer, nil
}

// Accept redeems a code, as the person whom the invite is for.
func (e *Emulator) Accept(code string) error {
	email := "someone@example.com"
	for _, i := range e.Invites() {
		if i.Code == code && i.Email != "" {
			email = i.Email
		}
	}
	return e.AcceptAs(code, email)
}

// AcceptAs redeems a code, as the person with this email address.
func (e *Emulator) AcceptAs(code, email string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, err := e.accept(code, "", &claims{Issuer: "https://upstream.example.com", Subject: email, Email: email})
	return err
}
