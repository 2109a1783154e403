package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
)

// What has become of an invite, as of the last time that Terraform read it.
const (
	statusActive   = "active"   // it can be accepted
	statusExpiring = "expiring" // it can be accepted, and is within renew_before of its end
	statusExpired  = "expired"  // its time is over
	statusConsumed = "consumed" // it was for a single use, and was used
	statusRevoked  = "revoked"  // somebody deleted it
)

// When an invite that can no longer be accepted, or soon cannot, is replaced.
const (
	recreateAuto   = "auto"   // unless it was used
	recreateAlways = "always" // whatever the reason
	recreateNever  = "never"
)

// statusOf is the status of an invite that the platform still has.
func statusOf(invite *platform.Invite, renewBefore time.Duration, now time.Time) string {
	if renewBefore >= invite.ExpiresAt.Sub(invite.CreatedAt) {
		renewBefore = 0 // The platform gave it less time than was asked for: each apply would replace it.
	}
	switch left := invite.ExpiresAt.Sub(now); {
	case left <= 0:
		return statusExpired
	case left <= renewBefore:
		return statusExpiring
	default:
		return statusActive
	}
}

// statusOfMissing is the status of an invite that the platform no longer has. It deletes one for a single use when it
// is accepted, and nothing else tells that from one that somebody revoked. One that had expired before can no longer
// have been accepted: somebody tidied up.
func statusOfMissing(state *inviteCodeModel) string {
	switch {
	case state.Status.ValueString() == statusExpired:
		return statusExpired
	case state.SingleUse.ValueBool():
		return statusConsumed
	default:
		return statusRevoked
	}
}

// toBeRecreated reports whether the policy has an invite of that status replaced.
func toBeRecreated(policy, status types.String) bool {
	switch policy.ValueString() {
	case recreateNever:
		return false
	case recreateAlways:
		return !status.IsNull() && status.ValueString() != statusActive
	default:
		switch status.ValueString() {
		case statusExpiring, statusExpired, statusRevoked:
			return true
		default:
			return false
		}
	}
}
