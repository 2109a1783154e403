package platform

import (
	"slices"
	"time"
)

// nearby is how far from a create's own time its invite may seem to have been created, where it is not known which
// invites were there before. It keeps an invite of another day, which has the same inputs and by chance the same mark,
// from being taken for the create's.
const nearby = 15 * time.Minute

// match tells which of the listed invites a lost create may have created. They are ours if they carry its mark, and
// possible if they have its inputs and the mark cannot tell: the platform may round lifetimes, or have given another one
// than it was asked for.
//
// sent is when the create was sent, by the platform's clock if it tells the time. Invites that are surely not the
// create's, see [attempts.isOther], must not be among the listed.
func match(a attempt, listed []*Invite, sent time.Time, p precision) (ours, possible []*Invite) {
	for _, invite := range listed {
		if !a.hasInputsOf(invite) {
			continue
		}
		marked := a.mark > 0 && invite.Lifetime() == a.lifetime()
		near := a.existing.complete || invite.CreatedAt.Sub(sent).Abs() <= nearby
		switch {
		case marked && near && p != roundsLifetimes:
			ours = append(ours, invite)
		case marked, near && (a.mark == 0 || p != keepsMilliseconds):
			possible = append(possible, invite)
		}
	}
	return ours, possible
}

func (a attempt) hasInputsOf(invite *Invite) bool {
	return invite.GroupID == a.spec.GroupID &&
		invite.RoleID == a.spec.RoleID &&
		SameAddress(invite.Email, a.spec.Email) &&
		invite.SingleUse == a.spec.SingleUse
}

// ids are the UIDPs of invites, sorted.
func ids(invites []*Invite) []string {
	all := make([]string, len(invites))
	for i, invite := range invites {
		all[i] = invite.ID
	}
	slices.Sort(all)
	return all
}
