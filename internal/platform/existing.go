package platform

import (
	"context"
	"errors"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/rpc"
)

// existingInvites returns the invites of a group before this process's first create in it. They are never attributed to
// a create: of several hundred invites with the same inputs, some have its mark by chance. This costs one listing of at
// most cheapPages pages. If listing is denied or fails, the existing invites are unknown. The error is that of the
// sign-in or of ctx.
func (c *Client) existingInvites(ctx context.Context, groupID string) (idSet, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	found, err := c.existing.get(ctx, c.clock, groupID, func(ctx context.Context) (idSet, error) {
		return within(ctx, c.limits.existing, "listing the existing invites", func(ctx context.Context) (idSet, error) {
			ids := idSet{}
			once := func(_ context.Context, _ string, call func() error) error { return call() }
			pages := c.invitePagesWith(once, Scope{GroupID: groupID})
			return ids, newest(ctx, pages, func(page page[*Invite]) bool {
				for _, invite := range page.items {
					ids[invite.ID] = struct{}{}
				}
				return pages.pages < cheapPages
			})
		})
	})
	var signIn *rpc.SignInError
	if errors.As(err, &signIn) {
		return nil, err
	}
	return found, ctx.Err()
}
