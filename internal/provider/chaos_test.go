package provider_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// TestChaos makes a tenth of all calls fail, before or after the platform executed them, and checks that the valid
// invites are exactly those in the state. CHAOS_INVITES, CHAOS_PARALLELISM and CHAOS_SEED change the number of invites,
// the parallelism and the faults; `make chaos` runs many seeds. A seed decides the fate of the nth call with the same
// request, but the order of calls depends on the scheduler.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("chaos")
	}
	t.Parallel()
	invites, seed := number(t, "CHAOS_INVITES", 200), uint64(number(t, "CHAOS_SEED", 1))
	t.Logf("CHAOS_INVITES=%d CHAOS_SEED=%d", invites, seed)
	w, e := acctest.NewProgramWorkspace(t)
	parallelism := fmt.Sprintf("-parallelism=%d", number(t, "CHAOS_PARALLELISM", 50))
	faults := []emulator.Fault{
		{Code: codes.Unavailable},
		{Code: codes.Internal},
		{Code: codes.Unavailable, When: emulator.AfterCommit},
		{Code: codes.Unknown, When: emulator.AfterCommit},
		{Code: codes.DeadlineExceeded, When: emulator.AfterCommit},
		{Reset: http2.ErrCodeEnhanceYourCalm, When: emulator.AfterCommit},
		{Reset: http2.ErrCodeRefusedStream, When: emulator.AfterCommit},
		{Proxy: &emulator.ProxyAnswer{Status: http.StatusBadGateway}, When: emulator.AfterCommit},
	}
	// These end every call of the connection, so they are rare.
	breaks := []emulator.Fault{{GoAway: true, When: emulator.AfterCommit}, {Drop: true, When: emulator.AfterCommit}}
	var calm []func()
	for _, method := range []string{"CreateGroupInvite", "GetGroupInvite", "DeleteGroupInvite", "ListGroupInvites"} {
		for _, fault := range faults {
			fault.Method, fault.Probability, fault.Seed = method, 0.1/float64(len(faults)), seed
			calm = append(calm, e.Inject(fault))
		}
		for _, fault := range breaks {
			fault.Method, fault.Probability, fault.Seed = method, 0.0005, seed
			calm = append(calm, e.Inject(fault))
		}
	}

	// Half of the invites have the same inputs, so that lost ones are hard to identify.
	w.Configure(fmt.Sprintf(`
		resource "chainguard_invite_code" "alike" {
			count = %[1]d
			group = "acme.example"
			role  = "viewer"
		}
		resource "chainguard_invite_code" "each" {
			count = %[1]d
			group = "acme.example"
			role  = "viewer"
			email = "user${count.index}@example.com"
		}
	`, invites/2))
	// No code may be valid that is not in the state. The reverse can happen, because the response to a delete can be
	// lost.
	noOrphan := func(when string) (live, known []string) {
		t.Helper()
		for _, invite := range e.Live() {
			live = append(live, invite.UID)
		}
		known = w.StateIDs()
		slices.Sort(live)
		slices.Sort(known)
		for _, id := range live {
			if _, ok := slices.BinarySearch(known, id); !ok {
				t.Fatalf("%s, invite %s is valid but not in the state", when, id)
			}
		}
		return live, known
	}
	// Each run creates some of the invites, and the next one retries those that failed.
	for run := 1; ; run++ {
		output, err := w.Try("apply", "-auto-approve", parallelism)
		live, known := noOrphan(fmt.Sprintf("after apply %d", run))
		t.Logf("apply %d: %d invites, %v", run, len(known), err)
		if len(known) == invites {
			if !slices.Equal(live, known) {
				t.Fatalf("%d invites are valid and %d are in the state", len(live), len(known))
			}
			break
		}
		if run == 10 {
			t.Fatalf("after %d runs there are %d invites of %d\n%s", run, len(known), invites, output)
		}
	}
	for run := 1; len(w.StateIDs()) > 0; run++ {
		output, err := w.Try("destroy", "-auto-approve", parallelism)
		_, known := noOrphan(fmt.Sprintf("after destroy %d", run))
		t.Logf("destroy %d: %d invites, %v", run, len(known), err)
		if run == 10 && len(known) > 0 {
			t.Fatalf("after %d runs there still are %d invites\n%s", run, len(known), output)
		}
	}
	for _, remove := range calm {
		remove()
	}
	if n := len(e.Invites()); n > 0 {
		t.Errorf("%d invites are left", n)
	}
}

func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}
