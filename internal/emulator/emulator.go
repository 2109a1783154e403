package emulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

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
	listen     string
	store      *store.Store
	issuer     *services.Issuer
	authorizer *services.Authorizer
	faults     faults
	log        requestLog

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

// Start serves the platform until Close. It returns as soon as calls are answered.
func (e *Emulator) Start() error {
	if e.http != nil {
		return errors.New("the emulator was started before: create another with New")
	}
	address, err := loopback(e.listen)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		return fmt.Errorf("the emulator cannot listen on %s: %w", e.listen, err)
	}
	e.issuer.URL = "http://" + listener.Addr().String()
	e.serve(listener)
	return nil
}

// loopback checks that an address to listen on is one that only this machine can reach: the emulator accepts any token
// that is signed with a public key.
func loopback(address string) (string, error) {
	refused := fmt.Errorf("the emulator serves loopback only, so it cannot listen on %q: use 127.0.0.1:PORT, with port 0 for a free one", address)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", refused
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return "", refused
	}
	return net.JoinHostPort(host, port), nil
}

// Close ends every call and connection, and waits until nothing of the emulator runs any more. Closing twice is fine.
func (e *Emulator) Close() (err error) {
	e.closing.Do(func() {
		if e.http == nil {
			return
		}
		e.stop()             // ends what hangs or delays
		err = e.http.Close() // breaks the connections
		e.grpc.Stop()        // waits for the handlers
		e.calls.Wait()       // and for the connections
	})
	return err
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

// SetTokenLifetime sets Behavior.TokenLifetime.
func (e *Emulator) SetTokenLifetime(d time.Duration) {
	e.SetBehavior(func(b *Behavior) { b.TokenLifetime = d })
}

// SetNewGroupDelay sets Behavior.NewGroupDelay.
func (e *Emulator) SetNewGroupDelay(d time.Duration) {
	e.SetBehavior(func(b *Behavior) { b.NewGroupDelay = d })
}

// SetMissingDeleteOK sets Behavior.MissingDeleteOK.
func (e *Emulator) SetMissingDeleteOK(ok bool) {
	e.SetBehavior(func(b *Behavior) { b.MissingDeleteOK = ok })
}

// SetNoDate sets Behavior.NoDate.
func (e *Emulator) SetNoDate(none bool) {
	e.SetBehavior(func(b *Behavior) { b.NoDate = none })
}

// TB is what ForTest needs of a *testing.T.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// ForTest starts an emulator that is closed when the test ends.
func ForTest(t TB, o Options) *Emulator {
	t.Helper()
	e, err := New(o)
	if err != nil {
		t.Fatalf("emulator: %v", err)
	}
	if err := e.Start(); err != nil {
		t.Fatalf("emulator: %v", err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Fatalf("closing the emulator: %v", err)
		}
	})
	return e
}
