package platform

import (
	"slices"
	"time"
)

// nearby is the maximum difference between the times of a create and its invite. It excludes invites of other runs that
// have the same inputs and, by chance, the same mark.
const nearby = 15 * time.Minute

// match returns the listed invites that a lost create may have created. An invite with its mark is its own, if there is
// only one. Other invites with the same inputs are possible, because the platform may have rounded or changed the
// lifetime.
//
// sent is when the create was sent, by the platform's clock if known. listed must not contain invites that
// [attempts.isOther] excludes.
func match(a attempt, listed []*Invite, sent time.Time, trusted bool) (own *Invite, possible []*Invite) {
	var marked []*Invite
	for _, invite := range listed {
		hasMark := a.mark > 0 && invite.Lifetime() == a.lifetime()
		near := invite.CreatedAt.Sub(sent).Abs() <= nearby
		switch {
		case !a.hasInputsOf(invite):
		case hasMark && near && trusted:
			marked = append(marked, invite)
		case hasMark || near:
			possible = append(possible, invite)
		}
	}
	if len(marked) == 1 {
		return marked[0], possible
	}
	// With several, at least one belongs to another process, unless a proxy repeated the request.
	return nil, append(possible, marked...)
}

func (a attempt) hasInputsOf(invite *Invite) bool {
	return invite.GroupID == a.spec.GroupID &&
		invite.RoleID == a.spec.RoleID &&
		SameAddress(invite.Email, a.spec.Email) &&
		invite.SingleUse == a.spec.SingleUse
}

// ids returns the sorted UIDPs of invites.
func ids(invites []*Invite) []string {
	all := make([]string, len(invites))
	for i, invite := range invites {
		all[i] = invite.ID
	}
	slices.Sort(all)
	return all
}
