package rpc

import (
	"time"

	"google.golang.org/grpc"
)

// options are the options of a call for [Conn].
type options struct {
	once    bool
	grace   time.Duration
	persist time.Duration // the limit for each try, zero without [Persist]
	report  *Outcome
}

// option is a [grpc.CallOption] for [Conn].
type option struct {
	grpc.EmptyCallOption
	apply func(*options)
}

// Once sends a call at most once, unless the server did not receive it or rejected it. If the caller gives up after it
// was sent, the call may continue for grace, because a response is the best outcome of an interrupted create.
func Once(grace time.Duration) grpc.CallOption {
	return option{apply: func(o *options) { o.once, o.grace = true, grace }}
}

// Persist retries a call that is safe to send twice after any error except a rejection, up to twenty times or until its
// context ends. It limits each try. Use it to clean up, where giving up would leave a valid code behind.
func Persist(try time.Duration) grpc.CallOption {
	return option{apply: func(o *options) { o.persist = try }}
}

// Report stores the outcome of the call's last try in outcome.
func Report(outcome *Outcome) grpc.CallOption {
	return option{apply: func(o *options) { o.report = outcome }}
}

// noTransparentRetry disables gRPC's transparent retries of streams that the server did not process, according to
// HTTP/2 (https://github.com/grpc/proposal/blob/master/A6-client-retries.md#transparent-retries). A proxy may have said
// so after it forwarded the message.
var noTransparentRetry = grpc.MaxRetryRPCBufferSize(0)

// splitOptions separates the options of this package from those of gRPC.
func splitOptions(all []grpc.CallOption) (o options, rest []grpc.CallOption) {
	for _, one := range all {
		if own, ok := one.(option); ok {
			own.apply(&o)
		} else {
			rest = append(rest, one)
		}
	}
	return o, rest
}
