package platform

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/uidp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/refs"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/rpc"
)

// CreateInvite creates an invite exactly once or fails. It sends the request again only if the platform certainly did
// not act on it. If that is unknown, it finds and deletes the invite that the request may have created, and creates
// another one. In an [Error], Left describes what was left behind.
//
// If ctx ends, a create that was sent is still completed or cleaned up.
func (c *Client) CreateInvite(ctx context.Context, spec InviteSpec) (*Invite, error) {
	before, err := c.existingInvites(ctx, spec.GroupID)
	if err != nil {
		return nil, c.explain(err, createInvite, "creating an invite in "+c.groupName(spec.GroupID))
	}
	deleted := ""
	for {
		a := c.attempts.begin(spec, before)
		invite, err := c.createOnce(ctx, &a)
		if err == nil {
			c.attempts.release(a)
			invite.InPlaceOf = deleted
			return invite, nil
		}
		var lost *lostError
		if !errors.As(err, &lost) {
			c.attempts.release(a)
			return nil, err
		}
		found := c.findLost(ctx, a)
		if found.deleted != "" {
			c.attempts.release(a)
			if deleted == "" && ctx.Err() == nil {
				deleted = found.deleted
				continue
			}
		}
		lost.err.Left = strings.TrimSpace(found.left + " " + lost.err.Left)
		return nil, lost.err
	}
}

// lostError reports a create that the platform may have executed.
type lostError struct{ err *Error }

// Error implements [error].
func (e *lostError) Error() string { return e.err.Error() }

// Unwrap returns the error of the call.
func (e *lostError) Unwrap() error { return e.err }

// createOnce sends one create that the platform may execute. The error is a [*lostError] if it may have done so.
func (c *Client) createOnce(ctx context.Context, a *attempt) (*Invite, error) {
	doing := "creating an invite in " + c.groupName(a.spec.GroupID)
	answer, asOf, err := c.send(ctx, a)
	if refusesTTL(err) && a.mark > 0 {
		// Send it again as configured, so that an error of the platform is about the configured lifetime.
		c.attempts.release(*a)
		a.mark = 0
		if answer, asOf, err = c.send(ctx, a); err == nil {
			c.attempts.refuseMarks()
		}
	}
	if err != nil {
		return nil, c.explainCreate(err, doing)
	}

	invite, bad := c.readCreated(answer, asOf, a.spec, doing)
	switch uid := answer.GetUid(); {
	case bad == nil && c.attempts.claimAnswer(*a, uid):
		c.attempts.learn(*a, invite.Lifetime())
		c.secrets.Add(invite.Code.Reveal())
		return invite, nil
	case bad == nil:
		return nil, &lostError{c.unusable(doing, "invite %s existed before, is another create's, or was deleted because it looked like one that was lost", uid)}
	case !refs.IsInviteUIDP(uid):
		return nil, &lostError{bad}
	case uidp.Parent(uid) != a.spec.GroupID:
		bad.Left = fmt.Sprintf("The API answered with invite %[1]s of another group, which was left alone. If it was created by this "+
			"request, delete it with `chainctl iam invites delete %[1]s`.", uid)
		return nil, &lostError{bad}
	case !c.attempts.claimAnswer(*a, uid):
		return nil, &lostError{bad}
	default:
		// The platform has created an invite, but its response is unusable, so delete the invite.
		cleaning := c.cleanUp(ctx)
		defer cleaning.cancel()
		_, bad.Left = cleaning.delete(uid)
		return nil, bad
	}
}

// send calls Create, and repeats the call while the platform denies it because the group is new.
func (c *Client) send(ctx context.Context, a *attempt) (answer *iam.GroupInvite, asOf time.Time, err error) {
	request := &iam.CreateGroupInviteRequest{
		Parent: a.spec.GroupID,
		GroupInvite: &iam.GroupInvite{
			RoleUid:   a.spec.RoleID,
			Email:     a.spec.Email,
			Ttl:       durationpb.New(a.lifetime()),
			SingleUse: a.spec.SingleUse,
		},
	}
	var outcome rpc.Outcome
	err = c.withNewGroup(ctx, a.spec.GroupID, hiddenGroup, func() (err error) {
		a.sent = c.clock.Now()
		answer, err = c.invites.CreateGroupInvite(ctx, request, rpc.Once(c.limits.grace), rpc.Report(&outcome))
		return err
	})
	return answer, dateOr(outcome.Date, a.sent), err
}

// refusesTTL reports whether the platform rejected the lifetime of a create, or its arguments without saying which.
func refusesTTL(err error) bool {
	if !refusedWith(err, codes.InvalidArgument) && !refusedWith(err, codes.OutOfRange) {
		return false
	}
	var e Error
	e.keepDetails(status.Convert(err))
	return len(e.Violations) == 0 || slices.ContainsFunc(e.Violations, func(v Violation) bool {
		return strings.HasSuffix(v.Field, "ttl")
	})
}

// explainCreate explains the error of a create. It returns a [*lostError] if the platform may have executed it.
func (c *Client) explainCreate(err error, doing string) error {
	explained := c.explain(err, createInvite, doing)
	var call *rpc.Error
	var e *Error
	if errors.As(err, &call) && call.Sent && !call.Refused() && errors.As(explained, &e) {
		return &lostError{e}
	}
	return explained
}

// readCreated reads the response to a create, and compares it with the request.
func (c *Client) readCreated(answer *iam.GroupInvite, asOf time.Time, spec InviteSpec, doing string) (*Invite, *Error) {
	if answer.GetUid() == "" {
		return nil, c.unusable(doing, "it has no uid")
	}
	invite, err := c.readInvite(answer, asOf, doing)
	if err != nil {
		return nil, err
	}
	code := invite.Code.Reveal()
	switch {
	case code == "":
		return nil, c.unusable(doing, "it has no code")
	case strings.ContainsFunc(code, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }):
		// `terraform output -raw` would send them to a terminal.
		return nil, c.unusable(doing, "its code has spaces, control characters or invisible characters")
	case invite.GroupID != spec.GroupID:
		return nil, c.unusable(doing, "the invite is in another group, %s", invite.GroupID)
	case invite.RoleID != spec.RoleID:
		return nil, c.unusable(doing, "the invite has another role, %q", redact.Text(invite.RoleID))
	case !SameAddress(invite.Email, spec.Email):
		return nil, c.unusable(doing, "the invite is for another address, %q", redact.Text(invite.Email))
	case invite.SingleUse != spec.SingleUse:
		return nil, c.unusable(doing, "the invite has single_use = %t", invite.SingleUse)
	}
	return invite, nil
}
