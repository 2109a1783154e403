package platform

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/uidp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/refs"
)

// interruptGrace is how long a create that is under way may still take when its caller gives up. Its answer is the best
// outcome of an interrupt: the invite is in the state. Without it the invite has to be looked for.
const interruptGrace = 5 * time.Second

// CreateInvite mints an invite. It is minted once or not at all: Create is sent again only where the platform surely
// has done nothing. Where that is not known, the invite that may have been left behind is looked for and revoked, and
// the create is made once more. An [Error] says in Left what became of it.
//
// ctx ending does not stop a create that was sent from being finished or cleaned up after.
func (c *Client) CreateInvite(ctx context.Context, spec InviteSpec) (*Invite, error) {
	stray := ""
	for again := false; ; again = true {
		invite, lost, err := c.createOnce(ctx, spec)
		if err == nil {
			invite.InPlaceOf = stray
			return invite, nil
		}
		if lost == nil {
			return nil, err
		}
		c.findLost(ctx, lost)
		if lost.revoked && !again && ctx.Err() == nil {
			stray = lost.stray
			continue
		}
		var e *Error
		if errors.As(err, &e) {
			e.Left = lost.left
			if lost.elsewhere != "" {
				e.Left += fmt.Sprintf(" The platform answered with invite %[1]s of another group, which was left alone. If nobody else made "+
					"it, revoke it with `chainctl iam invites delete %[1]s`.", lost.elsewhere)
			}
		}
		return nil, err
	}
}

// createOnce sends one create that the platform may act on. Beside an error, lost is the create where its outcome is
// not known, and nil where it surely left nothing behind.
func (c *Client) createOnce(ctx context.Context, spec InviteSpec) (_ *Invite, lost *creation, _ error) {
	doing := "creating an invite in group " + redact.Text(spec.GroupID)
	create := c.creates.plan(spec)
	answer, unknown, err := c.send(ctx, create)
	if err != nil {
		if codeOf(err) == codes.Canceled && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = ctx.Err() // Nobody interrupted it: its own time ran out, and then the grace.
		}
		if unknown {
			c.creates.lose(create)
			return nil, create, c.explain(err, createInvite, doing)
		}
		return nil, nil, c.explain(err, createInvite, doing)
	}

	invite, err := c.readCreated(answer, spec, doing)
	uid := answer.GetUid()
	isInvite := refs.IsInviteUIDP(uid)
	mine := isInvite && uidp.Parent(uid) == spec.GroupID && c.creates.claim(create, uid)
	switch {
	case mine && err == nil:
		c.offset.observe(invite.CreatedAt, create.from, c.config.Now())
		c.creates.learn(spec.TTL, invite.ExpiresAt.Sub(invite.CreatedAt))
		return invite, nil, nil
	case mine:
		// The platform has minted a code that will never be known, so it must not stay alive.
		var e *Error
		if errors.As(err, &e) {
			cleaning, cancel := c.cleanUp(ctx, c.cleanUpCall())
			defer cancel()
			_, e.Left = c.revokeStray(cleaning, uid)
		}
		return nil, nil, err
	case err == nil:
		err = c.malformed(doing, "invite %s is another create's", uid)
	case isInvite && uidp.Parent(uid) != spec.GroupID:
		create.elsewhere = uid
	}
	c.creates.lose(create)
	return nil, create, err
}

// send makes the create's RPC, again only where its group is so young that the platform refuses what it will allow in a
// moment, and as [Client.intercept] has it. unknown reports beside an error that the platform may have acted all the
// same.
func (c *Client) send(ctx context.Context, create *creation) (answer *iam.GroupInvite, unknown bool, err error) {
	request := &iam.CreateGroupInviteRequest{
		Parent: create.spec.GroupID,
		GroupInvite: &iam.GroupInvite{
			RoleUid:   create.spec.RoleID,
			Email:     create.spec.Email,
			Ttl:       durationpb.New(create.spec.TTL),
			SingleUse: create.spec.SingleUse,
		},
	}
	err = c.withNewGroup(ctx, create.spec.GroupID, hiddenGroup, func() error {
		ctx, exchange := withExchange(ctx)
		exchange.creation = create
		var err error
		answer, err = c.invites.CreateGroupInvite(ctx, request)
		unknown = err != nil && exchange.acted(err)
		return err
	})
	return answer, unknown, err
}

// refused reports whether code says that the platform looked at the request and did not act on it.
func refused(code codes.Code) bool {
	switch code {
	case codes.InvalidArgument, codes.NotFound, codes.AlreadyExists, codes.PermissionDenied, codes.Unauthenticated,
		codes.ResourceExhausted, codes.FailedPrecondition, codes.OutOfRange, codes.Unimplemented:
		return true
	default:
		return false
	}
}

// readCreated reads the answer to a create, and holds it against what was asked for.
func (c *Client) readCreated(answer *iam.GroupInvite, spec InviteSpec, doing string) (*Invite, error) {
	if answer.GetUid() == "" {
		return nil, c.malformed(doing, "it has no uid")
	}
	invite, err := c.readInvite(answer, doing)
	switch {
	case err != nil:
		return nil, err
	case invite.Code == "":
		return nil, c.malformed(doing, "it has no code")
	case invite.GroupID != spec.GroupID:
		return nil, c.malformed(doing, "the invite is in another group, %s", invite.GroupID)
	case invite.RoleID != spec.RoleID:
		return nil, c.malformed(doing, "the invite has another role, %q", redact.Text(invite.RoleID))
	case !strings.EqualFold(invite.Email, spec.Email):
		return nil, c.malformed(doing, "the invite is for another address, %q", redact.Text(invite.Email))
	case invite.SingleUse != spec.SingleUse:
		return nil, c.malformed(doing, "the invite has single_use = %t", invite.SingleUse)
	}
	return invite, nil
}

// revokeStray revokes an invite that nobody is going to know of, and says how that went.
func (c *Client) revokeStray(ctx context.Context, id string) (revoked bool, left string) {
	if err := c.DeleteInvite(ctx, id); err != nil {
		return false, fmt.Sprintf("The platform made invite %[1]s all the same, and revoking it failed (%[2]v). It may be alive: "+
			"revoke it with `chainctl iam invites delete %[1]s`.", id, err)
	}
	return true, fmt.Sprintf("The platform made invite %s all the same; it was revoked, so nothing was left behind.", id)
}

// cleanUp is a context for tidying up after ctx, which may have ended. It has time for an answer that does not come
// within call and for one that then does, and for the waits between the looks for what was lost.
func (c *Client) cleanUp(ctx context.Context, call time.Duration) (context.Context, context.CancelFunc) {
	budget := 2 * call
	for _, wait := range searches {
		budget += wait
	}
	ctx = context.WithValue(context.WithoutCancel(ctx), cleanUpKey{}, c.config.Now().Add(budget))
	return context.WithTimeout(ctx, budget)
}

// cleanUpCall is how long a call may take while tidying up. A third of the usual has to do: what hangs then is tried
// again, and whoever waits for an error has waited for the create already.
func (c *Client) cleanUpCall() time.Duration {
	const least = 10 * time.Second
	return min(c.config.RequestTimeout, max(least, c.config.RequestTimeout/3))
}

// withGrace is a context that ends grace after ctx does.
func withGrace(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	graceful, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(grace, cancel)
		context.AfterFunc(graceful, func() { timer.Stop() })
	})
	return graceful, func() {
		stop()
		cancel()
	}
}
