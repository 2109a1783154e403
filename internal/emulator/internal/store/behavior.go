package store

import "time"

// Behavior is what the platform does where its documents leave room, or where a test wants it to be worse. The zero
// value is what the documents say or suggest.
type Behavior struct {
	// TokenLifetime is how long access tokens are valid that the STS issues; an hour if it is zero.
	TokenLifetime time.Duration
	// NewGroupDelay makes calls under a group fail with PermissionDenied until the group is this old.
	NewGroupDelay time.Duration
	// MissingDeleteOK makes the deletion of a missing invite succeed instead of answering NotFound.
	MissingDeleteOK bool
	// NoDate leaves the date header out of answers, as a gRPC server without an HTTP proxy in front of it does.
	NoDate bool
	// DateSkew is how far the date header is ahead of the platform's clock, or behind it if it is negative.
	DateSkew time.Duration
	// TimePrecision is what timestamps are truncated to; a millisecond if it is zero.
	TimePrecision time.Duration
	// WholeSecondTTL refuses an invite's ttl that has a fraction of a second.
	WholeSecondTTL bool
	// Lifetime, if it is set, decides how long an invite is valid that was asked for with a ttl.
	Lifetime func(ttl time.Duration) time.Duration
}
