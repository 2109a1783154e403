package emulator

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"chainguard.dev/sdk/proto/capabilities"
	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/uidp"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Invite is a stored invite.
type Invite struct {
	UID, Group, RoleUID string
	Email               string
	TTL                 time.Duration
	SingleUse           bool
	Code, KeyID         string
	Created, Expires    time.Time

	number int // of all invites ever created
}

// invites is the service for invites.
type invites struct {
	iam.UnimplementedGroupInvitesServiceServer
	*Emulator
}

var inviteListing = listing[*Invite]{
	// In the order of creation, because that is how they are stored: sorting what is sorted already keeps lists of
	// thousands cheap.
	tie: sortKey[*Invite]{
		compare: func(a, b *Invite) int { return a.number - b.number },
		text:    func(i *Invite) string { return fmt.Sprintf("%012d", i.number) },
	},
	keys: map[string]sortKey[*Invite]{
		"created_at":      byTime(func(i *Invite) time.Time { return i.Created }),
		"create_time":     byTime(func(i *Invite) time.Time { return i.Created }),
		"expires_at":      byTime(func(i *Invite) time.Time { return i.Expires }),
		"expiration_time": byTime(func(i *Invite) time.Time { return i.Expires }),
		"uid":             byText(func(i *Invite) string { return i.UID }),
		"email":           byText(func(i *Invite) string { return i.Email }),
		"key_id":          byText(func(i *Invite) string { return i.KeyID }),
	},
	defaultOrder: "created_at desc",
}

// CreateGroupInvite implements [iam.GroupInvitesServiceServer].
func (s *invites) CreateGroupInvite(_ context.Context, request *iam.CreateGroupInviteRequest) (*iam.GroupInvite, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.store.groups[request.GetParent()] == nil {
		return nil, notFound("Group", request.GetParent())
	}
	asked := request.GetGroupInvite()
	if err := s.checkInvite(request.GetParent(), asked); err != nil {
		return nil, err
	}
	created := s.store.addInvite(Invite{
		Group:     request.GetParent(),
		RoleUID:   asked.GetRoleUid(),
		Email:     asked.GetEmail(),
		TTL:       asked.GetTtl().AsDuration(),
		SingleUse: asked.GetSingleUse(),
		Created:   s.clock.Now().UTC(),
	})
	answer := s.invite(created)
	answer.Code = created.Code
	return answer, nil
}

// checkInvite says what is wrong with an invite that is to be created.
func (e *Emulator) checkInvite(group string, asked *iam.GroupInvite) error {
	var wrong violations
	switch ttl := asked.GetTtl(); {
	case ttl == nil:
		wrong.add("group_invite.ttl", "is required")
	case ttl.CheckValid() != nil:
		wrong.add("group_invite.ttl", "is not a valid duration")
	case ttl.AsDuration() <= 0:
		wrong.add("group_invite.ttl", "must be positive, is %s", ttl.AsDuration())
	case ttl.AsDuration() > e.store.maxInviteTTL:
		wrong.add("group_invite.ttl", "must not be longer than %s, is %s", e.store.maxInviteTTL, ttl.AsDuration())
	}
	switch r := e.store.roles[asked.GetRoleUid()]; {
	case asked.GetRoleUid() == "":
		wrong.add("group_invite.role_uid", "is required")
	case r == nil:
		wrong.add("group_invite.role_uid", "there is no role %q", asked.GetRoleUid())
	case !r.within(group):
		wrong.add("group_invite.role_uid", "the role %q belongs to %q, which is neither the group nor above it", r.uid, uidp.Parent(r.uid))
	}
	if email := asked.GetEmail(); email != "" && !bareEmail(email) {
		wrong.add("group_invite.email", "%q is not a bare email address", email)
	}
	return wrong.err()
}

// newCode makes an invite code. Like the platform's it is base64 of JSON that starts with the group; unlike them it
// says that it is of no use elsewhere.
func newCode(group string) string {
	b, err := json.Marshal(struct {
		Group  string `json:"grp"`
		Issuer string `json:"iss"`
		Secret string `json:"sec"`
	}{group, "chainguard-emulator: not an invite to anything real", randomHex(20)})
	if err != nil {
		panic(err) // three strings
	}
	return base64.StdEncoding.EncodeToString(b)
}

// invite is a stored invite as the API shows it: without its code.
func (e *Emulator) invite(i *Invite) *iam.GroupInvite {
	answer := &iam.GroupInvite{
		Uid:            i.UID,
		RoleUid:        i.RoleUID,
		Email:          i.Email,
		SingleUse:      i.SingleUse,
		KeyId:          i.KeyID,
		CreateTime:     timestamppb.New(i.Created),
		ExpirationTime: timestamppb.New(i.Expires),
	}
	if r := e.store.roles[i.RoleUID]; r != nil {
		answer.Role = &iam.GroupInviteRole{
			Uid:          r.uid,
			Name:         r.name,
			Description:  r.description,
			Capabilities: r.capabilities,
		}
	}
	return answer
}

// GetGroupInvite implements [iam.GroupInvitesServiceServer].
func (s *invites) GetGroupInvite(_ context.Context, request *iam.GetGroupInviteRequest) (*iam.GroupInvite, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.store.invites[request.GetUid()]
	if i == nil {
		return nil, notFound("GroupInvite", request.GetUid())
	}
	return s.invite(i), nil
}

// DeleteGroupInvite implements [iam.GroupInvitesServiceServer].
func (s *invites) DeleteGroupInvite(_ context.Context, request *iam.DeleteGroupInviteRequest) (*emptypb.Empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch i := s.store.invites[request.GetUid()]; {
	case i != nil:
		s.store.removeInvite(i)
	case !s.switches.missingDeleteOK:
		return nil, notFound("GroupInvite", request.GetUid())
	}
	return &emptypb.Empty{}, nil
}

// ListGroupInvites implements [iam.GroupInvitesServiceServer].
func (s *invites) ListGroupInvites(ctx context.Context, request *iam.ListGroupInvitesRequest) (*iam.ListGroupInvitesResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	visible := s.visible(caller(ctx), capabilities.Capability_CAP_IAM_GROUP_INVITES_LIST)
	var found []*Invite
	for _, i := range s.store.ordered {
		if matches(request.GetUidp(), i.UID) &&
			(request.GetKeyId() == "" || request.GetKeyId() == i.KeyID) &&
			visible(i.Group) {
			found = append(found, i)
		}
	}
	page, err := inviteListing.page(found, request, s.clock.Now())
	if err != nil {
		return nil, err
	}
	answer := &iam.ListGroupInvitesResponse{
		NextPageToken: page.next,
		TotalCount:    &page.total,
		Skipped:       page.skipped,
	}
	for _, i := range page.items {
		answer.GroupInvites = append(answer.GroupInvites, s.invite(i))
	}
	return answer, nil
}

// Invites returns every stored invite, expired ones too, in the order of creation.
func (e *Emulator) Invites() []Invite {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]Invite, 0, len(e.store.ordered))
	for _, i := range e.store.ordered {
		all = append(all, *i)
	}
	return all
}

// Live returns the stored invites that have not expired, in the order of creation.
func (e *Emulator) Live() []Invite {
	now := e.clock.Now()
	return slices.DeleteFunc(e.Invites(), func(i Invite) bool { return !now.Before(i.Expires) })
}

// AddInvite stores an invite that nobody asked for through the API, and returns it complete. Group and RoleUID are
// required; TTL is a week unless it is set, and Created is now.
func (e *Emulator) AddInvite(i Invite) Invite {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.store.groups[i.Group] == nil {
		panic(fmt.Sprintf("emulator: AddInvite: there is no group %q", i.Group))
	}
	if i.TTL == 0 {
		i.TTL = defaultSeedTTL
	}
	if i.Created.IsZero() {
		i.Created = e.clock.Now().UTC()
	}
	return *e.store.addInvite(i)
}

// SetInvite changes a stored invite behind the API's back. Its UID stays.
func (e *Emulator) SetInvite(uid string, change func(*Invite)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	stored := e.store.invites[uid]
	if stored == nil {
		panic(fmt.Sprintf("emulator: SetInvite: there is no invite %q", uid))
	}
	changed := *stored
	change(&changed)
	changed.UID, changed.number = stored.UID, stored.number
	e.store.replaceInvite(changed)
}

// DeleteInvite deletes a stored invite behind the API's back, if it is there.
func (e *Emulator) DeleteInvite(uid string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if i := e.store.invites[uid]; i != nil {
		e.store.removeInvite(i)
	}
}
