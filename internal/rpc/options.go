package rpc

import (
	"time"

	"google.golang.org/grpc"
)

// options are what a call asks of [Conn] through its call options.
type options struct {
	once    bool
	grace   time.Duration
	persist time.Duration // how long a try may take, zero if the call does not persist
	report  *Outcome
}

// option is a [grpc.CallOption] that [Conn] keeps for itself.
type option struct {
	grpc.EmptyCallOption
	apply func(*options)
}

// Once has a call sent at most once, unless the server surely has not seen it or refused it. If the caller gives up
// after it was sent, it still has grace to be answered: an answer is the best outcome of an interrupted create.
func Once(grace time.Duration) grpc.CallOption {
	return option{apply: func(o *options) { o.once, o.grace = true, grace }}
}

// Persist has a call that is safe to send twice sent again, up to twenty times or until its context ends, whatever goes
// wrong but a refusal, and bounds each try. It is for cleaning up, where giving up leaves a live code behind.
func Persist(try time.Duration) grpc.CallOption {
	return option{apply: func(o *options) { o.persist = try }}
}

// Report stores in outcome how the last try of the call ended.
func Report(outcome *Outcome) grpc.CallOption {
	return option{apply: func(o *options) { o.report = outcome }}
}

// noTransparentRetry keeps gRPC from sending a message again on its own where HTTP/2 says that the server did not
// process the stream (https://github.com/grpc/proposal/blob/master/A6-client-retries.md#transparent-retries): what says so
// may be a proxy, and the message may have been passed on before.
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
