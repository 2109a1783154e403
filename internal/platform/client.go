// Package platform talks to the Chainguard platform: one gRPC connection, a deadline on every call, invites that are
// minted once and never orphaned, names looked up once. It knows gRPC and the platform's API, and nothing of Terraform.
package platform

import (
	"context"
	"fmt"
	"sync"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"golang.org/x/oauth2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
)

// DefaultRequestTimeout bounds one RPC where [Config] does not say otherwise.
const DefaultRequestTimeout = 30 * time.Second

// Tokens hands out the bearer tokens that calls are made with.
type Tokens interface {
	// Token is a token that is valid now. It may take I/O to get one, which ctx bounds.
	Token(ctx context.Context) (*oauth2.Token, error)
	// Discard says that the platform refused accessToken, so that the next Token is another one.
	Discard(accessToken string)
}

// Config says how to reach the platform.
type Config struct {
	// API is the URL of the platform's API, such as https://console-api.enforce.dev.
	API string
	// UserAgent is sent with every call.
	UserAgent string
	// Tokens signs the calls in.
	Tokens Tokens
	// RequestTimeout bounds each RPC, retries of its own included. Zero is [DefaultRequestTimeout].
	RequestTimeout time.Duration

	// Observe is told of each RPC that was sent, for a log. It may be nil.
	Observe func(ctx context.Context, call Call)

	// Now is the time. Nil is the real clock.
	Now func() time.Time
	// Sleep waits for d or until ctx ends, whose error it then returns. Nil really waits.
	Sleep func(ctx context.Context, d time.Duration) error
}

// connectParams has a connection that failed tried again soon enough for the retries of the calls that need it.
var connectParams = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
	MinConnectTimeout: 20 * time.Second,
}

// Call is one RPC, as it may be logged: what was sent and what came back stay out of it.
type Call struct {
	// Method is the full name, such as /chainguard.platform.iam.v2.GroupInvitesService/GetGroupInvite.
	Method string
	// Code is that of the answer, or gRPC's own where there was none.
	Code codes.Code
	// Took is from when it was sent to the answer.
	Took time.Duration
}

// Client is a connection to the platform. Its methods may be called from any number of goroutines.
type Client struct {
	config Config
	conn   *grpc.ClientConn

	invites iam.GroupInvitesServiceClient
	groups  iam.GroupsServiceClient
	roles   iam.RolesServiceClient

	grace   time.Duration // see interruptGrace
	pace    pace
	offset  offset
	creates creates
	reads   reads
	ages    lookups[time.Time]
	hidden  hiddenGroups
	byGroup lookups[Group]
	byRole  lookups[Role]
	named   lookups[[]Role]
	written sync.Map // what people call a group, by its UIDP
}

// New prepares a client. It does no I/O; the first call connects. An API that cannot be one is an error.
func New(config Config) (*Client, error) {
	if config.RequestTimeout <= 0 {
		config.RequestTimeout = DefaultRequestTimeout
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Sleep == nil {
		config.Sleep = clock.Sleep
	}
	client := &Client{config: config, grace: interruptGrace}
	conn, err := Dial(config.API, config.UserAgent,
		grpc.WithConnectParams(connectParams),
		grpc.WithUnaryInterceptor(client.intercept),
		grpc.WithStatsHandler(exchangeRecorder{}))
	if err != nil {
		return nil, fmt.Errorf("connecting to the Chainguard API: %w", err)
	}
	client.conn = conn
	client.invites = iam.NewGroupInvitesServiceClient(conn)
	client.groups = iam.NewGroupsServiceClient(conn)
	client.roles = iam.NewRolesServiceClient(conn)
	return client, nil
}

// Close gives up the connection. Calls under way fail.
func (c *Client) Close() error { return c.conn.Close() }

// lookups remembers answers that do not change while the process runs, and lets those who ask for the same at once
// share one call.
type lookups[T any] struct {
	mu      sync.Mutex
	entries map[string]*lookup[T]
}

type lookup[T any] struct {
	done   chan struct{}
	value  T
	err    error
	failed time.Time // when err came
}

// failureMemory is how long a failed lookup is answered from memory: long enough for the thousand invites of one
// module to share it, short enough for a group that is made later in the same run to be found.
const failureMemory = 5 * time.Second

// get is the answer for key, from memory or by calling find. A call under way is shared; ctx does not end it, so that
// one caller giving up does not fail the others.
func (l *lookups[T]) get(ctx context.Context, key string, now func() time.Time, find func(context.Context) (T, error)) (T, error) {
	l.mu.Lock()
	entry, ok := l.entries[key]
	if ok {
		select {
		case <-entry.done:
			if entry.err != nil && now().Sub(entry.failed) >= failureMemory {
				ok = false
			}
		default:
		}
	}
	if !ok {
		if l.entries == nil {
			l.entries = map[string]*lookup[T]{}
		}
		entry = &lookup[T]{done: make(chan struct{})}
		l.entries[key] = entry
		go func() {
			defer close(entry.done)
			entry.value, entry.err = find(context.WithoutCancel(ctx))
			entry.failed = now()
		}()
	}
	l.mu.Unlock()

	select {
	case <-entry.done:
		return entry.value, entry.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}
