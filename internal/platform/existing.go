package platform

import (
	"context"
	"errors"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/rpc"
)

// existingInvites returns the invites of a group as of the first create of this process in it, so that none of them is
// ever taken for one that a lost create has created. It costs one listing, of cheapPages at most. An identity that may
// not list invites, and a listing that fails otherwise, leave it unknown. The error is that of the sign-in, or of ctx.
func (c *Client) existingInvites(ctx context.Context, groupID string) (existing, error) {
	found, err := c.existing.get(ctx, c.clock, groupID, func(ctx context.Context) (existing, error) {
		return within(ctx, c.limits.existing, "listing the existing invites", func(ctx context.Context) (existing, error) {
			result := existing{ids: map[string]struct{}{}}
			once := func(_ context.Context, _ string, call func() error) error { return call() }
			pages := c.invitePagesWith(once, Scope{GroupID: groupID})
			err := newest(ctx, pages, func(page page[*Invite]) bool {
				for _, invite := range page.items {
					result.ids[invite.ID] = struct{}{}
				}
				return pages.pages < cheapPages
			})
			result.complete = err == nil && pages.done
			return result, err
		})
	})
	var signIn *rpc.SignInError
	if errors.As(err, &signIn) {
		return existing{}, err
	}
	return found, ctx.Err()
}
