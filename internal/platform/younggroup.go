package platform

import (
	"context"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
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
			group, err := c.groups.GetGroup(ctx, &iam.GetGroupRequest{Uid: groupID})
			if err != nil {
				return time.Time{}, err
			}
			return group.GetCreateTime().AsTime(), nil
		})
		// Two minutes in both directions: the clocks may differ.
		if age := c.config.Now().Sub(created).Abs(); ageErr != nil || age >= youngGroup {
			return err
		}
		if c.config.Sleep(ctx, wait) != nil {
			return err
		}
		wait = min(2*wait, maxYoungWait)
	}
}
