package store

import "time"

// Behavior is how the platform behaves where that is not documented, or where a test needs a worse platform. The zero
// value is what the documentation says or suggests.
type Behavior struct {
	// TokenLifetime is how long access tokens from the STS are valid; an hour if zero.
	TokenLifetime time.Duration
	// NewGroupDelay makes calls under a group fail with PermissionDenied until the group is this old.
	NewGroupDelay time.Duration
	// MissingDeleteOK makes the deletion of a missing invite succeed instead of fail with NotFound.
	MissingDeleteOK bool
	// NoDate omits the Date header, as gRPC servers without an HTTP proxy do.
	NoDate bool
	// DateSkew is added to the time in the Date header.
	DateSkew time.Duration
	// TimePrecision is what timestamps are truncated to; a millisecond if zero.
	TimePrecision time.Duration
	// WholeSecondTTL refuses a ttl with a fraction of a second.
	WholeSecondTTL bool
	// Lifetime, if set, returns how long an invite created with a ttl is valid.
	Lifetime func(ttl time.Duration) time.Duration
}
