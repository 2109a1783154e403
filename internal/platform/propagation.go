package platform

import (
	"context"
	"errors"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	common "chainguard.dev/sdk/proto/platform/common/v1"
	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/rpc"
)

const (
	// youngGroup is the age up to which the platform may deny what a group's creator is allowed: calls in a group can
	// fail with PermissionDenied for some seconds after it was created. The official provider retries them as well.
	youngGroup = 2 * time.Minute

	// hiddenGroup is how long denied creates are retried in a group that is not visible, which may have just been
	// created. All creates of the process share this time, so that a thousand invites in a group of someone else fail
	// soon.
	hiddenGroup = 15 * time.Second

	firstYoungWait = time.Second
	maxYoungWait   = 8 * time.Second
)

// withYoungGroup makes a call in a group, and retries PermissionDenied while the group is young. In an older group, or
// one of unknown age, the error is final.
func (c *Client) withYoungGroup(ctx context.Context, groupID string, call func() error) error {
	return c.withNewGroup(ctx, groupID, 0, call)
}

// withNewGroup is like withYoungGroup, for calls that may be the first in a group. If the group is not visible, it
// retries until the group has been hidden for patience.
func (c *Client) withNewGroup(ctx context.Context, groupID string, patience time.Duration, call func() error) error {
	wait := firstYoungWait
	for {
		err := call()
		if !refusedWith(err, codes.PermissionDenied) || groupID == "" {
			return err
		}
		created, ageErr := c.ages.get(ctx, c.clock, groupID, func(ctx context.Context) (time.Time, error) {
			return c.createdAt(ctx, groupID)
		})
		// Use the absolute value, because the clocks may differ.
		age := asOf(err, c.clock.Now()).Sub(created).Abs()
		switch {
		case isHidden(ageErr) && c.hidden.since(groupID, c.clock.Now()) < patience:
		case ageErr != nil, age >= youngGroup:
			return err
		}
		if c.clock.Sleep(ctx, wait) != nil {
			return err
		}
		wait = min(2*wait, maxYoungWait)
	}
}

// asOf returns the platform's time of an error if known, and otherwise the local time.
func asOf(err error, ours time.Time) time.Time {
	var call *rpc.Error
	if errors.As(err, &call) {
		return dateOr(call.Date, ours)
	}
	return ours
}

// createdAt returns when the group was created. A Get in a young group may be denied while List already shows it,
// because List omits what the caller may not see instead of denying it.
func (c *Client) createdAt(ctx context.Context, groupID string) (time.Time, error) {
	group, err := c.ReadGroup(ctx, groupID)
	if !refusedWith(err, codes.PermissionDenied) {
		return group.CreatedAt, err
	}
	groups, listErr := c.listGroups(ctx, "reading the age of group "+redact.Text(groupID), &iam.ListGroupsRequest{Uidp: &common.UIDPFilter{Ids: []string{groupID}}})
	if listErr != nil || len(groups) != 1 || groups[0].ID != groupID {
		return time.Time{}, err
	}
	return groups[0].CreatedAt, nil
}

// isHidden reports whether err can mean that the group is hidden from the caller.
func isHidden(err error) bool {
	return refusedWith(err, codes.PermissionDenied) || IsNotFound(err)
}
