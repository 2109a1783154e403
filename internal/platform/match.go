package platform

import (
	"slices"
	"time"
)

// nearby is how far from a create's own time its invite may seem to have been created. It keeps an invite of another day,
// which has the same inputs and by chance the same mark, from being taken for the create's.
const nearby = 15 * time.Minute

// match tells which of the listed invites a lost create may have created. An invite that carries its mark is its own,
// if it is the only one. The others with its inputs are possible: the platform may have rounded the lifetime, or given
// another one than it was asked for.
//
// sent is when the create was sent, by the platform's clock if it tells the time. Invites that are surely not the
// create's, see [attempts.isOther], must not be among the listed.
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
	// One of several is surely another process's, unless something on the way has repeated the request.
	return nil, append(possible, marked...)
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
