package platform

import (
	"context"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	common "chainguard.dev/sdk/proto/platform/common/v1"
	"google.golang.org/grpc/codes"
)

const (
	// youngGroup is the age up to which the platform may refuse what a group's creator is allowed: for some seconds
	// after it is made, calls under a group can fail with PermissionDenied.
	youngGroup = 2 * time.Minute

	firstYoungWait = time.Second
	maxYoungWait   = 8 * time.Second
)

// withYoungGroup makes a call about something in a group, again as long as the platform denies it and the group is
// so young that this may pass. In a group that is older, or whose age cannot be read, a denial is final.
func (c *Client) withYoungGroup(ctx context.Context, groupID string, call func() error) error {
	wait := firstYoungWait
	for {
		err := call()
		if codeOf(err) != codes.PermissionDenied || groupID == "" {
			return err
		}
		created, ageErr := c.ages.get(ctx, groupID, c.config.Now, func(ctx context.Context) (time.Time, error) {
			return c.createdAt(ctx, groupID)
		})
		// By the platform's clock, and two minutes in both directions: what is known of it may be off.
		age := c.config.Now().Add(c.offset.estimate().ahead).Sub(created).Abs()
		if ageErr != nil || age >= youngGroup {
			return err
		}
		if c.config.Sleep(ctx, wait) != nil {
			return err
		}
		wait = min(2*wait, maxYoungWait)
	}
}

// createdAt is when the group was made. Where a young group denies a Get as well, a list may already show it: lists
// leave out what the caller may not see, and are not denied.
func (c *Client) createdAt(ctx context.Context, groupID string) (time.Time, error) {
	group, err := c.ReadGroup(ctx, groupID)
	if codeOf(err) != codes.PermissionDenied {
		return group.CreatedAt, err
	}
	groups, listErr := c.listGroups(ctx, "reading the age of group "+Clean(groupID), &iam.ListGroupsRequest{Uidp: &common.UIDPFilter{Ids: []string{groupID}}})
	if listErr != nil || len(groups) != 1 || groups[0].ID != groupID {
		return time.Time{}, err
	}
	return groups[0].CreatedAt, nil
}
