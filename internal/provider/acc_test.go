package provider_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/auth"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/provider"
)

// accGroup is the environment variable with the group of a real organization in which TestAcc* creates invites.
const accGroup = "CHAINGUARD_ACC_GROUP"

// Tests named TestAcc* need TF_ACC=1, and run against the platform that this machine is signed in to. They create
// invites valid for at most an hour in the group of CHAINGUARD_ACC_GROUP, and delete them.
func TestAccInviteCode_life(t *testing.T) {
	acctest.DriveCLI()
	group := os.Getenv(accGroup)
	config := func(ttl string) string {
		return kimWith(fmt.Sprintf("group = %q\nrole = \"viewer\"\nemail = \"nobody@example.com\"\nsingle_use = true\nttl = %q", group, ttl))
	}
	var made []string
	note := func(s *terraform.State) error {
		made = append(made, s.RootModule().Resources[kim].Primary.ID)
		return nil
	}
	id, code := newCompare("id", compare.ValuesDiffer()), newCompare("code", compare.ValuesDiffer())
	resource.Test(t, resource.TestCase{
		PreCheck: func() {
			if group == "" {
				t.Fatalf("%s must name a group in which this test may create invites: see CONTRIBUTING.md", accGroup)
			}
		},
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"chainguard": providerserver.NewProtocol6WithError(provider.New("acctest")()),
		},
		CheckDestroy: func(*terraform.State) error { return checkRevokedForReal(t.Context(), made) },
		Steps: []resource.TestStep{
			{
				Config:           config("30m"),
				Check:            resource.ComposeTestCheckFunc(note, logLifetime(t)),
				ConfigPlanChecks: emptyPlan,
				ConfigStateChecks: []statecheck.StateCheck{
					id.AddStateValue(), code.AddStateValue(),
					statecheck.ExpectKnownValue(kim, attribute("status"), knownvalue.StringExact("active")),
					statecheck.ExpectKnownValue(kim, attribute("role_name"), knownvalue.StringExact("viewer")),
				},
			},
			{
				Config: config("1800s"),
				ConfigPlanChecks: resource.ConfigPlanChecks{
					PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
				},
			},
			{
				Config: config("1h"),
				Check:  note,
				ConfigPlanChecks: resource.ConfigPlanChecks{
					PreApply:             []plancheck.PlanCheck{plancheck.ExpectResourceAction(kim, plancheck.ResourceActionReplace)},
					PostApplyPostRefresh: emptyPlan.PostApplyPostRefresh,
				},
				ConfigStateChecks: []statecheck.StateCheck{id.AddStateValue(), code.AddStateValue()},
			},
			{
				ResourceName:            kim,
				ImportState:             true,
				ImportStateVerify:       true,
				ImportStateVerifyIgnore: []string{"code", "group", "role", "ttl"},
			},
		},
	})
}

// logLifetime logs whether the real platform keeps lifetimes to the millisecond. A create requests up to 499 ms less
// than the ttl.
func logLifetime(t *testing.T) resource.TestCheckFunc {
	t.Helper()
	return func(s *terraform.State) error {
		attributes := s.RootModule().Resources[kim].Primary.Attributes
		created, createdErr := time.Parse(time.RFC3339Nano, attributes["created_at"])
		expires, expiresErr := time.Parse(time.RFC3339Nano, attributes["expires_at"])
		if err := errors.Join(createdErr, expiresErr); err != nil {
			return err
		}
		lifetime := expires.Sub(created)
		t.Logf("For a ttl of 30m, the platform granted %s. It keeps milliseconds unless this is a whole second", lifetime)
		return nil
	}
}

// checkRevokedForReal checks that the real platform does not have the invites any longer.
func checkRevokedForReal(ctx context.Context, ids []string) error {
	resolved, problems := config.Resolve(nil, config.OSEnvironment())
	if len(problems) > 0 {
		return fmt.Errorf("signing in: %v", problems)
	}
	client, err := platform.New(platform.Config{API: resolved.API, Tokens: auth.New(resolved, auth.Options{}), RequestTimeout: resolved.RequestTimeout})
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	if len(ids) != 2 {
		return fmt.Errorf("%d invites were created, want one for each ttl", len(ids))
	}
	for _, id := range ids {
		switch _, err := client.ReadInvite(ctx, id); {
		case err == nil:
			return fmt.Errorf("the invite %s is left on the platform", id)
		case !platform.IsNotFound(err):
			return err
		}
	}
	return nil
}
