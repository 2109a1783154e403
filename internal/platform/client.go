// Package platform is a client of the Chainguard platform. It creates invites exactly once, without orphans, batches
// reads, finds groups and roles by name, and explains errors. It leaves connections, timeouts and retries to package
// rpc, and knows nothing of Terraform.
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

// Config describes how to reach the platform.
type Config struct {
	// API is the URL of the platform's API, such as https://console-api.enforce.dev.
	API string
	// UserAgent is sent with every call.
	UserAgent string
	// Tokens provides the credentials of calls.
	Tokens rpc.Tokens
	// RequestTimeout limits each call, including retries. It must be positive.
	RequestTimeout time.Duration
	// Observe, if not nil, is called after each try that was sent, for logging.
	Observe func(ctx context.Context, call rpc.Call)
	// Secrets are removed from errors. The client adds tokens and codes. It may be nil.
	Secrets *redact.Secrets
	// Clock defaults to the system clock.
	Clock clock.Clock
}

// Client is a client of the platform. It is safe for concurrent use.
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
	looks       singleflight.Group // of the listings for lost invites, by group
	reads       reads
	ages        cache[time.Time]
	hidden      hiddenGroups
	groupsByRef cache[Group]
	rolesByRef  cache[Role]
	rolesByName cache[[]Role]
	groupRefs   sync.Map // maps a group's UIDP to the reference it was looked up by, for error messages
	told        sync.Map // causes reported so far, see [Error.Repeats]
}

// limits are the time limits of operations with several calls.
type limits struct {
	grace  time.Duration // how long a create continues after its caller gave up
	lookup time.Duration // looking up a group or a role
	list   time.Duration // listing invites

	existing time.Duration // listing the existing invites of a group before the first create

	// cleanUp is the time to find and delete the invite of a lost create. Zero derives it from the request timeout.
	cleanUp time.Duration
}

var defaultLimits = limits{
	grace:  5 * time.Second,
	lookup: time.Minute,
	list:   5 * time.Minute,

	existing: 10 * time.Second,
}

// retries are the methods that are safe to send twice. Create is not among them: the platform has no idempotency key,
// so sending it again creates a second invite.
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

// New returns a client. It does no I/O: the first call connects. An invalid API is an error.
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

// Close closes the connection. Calls in progress fail.
func (c *Client) Close() error { return c.conn.Close() }
