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
	// youngGroup is the age up to which the platform may refuse what a group's creator is allowed: calls under a group
	// can fail with PermissionDenied for some seconds after it was created. The official provider waits for that as well.
	youngGroup = 2 * time.Minute

	// hiddenGroup is how long creates in a group are denied before that is final where the group itself cannot be
	// seen: it may have been created a moment ago. It counts once for all creates of the process, so that a thousand
	// invites in a group that is none of the caller's soon fail.
	hiddenGroup = 15 * time.Second

	firstYoungWait = time.Second
	maxYoungWait   = 8 * time.Second
)

// withYoungGroup makes a call about something in a group, again as long as the platform denies it and the group is
// so young that this may pass. In a group that is older, or whose age cannot be read, a denial is final.
func (c *Client) withYoungGroup(ctx context.Context, groupID string, call func() error) error {
	return c.withNewGroup(ctx, groupID, 0, call)
}

// withNewGroup is withYoungGroup for calls that may well be the first about a group. Where the group cannot be seen,
// a denial becomes final when the group was hidden for as long as patience.
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
		// In both directions, because the clocks may differ.
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

// asOf is the platform's time when it answered with err, ours if it did not tell the time.
func asOf(err error, ours time.Time) time.Time {
	var call *rpc.Error
	if errors.As(err, &call) {
		return dateOr(call.Date, ours)
	}
	return ours
}

// createdAt returns when the group was created. Where a young group denies a Get as well, a list may already show it: lists
// leave out what the caller may not see, and are not denied.
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

// isHidden reports whether err is how the platform may keep a group from the caller.
func isHidden(err error) bool {
	return refusedWith(err, codes.PermissionDenied) || IsNotFound(err)
}
