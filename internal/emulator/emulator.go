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
)

// Options say what an emulator starts with. The zero value is a good one.
type Options struct {
	// Seed is what exists at the start. Without organizations it is DefaultSeed.
	Seed Seed
	// Clock tells the platform's time. The default is the machine's clock.
	Clock clock.Clock
	// Listen is the loopback address to serve. The default is a free port of 127.0.0.1.
	Listen string
	// Audience is what tokens for the API must be made for. The default is the API's own URL, as on the platform.
	Audience string
}

// Emulator is one local platform. Make it with New, and serve it with Start.
type Emulator struct {
	clock    clock.Clock
	listen   string
	audience string // "" for the URL

	mu       sync.Mutex // guards store and switches
	store    *store
	switches switches

	faults faults
	log    requestLog

	grpc        *grpc.Server
	http        *http.Server
	url         string
	calls       sync.WaitGroup // every goroutine that Close waits for
	connections atomic.Int64
	stop        context.CancelFunc
	closing     sync.Once
}

// switches are the ways in which the platform is told to behave.
type switches struct {
	tokenLifetime   time.Duration
	newGroupDelay   time.Duration
	missingDeleteOK bool
	noDate          bool
	epoch           int // tokens of an earlier epoch are revoked
}

// New makes an emulator that holds the seed, and says what is wrong with the seed if anything is. It does no I/O: Start
// does.
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
	store, err := o.Seed.plant(o.Clock.Now())
	if err != nil {
		return nil, err
	}
	return &Emulator{
		clock:    o.Clock,
		listen:   o.Listen,
		audience: o.Audience,
		store:    store,
		switches: switches{tokenLifetime: time.Hour},
	}, nil
}

// Start serves the platform until Close. It returns as soon as calls are answered.
func (e *Emulator) Start() error {
	if e.http != nil {
		return errors.New("the emulator was started before: make another with New")
	}
	address, err := loopback(e.listen)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		return fmt.Errorf("the emulator cannot listen on %s: %w", e.listen, err)
	}
	e.url = "http://" + listener.Addr().String()
	e.serve(listener)
	return nil
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
func (e *Emulator) URL() string { return e.url }

// Audience is what tokens for the API must be made for.
func (e *Emulator) Audience() string {
	if e.audience != "" {
		return e.audience
	}
	return e.url
}

// Connections counts the TCP connections that were made to the emulator so far.
func (e *Emulator) Connections() int { return int(e.connections.Load()) }

// SetTokenLifetime sets for how long tokens live that the security token service mints from now on. It starts at an
// hour.
func (e *Emulator) SetTokenLifetime(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.switches.tokenLifetime = d
}

// SetNewGroupDelay makes calls under a group fail with PermissionDenied until the group is this old, as they do for
// some seconds on the platform. It starts at zero.
func (e *Emulator) SetNewGroupDelay(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.switches.newGroupDelay = d
}

// SetMissingDeleteOK makes the deletion of a missing invite succeed instead of answering NotFound. Which of the two the
// platform does is not documented.
func (e *Emulator) SetMissingDeleteOK(ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.switches.missingDeleteOK = ok
}

// SetNoDate makes answers to gRPC calls come without a date header, as those of a gRPC server that no HTTP proxy stands
// before.
func (e *Emulator) SetNoDate(none bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.switches.noDate = none
}

// RevokeTokens refuses every token issued so far. Refresh tokens live on.
func (e *Emulator) RevokeTokens() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.switches.epoch++
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

// loopback checks that an address to listen on is one that only this machine can reach: the emulator takes any token
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
