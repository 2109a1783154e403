package emulator

import (
	"context"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
)

// strike applies the faults that are due to a call. It returns the response, which is nil before the commit, as the
// faults changed it.
func (e *Emulator) strike(ctx context.Context, method string, when When, request, response proto.Message) (proto.Message, error) {
	for _, f := range e.due(method, when, request) {
		if err := clock.Sleep(ctx, f.Delay); err != nil {
			return nil, status.FromContextError(err).Err()
		}
		if response != nil {
			e.delay(f, response)
			response = f.spoil(response)
		}
		x := exchangeOf(ctx)
		if f.Reset != 0 || f.Proxy != nil || f.Garbage {
			x.fault.Store(&f)
		}
		switch {
		case f.Hang:
			<-ctx.Done()
			return nil, status.FromContextError(ctx.Err()).Err()
		case f.Drop:
			x.conn.drop()
		case f.GoAway:
			x.conn.goAway()
		case f.Reset == 0 && f.Proxy == nil && f.Code != codes.OK:
			return nil, f.err()
		}
		if f.ends() {
			return nil, status.Error(codes.Unavailable, "the emulator failed this call on purpose")
		}
	}
	return response, nil
}

// delay applies CommitDelay and ListingDelay to the invite in the response.
func (e *Emulator) delay(f Fault, response proto.Message) {
	created, ok := response.(*iam.GroupInvite)
	if !ok || f.CommitDelay <= 0 && f.ListingDelay <= 0 {
		return
	}
	e.store.Lock()
	defer e.store.Unlock()
	if i := e.store.Invite(created.GetUid()); i != nil && f.ListingDelay > 0 {
		e.store.DelayListing(i, f.ListingDelay)
	}
	if i := e.store.Invite(created.GetUid()); i != nil && f.CommitDelay > 0 {
		e.store.DelayCommit(i, f.CommitDelay)
	}
}
