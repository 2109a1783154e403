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

// Options are what an emulator starts with. The zero value is a good one.
type Options struct {
	// Seed is what exists at the start. Without organizations it is DefaultSeed.
	Seed Seed
	// Clock tells the platform's time. The default is the machine's clock.
	Clock clock.Clock
	// Listen is the loopback address to serve. The default is a free port of 127.0.0.1.
	Listen string
	// Audience is what tokens for the API must be issued for. The default is the API's own URL, as on the platform.
	Audience string
	// Behavior is how the platform behaves where its documents leave room.
	Behavior Behavior
}

// Behavior is what the platform does where its documents leave room, or where a test wants it to be worse.
type Behavior = store.Behavior

// Emulator is one local platform. Create it with New, and serve it with Start.
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

// New returns an emulator that holds the seed, or says what is wrong with the seed. It does no I/O: Start does.
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

// URL is where the platform is: the API and the issuer both.
func (e *Emulator) URL() string { return e.issuer.URL }

// Audience is what tokens for the API must be issued for.
func (e *Emulator) Audience() string { return e.issuer.Audience() }

// Connections counts the TCP connections that were made to the emulator so far.
func (e *Emulator) Connections() int { return int(e.connections.Load()) }

// SetBehavior changes how the platform behaves from now on.
func (e *Emulator) SetBehavior(change func(*Behavior)) {
	e.store.Lock()
	defer e.store.Unlock()
	change(&e.store.Behavior)
}
