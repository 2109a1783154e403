package platform

import (
	"context"
	"iter"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	common "chainguard.dev/sdk/proto/platform/common/v1"
	"chainguard.dev/sdk/uidp"
	"google.golang.org/grpc/codes"
)

const (
	// pageSize is the most that the platform gives at once.
	pageSize = 200

	// maxPages bounds a listing whose pages never end.
	maxPages = 5000
)

// Scope says where invites are listed: in one group, or everywhere. The zero value is neither, and an error: an empty
// GroupID must not turn into all that there is.
type Scope struct {
	// GroupID is the UIDP of the group.
	GroupID string
	// Recursive lists the invites of the groups below GroupID as well.
	Recursive bool
	// Everywhere lists the invites of every group that the caller can see. It excludes the other two.
	Everywhere bool
}

func (s Scope) valid() bool {
	return s.Everywhere == (s.GroupID == "") && (!s.Everywhere || !s.Recursive)
}

func (s Scope) filter() *common.UIDPFilter {
	switch {
	case s.Everywhere:
		return nil
	case s.Recursive:
		return &common.UIDPFilter{DescendantsOf: s.GroupID}
	default:
		return &common.UIDPFilter{ChildrenOf: s.GroupID}
	}
}

// includes reports whether an invite of groupID is in the scope, should the platform's filter mean something wider.
func (s Scope) includes(groupID string) bool {
	return s.Everywhere || s.GroupID == groupID || s.Recursive && uidp.IsAncestor(s.GroupID, groupID)
}

// Listed is an invite as a listing tells of it.
type Listed struct {
	*Invite
	// AsOf is when the platform told of it: by its own clock, or by ours where it does not tell the time, and never
	// later than it really was.
	AsOf time.Time
}

// Expired reports whether the invite was past its end when the platform told of it. Then it still is: nothing gives an
// invite more time.
func (l Listed) Expired() bool { return !l.AsOf.Before(l.ExpiresAt) }

// Invites are the invites in scope, without their codes. Each comes once, though invites that are made meanwhile move
// others to the next page. An error is the last of the sequence.
func (c *Client) Invites(ctx context.Context, scope Scope) iter.Seq2[Listed, error] {
	return func(yield func(Listed, error) bool) {
		list := c.newListing(scope)
		seen := map[string]struct{}{}
		for {
			page, err := list.next(ctx)
			if err != nil {
				yield(Listed{}, err)
				return
			}
			for _, invite := range page.invites {
				if _, again := seen[invite.ID]; again {
					continue
				}
				seen[invite.ID] = struct{}{}
				if !yield(Listed{Invite: invite, AsOf: page.asOf}, nil) {
					return
				}
			}
			if page.last {
				return
			}
		}
	}
}

// listing goes through the pages of invites.
type listing struct {
	client *Client
	scope  Scope
	token  string
	pages  int
}

// page is one answer of a listing.
type page struct {
	invites []*Invite
	total   int64 // how many the listing has in all, negative where the platform does not tell
	last    bool
	asOf    time.Time // when it was told, by the platform's clock where it tells the time
}

func (c *Client) newListing(scope Scope) *listing { return &listing{client: c, scope: scope} }

// next gets the next page. It must not be called after the last.
func (l *listing) next(ctx context.Context) (page, error) {
	const doing = "listing invites"
	c := l.client
	if !l.scope.valid() {
		return page{}, &Error{Doing: doing, API: c.config.API, Code: codes.InvalidArgument, Message: "it is not said where"}
	}
	asked := c.config.Now()
	var exchange *exchange
	var answer *iam.ListGroupInvitesResponse
	err := c.withYoungGroup(ctx, l.scope.GroupID, func() (err error) {
		ctx, e := withExchange(ctx) // Each try has the time of a call.
		exchange = e
		answer, err = c.invites.ListGroupInvites(ctx, &iam.ListGroupInvitesRequest{
			Uidp: l.scope.filter(), PageSize: pageSize, PageToken: l.token,
		})
		return err
	})
	if err != nil {
		return page{}, c.explain(err, readInvites, doing)
	}
	l.pages++
	result := page{total: -1, asOf: exchange.timeOr(asked)}
	if answer.TotalCount != nil {
		result.total = answer.GetTotalCount()
	}
	for _, item := range answer.GetGroupInvites() {
		invite, err := c.readInvite(item, doing)
		if err != nil {
			return page{}, err
		}
		if l.scope.includes(invite.GroupID) {
			result.invites = append(result.invites, invite)
		}
	}
	next := answer.GetNextPageToken()
	switch {
	case next == "":
		result.last = true
	case next == l.token:
		return page{}, c.malformed(doing, "page %d says that it is followed by itself", l.pages)
	case l.pages == maxPages:
		return page{}, c.malformed(doing, "it goes on for more than %d pages", maxPages)
	}
	l.token = next
	return result, nil
}

// timeOr is the platform's time, a whole second, or ours where it does not tell.
func (e *exchange) timeOr(ours time.Time) time.Time {
	if date, ok := e.platformDate(); ok {
		return date
	}
	return ours
}
