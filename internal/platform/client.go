// Package platform talks to the Chainguard platform in plain Go: invites that are created once and never orphaned, batched
// reads, groups and roles by name, and what errors mean. It leaves connections, deadlines and retries to rpc, and knows
// nothing of Terraform.
package platform

import (
	"context"
	"fmt"
	"sync"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"golang.org/x/sync/singleflight"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/rpc"
)

// Config says how to reach the platform.
type Config struct {
	// API is the URL of the platform's API, such as https://console-api.enforce.dev.
	API string
	// UserAgent is sent with every call.
	UserAgent string
	// Tokens signs the calls in.
	Tokens rpc.Tokens
	// RequestTimeout bounds each call, its retries included. It must be positive.
	RequestTimeout time.Duration
	// Observe, if it is set, is told of each call that was sent, for a log.
	Observe func(ctx context.Context, call rpc.Call)
	// Secrets is what errors are searched for. Tokens and codes are added to it. It may be nil.
	Secrets *redact.Secrets
	// Clock is the clock. Nil is the machine's.
	Clock clock.Clock
}

// Client is a connection to the platform. Its methods may be called from any number of goroutines.
type Client struct {
	api     string
	clock   clock.Clock
	secrets *redact.Secrets
	limits  limits
	conn    *rpc.Conn

	invites iam.GroupInvitesServiceClient
	groups  iam.GroupsServiceClient
	roles   iam.RolesServiceClient

	attempts    attempts
	existing    cache[idSet]
	looks       singleflight.Group // of the looks for lost invites, by group
	reads       reads
	ages        cache[time.Time]
	hidden      hiddenGroups
	groupsByRef cache[Group]
	rolesByRef  cache[Role]
	rolesByName cache[[]Role]
	groupRefs   sync.Map // a group's UIDP to the reference that it was looked up by, for error messages
	told        sync.Map // causes that an error has told, see [Error.Repeats]
}

// limits bound what takes more than one call.
type limits struct {
	grace  time.Duration // how long a create that was sent goes on after its caller gave up
	lookup time.Duration // a lookup of a group or a role
	list   time.Duration // a listing of invites

	existing time.Duration // a listing of what a group has before the first create

	// cleanUp is the time to look for the invite of a lost create and to delete it. Zero is what the request timeout
	// makes of it.
	cleanUp time.Duration
}

var defaultLimits = limits{
	grace:  5 * time.Second,
	lookup: time.Minute,
	list:   5 * time.Minute,

	existing: 10 * time.Second,
}

// retries has each method that is safe to send twice. Create is not among them: the platform has no idempotency key, so
// that a create that is sent again is a second invite.
var retries = map[string]rpc.Policy{
	iam.GroupInvitesService_GetGroupInvite_FullMethodName:    idempotent,
	iam.GroupInvitesService_ListGroupInvites_FullMethodName:  idempotent,
	iam.GroupInvitesService_DeleteGroupInvite_FullMethodName: idempotent,
	iam.GroupsService_GetGroup_FullMethodName:                idempotent,
	iam.GroupsService_ListGroups_FullMethodName:              idempotent,
	iam.RolesService_GetRole_FullMethodName:                  idempotent,
	iam.RolesService_ListRoles_FullMethodName:                idempotent,
}

// idempotent is gRPC's usual retry policy.
var idempotent = rpc.Policy{Tries: 5, First: 100 * time.Millisecond, Max: 2 * time.Second}

// New prepares a client. It does no I/O; the first call connects. An API that cannot be one is an error.
func New(config Config) (*Client, error) {
	if config.Clock == nil {
		config.Clock = clock.Real{}
	}
	if config.Secrets == nil {
		config.Secrets = new(redact.Secrets)
	}
	conn, err := rpc.Connect(rpc.Config{
		API:            config.API,
		UserAgent:      config.UserAgent,
		Tokens:         config.Tokens,
		RequestTimeout: config.RequestTimeout,
		Retries:        retries,
		Observe:        config.Observe,
		Secrets:        config.Secrets,
		Clock:          config.Clock,
	})
	if err != nil {
		return nil, fmt.Errorf("connecting to the Chainguard API: %w", err)
	}
	return &Client{
		api:     config.API,
		clock:   config.Clock,
		secrets: config.Secrets,
		limits:  defaultLimits,
		conn:    conn,
		invites: iam.NewGroupInvitesServiceClient(conn),
		groups:  iam.NewGroupsServiceClient(conn),
		roles:   iam.NewRolesServiceClient(conn),
	}, nil
}

// Close gives up the connection. Calls under way fail.
func (c *Client) Close() error { return c.conn.Close() }
