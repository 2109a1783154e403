package provider_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// pipeline signs the provider in as a CI job: with an OIDC token for an identity.
func pipeline(p *acctest.Platform) {
	p.Setenv("CHAINGUARD_TOKEN", "")
	p.Setenv("TF_CHAINGUARD_IDENTITY", p.AdminIdentity()) // the official provider's variable
	p.Setenv("TF_CHAINGUARD_IDENTITY_TOKEN", emulator.UpstreamToken(emulator.Upstream{
		Issuer: "https://ci.example.com", Subject: "pipeline", Audience: []string{p.URL()}, Expires: acctest.Start.Add(365 * day),
	}))
}

const fifty = `
	resource "chainguard_invite_code" "many" {
		count = 50
		group = "acme.example"
		role  = "viewer"
		email = "user${count.index}@example.com"
	}
`

// This test uses the real clock: a fake one advances during calls, which would expire every token.
func TestTokens_expireDuringApply(t *testing.T) {
	t.Parallel()
	w, e := acctest.NewProgramWorkspace(t)
	w.Setenv("CHAINGUARD_TOKEN", "")
	w.Setenv("CHAINGUARD_IDENTITY", e.AdminIdentity())
	w.Setenv("CHAINGUARD_IDENTITY_TOKEN", emulator.UpstreamToken(emulator.Upstream{
		Issuer: "https://ci.example.com", Subject: "pipeline", Audience: []string{e.URL()}, Expires: time.Now().Add(time.Hour),
	}))
	e.SetBehavior(func(b *emulator.Behavior) { b.TokenLifetime = 3 * time.Second })
	e.Inject(emulator.Fault{Method: "CreateGroupInvite", Delay: 800 * time.Millisecond})
	w.Configure(fifty)
	w.Run("apply", "-auto-approve")
	if live, exchanges := len(e.Live()), e.Count("Exchange"); live != 50 || exchanges < 2 || exchanges > 10 {
		t.Errorf("%d invites after %d exchanges", live, exchanges)
	}
}

func TestTokens_revokedDuringApplyAreRenewed(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	pipeline(p)
	var creates atomic.Int64
	p.OnRequest("CreateGroupInvite", func(proto.Message) {
		if creates.Add(1) == 25 {
			p.RevokeTokens()
		}
	})
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		Steps: []resource.TestStep{
			{
				Config: fifty,
				Check: func(*terraform.State) error {
					if len(p.Invites()) != 50 {
						return fmt.Errorf("%d invites", len(p.Invites()))
					}
					return nil
				},
			},
			{Config: "# Nothing"},
		},
	})
	if n := len(p.Invites()); n != 0 {
		t.Errorf("%d invites are left", n)
	}
}
