package emulator

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/services"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/store"
)

// Options configure an emulator. The zero value is ready to use.
type Options struct {
	// Seed is the initial content. Without organizations, it is DefaultSeed.
	Seed Seed
	// Clock is the platform's clock. The default is the real one.
	Clock clock.Clock
	// Listen is the loopback address to listen on. The default is a free port of 127.0.0.1.
	Listen string
	// Audience is the audience of tokens for the API. The default is the API's URL, as on the platform.
	Audience string
	// Behavior is how the platform behaves where that is not documented.
	Behavior Behavior
}

// Behavior is how the platform behaves where that is not documented, or where a test needs a worse platform.
type Behavior = store.Behavior

// Emulator is a local platform. Create one with New and serve it with Start.
type Emulator struct {
	listen string

	faults     // with Inject and OnRequest
	requestLog // with Requests and Counts

	store      *store.Store
	issuer     *services.Issuer
	authorizer *services.Authorizer

	grpc        *grpc.Server
	http        *http.Server
	calls       sync.WaitGroup // every goroutine that Close waits for
	connections atomic.Int64
	stop        context.CancelFunc
	closing     sync.Once
}

// New returns an emulator with the content of the seed, or an error if the seed is invalid. It does no I/O.
func New(o Options) (*Emulator, error) {
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if len(o.Seed.Organizations) == 0 {
		o.Seed = DefaultSeed()
	}
	st := store.New(o.Clock, o.Behavior)
	if err := o.Seed.plant(st); err != nil {
		return nil, err
	}
	issuer := services.NewIssuer(st, o.Audience)
	return &Emulator{
		listen:     o.Listen,
		store:      st,
		issuer:     issuer,
		authorizer: services.NewAuthorizer(st, issuer),
	}, nil
}

// URL returns the URL of the API, which is also that of the issuer.
func (e *Emulator) URL() string { return e.issuer.URL }

// Audience returns the audience of tokens for the API.
func (e *Emulator) Audience() string { return e.issuer.Audience() }

// Connections returns the number of TCP connections accepted so far.
func (e *Emulator) Connections() int { return int(e.connections.Load()) }

// SetBehavior changes how the platform behaves from now on.
func (e *Emulator) SetBehavior(change func(*Behavior)) {
	e.store.Lock()
	defer e.store.Unlock()
	change(&e.store.Behavior)
}
