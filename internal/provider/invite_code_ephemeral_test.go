package provider_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/echoprovider"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

func TestInviteCodeEphemeral_code_isPassedOn(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	factories := p.Factories()
	factories["echo"] = echoprovider.NewProviderServer()
	data := func(name string) tfjsonpath.Path { return tfjsonpath.New("data").AtMapKey(name) }
	const echoed = "echo.test"

	resource.UnitTest(t, resource.TestCase{
		TerraformVersionChecks:   []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_10_0)},
		ProtoV6ProviderFactories: factories,
		Steps: []resource.TestStep{{
			Config: `
				ephemeral "chainguard_invite_code" "kim" {
				  group      = "acme.example/platform"
				  role       = "viewer"
				  email      = "kim@example.com"
				  single_use = true
				}
				provider "echo" {
				  data = ephemeral.chainguard_invite_code.kim
				}
				resource "echo" "test" {}
			`,
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(echoed, data("id"), knownvalue.StringRegexp(regexp.MustCompile(`^`+p.Group("acme.example/platform")+`/[0-9a-f]{16}$`))),
				statecheck.ExpectKnownValue(echoed, data("group"), knownvalue.StringExact("acme.example/platform")),
				statecheck.ExpectKnownValue(echoed, data("group_id"), knownvalue.StringExact(p.Group("acme.example/platform"))),
				statecheck.ExpectKnownValue(echoed, data("role_id"), knownvalue.StringExact(p.Role("viewer"))),
				statecheck.ExpectKnownValue(echoed, data("role_name"), knownvalue.StringExact("viewer")),
				statecheck.ExpectKnownValue(echoed, data("ttl"), knownvalue.StringExact("1h")),
				statecheck.ExpectKnownValue(echoed, data("email"), knownvalue.StringExact("kim@example.com")),
				statecheck.ExpectKnownValue(echoed, data("single_use"), knownvalue.Bool(true)),
				statecheck.ExpectKnownValue(echoed, data("revoke_on_close"), knownvalue.Bool(true)),
				statecheck.ExpectKnownValue(echoed, data("code"), knownvalue.StringRegexp(regexp.MustCompile(`^eyJncnAiOi`))),
				statecheck.ExpectKnownValue(echoed, data("created_at"), knownvalue.StringExact("2030-01-02T03:04:05Z")),
				statecheck.ExpectKnownValue(echoed, data("expires_at"), expiresAbout("2030-01-02T04:04:05Z")),
			},
			Check: func(*terraform.State) error {
				if live := p.Live(); len(live) != 0 {
					return fmt.Errorf("%d invites are still valid", len(live))
				}
				return nil
			},
		}},
	})
	expectNoneAlive(t, p.Emulator, "after destroy")
	if created, deleted := p.Count("CreateGroupInvite"), p.Count("DeleteGroupInvite"); created == 0 || created != deleted {
		t.Errorf("%d codes were created and %d revoked", created, deleted)
	}
}

func TestInviteCodeEphemeral_code_isInNoFile(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	recorded := recordCodes(p.Emulator)
	handedOver := filepath.Join(t.TempDir(), "code")
	w := workspace(t, p, fmt.Sprintf(`
		ephemeral "chainguard_invite_code" "kim" {
		  group = "acme.example"
		  role  = "viewer"
		}
		resource "terraform_data" "join" {
		  provisioner "local-exec" {
		    command     = "printf %%s \"$INVITE_CODE\" > %s"
		    environment = { INVITE_CODE = ephemeral.chainguard_invite_code.kim.code }
		  }
		}
	`, handedOver))
	w.NeedsVersion("1.10.0", "1.11.0")

	inNoFile := func(when string, wantCreated int) {
		t.Helper()
		expectNoneAlive(t, p.Emulator, when)
		if codes := recorded(); len(codes) != wantCreated {
			t.Fatalf("%s, %d codes were created, want %d", when, len(codes), wantCreated)
		}
		recorded().ExpectNoneIn(t, w.Path("."))
	}
	w.Run("init")
	w.Run("plan", "-out=saved.tfplan")
	inNoFile("after plan", 1)

	w.Run("apply", "saved.tfplan")
	inNoFile("after apply", 2)
	if content, err := os.ReadFile(handedOver); err != nil || string(content) != recorded()["code 2"] {
		t.Errorf("the provisioner did not get its code: %v", err)
	}
	recorded().ExpectNone(t, "the plan as JSON", w.Run("show", "-json", "saved.tfplan"))
	recorded().ExpectNone(t, "the state as JSON", w.Run("show", "-json"))

	w.Run("destroy", "-auto-approve")
	expectNoneAlive(t, p.Emulator, "after destroy")
}

func TestInviteCodeEphemeral_unknownArguments_createNothing(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	w := workspace(t, p, `
		resource "terraform_data" "group" {
		  input = "acme.example"
		}
		ephemeral "chainguard_invite_code" "kim" {
		  group = terraform_data.group.output
		  role  = "viewer"
		}
		resource "terraform_data" "join" {
		  provisioner "local-exec" {
		    command     = "test -n \"$INVITE_CODE\""
		    environment = { INVITE_CODE = ephemeral.chainguard_invite_code.kim.code }
		  }
		}
	`)
	w.NeedsVersion("1.10.0", "1.11.0")
	w.Run("init")
	w.Run("plan", "-out=saved.tfplan")
	if err := p.CheckCalls(nil); err != nil {
		t.Errorf("a plan without a known group: %v", err)
	}
	w.Run("apply", "saved.tfplan")
	expectNoneAlive(t, p.Emulator, "after apply")
	if count := p.Count("CreateGroupInvite"); count != 1 {
		t.Errorf("%d codes were created, want 1", count)
	}
}

func TestInviteCodeEphemeral_unknownProviderSettings_createNothing(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	w := workspace(t, p, fmt.Sprintf(`
		resource "terraform_data" "token" {
		  input = %q
		}
		provider "chainguard" {
		  token = terraform_data.token.output
		}
		ephemeral "chainguard_invite_code" "kim" {
		  group = "acme.example"
		  role  = "viewer"
		}
		resource "terraform_data" "join" {
		  provisioner "local-exec" {
		    command     = "test -n \"$INVITE_CODE\""
		    environment = { INVITE_CODE = ephemeral.chainguard_invite_code.kim.code }
		  }
		}
	`, p.AdminToken()))
	w.NeedsVersion("1.10.0", noOpenTofu) // OpenTofu accepts no unknown result, so its plan fails.
	w.Run("init")
	output := w.Run("plan", "-out=saved.tfplan")
	if !strings.Contains(output, "Invite Code Not Created Yet") || !strings.Contains(output, "token") {
		t.Errorf("the plan does not name the unknown setting:\n%s", output)
	}
	if err := p.CheckCalls(nil); err != nil {
		t.Errorf("a plan without a known token: %v", err)
	}
	w.Run("apply", "saved.tfplan")
	expectNoneAlive(t, p.Emulator, "after apply")
	if count := p.Count("CreateGroupInvite"); count != 1 {
		t.Errorf("%d codes were created, want 1", count)
	}
}

func TestInviteCodeEphemeral_revokeOnClose_canApplyToPlansOnly(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	recorded := recordCodes(p.Emulator)
	w := workspace(t, p, `
		ephemeral "chainguard_invite_code" "kim" {
		  group           = "acme.example"
		  role            = "viewer"
		  revoke_on_close = !terraform.applying
		}
		resource "terraform_data" "join" {
		  provisioner "local-exec" {
		    command     = "test -n \"$INVITE_CODE\""
		    environment = { INVITE_CODE = ephemeral.chainguard_invite_code.kim.code }
		  }
		}
	`)
	w.NeedsVersion("1.10.0", "1.11.0")
	w.Run("init")
	output := w.Run("apply", "-auto-approve")
	if !strings.Contains(output, "Invite Code Not Deleted on Close") {
		t.Errorf("no warning about revoke_on_close = false:\n%s", output)
	}
	if live := p.Live(); len(live) != 1 || live[0].Code != recorded()["code 2"] {
		t.Errorf("%d invites are valid, want that of the apply", len(live))
	}
}

// The following tests use the plugin protocol, so they do not depend on the CLI.

// kims has the minimum attributes of an ephemeral invite code.
var kims = acctest.Config{"group": "acme.example", "role": "viewer"}

// with returns a configuration with more attributes.
func with(config, more acctest.Config) acctest.Config {
	all := acctest.Config{}
	for _, c := range []acctest.Config{config, more} {
		for name, value := range c {
			all[name] = value
		}
	}
	return all
}

func TestInviteCodeEphemeral_open_keepsTheConfiguration(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		block, config acctest.Config
		environment   string
		want          acctest.Object
		expires       string
	}{
		"least": {
			config: kims,
			want:   acctest.Object{"group": "acme.example", "role": "viewer", "cluster": nil, "ttl": "1h", "email": nil, "single_use": false, "revoke_on_close": true},
		},
		"another spelling": {
			config:  with(kims, acctest.Config{"ttl": "1w", "email": "Kim@Example.com", "cluster": false}),
			want:    acctest.Object{"ttl": "1w", "email": "Kim@Example.com", "cluster": false},
			expires: "2030-01-09T03:04:05Z",
		},
		"the provider's group": {
			block:  acctest.Config{"group": "acme.example/platform"},
			config: acctest.Config{"role": "viewer"},
			want:   acctest.Object{"group": "acme.example/platform"},
		},
		"the group from the environment": {
			environment: "acme.example",
			config:      acctest.Config{"role": "viewer"},
			want:        acctest.Object{"group": "acme.example"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := acctest.New(t)
			p.Setenv("CHAINGUARD_DEFAULT_GROUP", test.environment)
			protocol := p.Protocol(t, test.block)
			result, private, diags := protocol.Open(inviteCode, test.config)
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			for attribute, want := range test.want {
				if got := result[attribute]; got != want {
					t.Errorf("%s is %v, want %v", attribute, got, want)
				}
			}
			if test.expires != "" {
				if err := checkExpiry(fmt.Sprint(result["expires_at"]), test.expires); err != nil {
					t.Error(err)
				}
			}
			if live := p.Live(); len(live) != 1 || result["id"] != live[0].UID || result["code"] != live[0].Code {
				t.Errorf("the result is not the created invite; there are %d invites", len(live))
			}
			if diags := protocol.Close(inviteCode, private); len(diags) > 0 {
				t.Error(diags)
			}
			expectNoneAlive(t, p.Emulator, "after close")
		})
	}
}

func TestInviteCodeEphemeral_open_leavesOnlyTheIDForClose(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	_, private, diags := p.Protocol(t, nil).Open(inviteCode, with(kims, acctest.Config{"email": "kim@example.com"}))
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	// The framework stores it as base64-encoded JSON in JSON.
	if want := fmt.Sprintf(`{"id":"%s"}`, base64JSON(t, p.Live()[0].UID)); string(private) != want {
		t.Errorf("kept %s, want %s", private, want)
	}
}

func TestInviteCodeEphemeral_close_succeedsIfTheInviteIsGone(t *testing.T) {
	t.Parallel()
	for name, vanish := range map[string]func(*acctest.Platform){
		"revoked by an owner": func(p *acctest.Platform) { p.DeleteInvite(p.Live()[0].UID) },
		"accepted":            func(p *acctest.Platform) { _ = p.Accept(p.Live()[0].Code) },
		"gone with its group": func(p *acctest.Platform) { p.DeleteGroup(p.Group("acme.example/platform")) },
		"ignored by delete": func(p *acctest.Platform) {
			p.SetBehavior(func(b *emulator.Behavior) { b.MissingDeleteOK = true })
			p.DeleteInvite(p.Live()[0].UID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := acctest.New(t)
			protocol := p.Protocol(t, nil)
			_, private, diags := protocol.Open(inviteCode, acctest.Config{"group": "acme.example/platform", "role": "viewer", "single_use": true})
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			vanish(p)
			if diags := protocol.Close(inviteCode, private); len(diags) > 0 {
				t.Error(diags)
			}
		})
	}
}

func TestInviteCodeEphemeral_failedClose_saysHowToRevoke(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	protocol := p.Protocol(t, nil)
	result, private, diags := protocol.Open(inviteCode, kims)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	p.Inject(emulator.Fault{Method: "DeleteGroupInvite", Code: codes.PermissionDenied, Message: "not you"})
	errs := protocol.Close(inviteCode, private).Errors()
	if len(errs) != 1 {
		t.Fatalf("%d errors, want 1: %v", len(errs), errs)
	}
	for _, want := range []string{"Unable to Delete Invite Code", fmt.Sprintf("chainctl iam invites delete %s", result["id"]), "not you", "group_invites.delete"} {
		if !strings.Contains(errs[0], want) {
			t.Errorf("the error lacks %q:\n%s", want, errs[0])
		}
	}
}

func TestInviteCodeEphemeral_revokeOnCloseFalse_keepsTheInvite(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	protocol := p.Protocol(t, nil)
	config := with(kims, acctest.Config{"revoke_on_close": false})

	diags := protocol.ValidateEphemeral(inviteCode, config)
	if warnings := diags.Warnings(); len(diags.Errors()) > 0 || len(warnings) != 1 || !strings.Contains(warnings[0], "every plan and every apply creates") {
		t.Errorf("no warning: %v", diags)
	}
	_, private, diags := protocol.Open(inviteCode, config)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if len(private) > 0 {
		t.Errorf("it is stored for Close: %s", private)
	}
	if diags := protocol.Close(inviteCode, private); len(diags) > 0 {
		t.Error(diags)
	}
	if live := p.Live(); len(live) != 1 {
		t.Errorf("%d invites are valid, want 1", len(live))
	}
}

func TestInviteCodeEphemeral_openWithUnknowns_createsNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ block, config acctest.Config }{
		"group":                {config: acctest.Config{"group": acctest.Unknown, "role": "viewer"}},
		"role":                 {config: acctest.Config{"group": "acme.example", "role": acctest.Unknown}},
		"email":                {config: with(kims, acctest.Config{"email": acctest.Unknown})},
		"ttl":                  {config: with(kims, acctest.Config{"ttl": acctest.Unknown})},
		"revoke_on_close":      {config: with(kims, acctest.Config{"revoke_on_close": acctest.Unknown})},
		"the provider's token": {block: acctest.Config{"token": acctest.Unknown}, config: kims},
		"the provider's api":   {block: acctest.Config{"api": acctest.Unknown}, config: kims},
		"the provider's group": {block: acctest.Config{"group": acctest.Unknown}, config: acctest.Config{"role": "viewer"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := acctest.New(t)
			protocol := p.Protocol(t, test.block)
			result, private, diags := protocol.Open(inviteCode, test.config)
			if len(diags.Errors()) > 0 || len(diags.Warnings()) != 1 {
				t.Error(diags)
			}
			if result["code"] != acctest.Unknown || result["id"] != acctest.Unknown {
				t.Errorf("code is %v and id %v", result["code"], result["id"])
			}
			if diags := protocol.Close(inviteCode, private); len(diags) > 0 {
				t.Error(diags)
			}
			if err := p.CheckCalls(nil); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestInviteCodeEphemeral_interruptedRun_revokesTheCode(t *testing.T) {
	t.Parallel()
	for _, revoke := range []bool{true, false} {
		t.Run(fmt.Sprintf("revoke_on_close=%t", revoke), func(t *testing.T) {
			t.Parallel()
			p := acctest.New(t)
			protocol := p.Protocol(t, nil)
			p.Inject(emulator.Fault{Method: "CreateGroupInvite", Mutate: func(proto.Message) { protocol.Stop() }})
			_, _, diags := protocol.Open(inviteCode, with(kims, acctest.Config{"revoke_on_close": revoke}))
			if len(diags.Errors()) == 0 {
				t.Error("the code of an interrupted run is returned")
			}
			expectNoneAlive(t, p.Emulator, "after an interrupt")
			if p.Count("CreateGroupInvite") != 1 {
				t.Errorf("calls: %v", p.Counts())
			}
		})
	}
}

func TestInviteCodeEphemeral_lostCreate_isDeletedAndRepeated(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	protocol := p.Protocol(t, nil)
	lost := ""
	p.Inject(emulator.Fault{
		Method: "CreateGroupInvite", When: emulator.AfterCommit, Code: codes.Unavailable, Times: 1,
		Match: func(proto.Message) bool {
			if lost == "" {
				lost = p.Live()[0].UID
			}
			return true
		},
	})
	result, private, diags := protocol.Open(inviteCode, kims)
	if len(diags.Errors()) > 0 {
		t.Fatal(diags)
	}
	if said := diags.String(); !strings.HasPrefix(said, "Invite Code Create Retried: ") || !strings.Contains(said, lost) {
		t.Errorf("%q does not name the revoked invite %s", said, lost)
	}
	if live := p.Live(); len(live) != 1 || live[0].UID != result["id"] {
		t.Errorf("%d invites are valid, want that of the provisioner", len(live))
	}
	if diags := protocol.Close(inviteCode, private); len(diags) > 0 {
		t.Error(diags)
	}
	expectNoneAlive(t, p.Emulator, "after close")
}

func TestInviteCodeEphemeral_failedOpen_createsNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config acctest.Config
		fault  emulator.Fault
		want   string
	}{
		"unknown role":    {config: acctest.Config{"group": "acme.example", "role": "veiwer"}, want: `Did you mean "viewer"?`},
		"unknown group":   {config: acctest.Config{"group": "acme.exampel", "role": "viewer"}, want: `Did you mean "acme.example"?`},
		"no group":        {config: acctest.Config{"role": "viewer"}, want: "Missing Group"},
		"no cluster role": {config: acctest.Config{"group": "acme.example", "cluster": true}, want: "Missing Cluster Role"},
		"too long":        {config: with(kims, acctest.Config{"ttl": "1000d"}), want: "The platform does not accept this value of `ttl`"},
		"not allowed": {
			config: kims,
			fault:  emulator.Fault{Method: "CreateGroupInvite", Code: codes.PermissionDenied},
			want:   "group_invites.create and role_bindings.create",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := acctest.New(t)
			if test.fault.Method != "" {
				p.Inject(test.fault)
			}
			_, private, diags := p.Protocol(t, nil).Open(inviteCode, test.config)
			if errs := diags.Errors(); len(errs) != 1 || !strings.Contains(errs[0], test.want) {
				t.Errorf("errors are %q, want one with %q", errs, test.want)
			}
			if len(private) > 0 {
				t.Errorf("private data is stored for Close: %s", private)
			}
			expectNoneAlive(t, p.Emulator, "after a failure")
		})
	}
}

func TestInviteCodeEphemeral_invalidArguments_failOffline(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	protocol := p.Protocol(t, nil)
	for name, test := range map[string]struct {
		config acctest.Config
		want   string
	}{
		"no role":                    {acctest.Config{"group": "acme.example"}, "Missing Role"},
		"role and cluster":           {with(kims, acctest.Config{"cluster": true}), "Invalid Attribute Combination"},
		"group in capitals":          {with(kims, acctest.Config{"group": "ACME"}), "Invalid Group"},
		"role with a slash":          {with(kims, acctest.Config{"role": "acme.example/viewer"}), "Invalid Role"},
		"address with a name":        {with(kims, acctest.Config{"email": "Kim <kim@example.com>"}), "Invalid Email Address"},
		"ttl of zero":                {with(kims, acctest.Config{"ttl": "0s"}), "too short"},
		"ttl that is not a duration": {with(kims, acctest.Config{"ttl": "soon"}), "is not a lifetime"},
		"unknown values":             {acctest.Config{"group": acctest.Unknown, "role": acctest.Unknown, "cluster": acctest.Unknown, "ttl": acctest.Unknown}, ""},
	} {
		errs := protocol.ValidateEphemeral(inviteCode, test.config).Errors()
		if test.want == "" {
			if len(errs) > 0 {
				t.Errorf("%s: %v", name, errs)
			}
			continue
		}
		if len(errs) != 1 || !strings.Contains(errs[0], test.want) {
			t.Errorf("%s: errors are %q, want one with %q", name, errs, test.want)
		}
	}
	if err := p.CheckCalls(nil); err != nil {
		t.Error(err)
	}
}

// base64JSON returns the JSON of text in base64, as the framework stores it.
func base64JSON(t *testing.T, text string) string {
	t.Helper()
	encoded, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(encoded)
}
