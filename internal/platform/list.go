package platform

import (
	"context"
	"errors"
	"fmt"
	"iter"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"google.golang.org/grpc"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/rpc"
)

// Invites lists the invites in scope, without duplicates and without their codes. An error ends the sequence, so that
// no listing is silently incomplete.
func (c *Client) Invites(ctx context.Context, scope Scope) iter.Seq2[*Invite, error] {
	const doing = "listing invites"
	return func(yield func(*Invite, error) bool) {
		ctx, cancel := context.WithTimeoutCause(ctx, c.limits.list, errListing)
		defer cancel()
		for pages := c.invitePages(scope); !pages.done; {
			page, err := pages.next(ctx)
			if err != nil && errors.Is(context.Cause(ctx), errListing) {
				err = &overtimeError{what: fmt.Sprintf("the listing, of which %d pages had come,", pages.pages), limit: c.limits.list}
			}
			if err != nil {
				yield(nil, c.explain(err, readInvites, doing))
				return
			}
			for _, invite := range page.items {
				if !yield(invite, nil) {
					return
				}
			}
		}
	}
}

var errListing = errors.New("the time for the listing ran out")

// invitePages returns a listing of invites that retries while the platform denies it because the group is new.
func (c *Client) invitePages(scope Scope, options ...grpc.CallOption) *pager[*Invite] {
	return c.invitePagesWith(c.withYoungGroup, scope, options...)
}

// invitePagesWith returns a listing of invites that makes its calls through with.
func (c *Client) invitePagesWith(with func(ctx context.Context, groupID string, call func() error) error, scope Scope, options ...grpc.CallOption) *pager[*Invite] {
	const doing = "listing invites"
	return &pager[*Invite]{
		id: func(invite *Invite) string { return invite.ID },
		fetch: func(ctx context.Context, token string) (page[*Invite], error) {
			result := page[*Invite]{total: -1}
			if !scope.valid() {
				return result, fmt.Errorf("internal error: invites were listed in the scope %+v", scope)
			}
			asked := c.clock.Now()
			var outcome rpc.Outcome
			var answer *iam.ListGroupInvitesResponse
			err := with(ctx, scope.GroupID, func() (err error) {
				answer, err = c.invites.ListGroupInvites(ctx, &iam.ListGroupInvitesRequest{
					Uidp: scope.filter(), PageSize: pageSize, PageToken: token,
				}, append(options, rpc.Report(&outcome))...)
				return err
			})
			if err != nil {
				return result, err
			}
			result.next, result.asOf = answer.GetNextPageToken(), dateOr(outcome.Date, asked)
			if answer.TotalCount != nil {
				result.total = answer.GetTotalCount()
			}
			for _, item := range answer.GetGroupInvites() {
				invite, bad := c.readInvite(item, result.asOf, doing)
				if bad != nil {
					return result, bad
				}
				if scope.includes(invite.GroupID) {
					result.items = append(result.items, invite)
				}
			}
			return result, nil
		},
	}
}
