package provider_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/compare"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/provider"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/seal"
)

// sealedTo returns the recipients attribute.
func sealedTo(recipients ...string) string {
	for i, recipient := range recipients {
		recipients[i] = fmt.Sprintf("%q", recipient)
	}
	return "recipients = [" + strings.Join(recipients, ", ") + "]\n"
}

// applied returns a step that applies, followed by an empty plan.
func applied(config string, action plancheck.ResourceActionType, checks ...statecheck.StateCheck) resource.TestStep {
	return resource.TestStep{
		Config: config,
		ConfigPlanChecks: resource.ConfigPlanChecks{
			PreApply:             []plancheck.PlanCheck{plancheck.ExpectResourceAction(kim, action)},
			PostApplyPostRefresh: emptyPlan.PostApplyPostRefresh,
		},
		ConfigStateChecks: checks,
	}
}

func isNull(name string) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(kim, attribute(name), knownvalue.Null())
}

func isNotNull(name string) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(kim, attribute(name), knownvalue.NotNull())
}

// unwrapped joins the lines that Terraform wrapped.
func unwrapped(output string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(output, "│", " ")), " ")
}

func TestInviteCodeResource_recipients_keepTheCodeOutOfEverything(t *testing.T) {
	t.Parallel()
	key := acctest.NewSSHKey(t)
	w, e := acctest.NewProgramWorkspace(t)
	log := trace(t, w)
	codes := recordCodes(e)
	config := func(ttl string) string {
		return kimWith(acmeViewer+"ttl = \""+ttl+"\"\n"+sealedTo(`no-pty,from="10.0.0.0/8" `+key.Public+" kim@laptop")) +
			"output \"kim\" {\nvalue = chainguard_invite_code.kim.encrypted_code\n}\n"
	}
	w.Configure(config("5d"))
	shown := w.Run("plan", "-out=create.tfplan")
	shown += w.Run("show", "-json", "create.tfplan")
	shown += w.Run("apply", "create.tfplan")
	var encrypted string
	w.Output("kim", &encrypted)
	if got := key.Decrypt(t, encrypted); got != e.Live()[0].Code {
		t.Error("encrypted_code is not the encrypted code")
	}

	w.Configure(config("6d"))
	shown += w.Run("plan", "-out=replace.tfplan")
	shown += w.Run("show", "-json", "replace.tfplan")
	shown += w.Run("apply", "replace.tfplan")
	w.Output("kim", &encrypted)
	if got := key.Decrypt(t, encrypted); got != e.Live()[0].Code {
		t.Error("encrypted_code is not the encrypted new code")
	}
	shown += w.Run("show", "-json")
	shown += w.Run("destroy", "-auto-approve")
	canaries := codes()
	if len(canaries) != 2 {
		t.Fatalf("%d codes were created, want 2", len(canaries))
	}
	canaries.ExpectNone(t, "the log", log())
	canaries.ExpectNone(t, "the output", shown)
	// This covers the state, its backup, and both saved plans.
	canaries.ExpectNoneIn(t, w.Path("."))
}

func TestInviteCodeResource_recipients_ageProgramDecrypts(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("age")
	if err != nil {
		t.Skip("no age on PATH")
	}
	key := acctest.NewSSHKey(t)
	p := acctest.New(t)
	w := workspace(t, p, kimWith(acmeViewer+sealedTo(key.Public))+"output \"kim\" {\nvalue = chainguard_invite_code.kim.encrypted_code\n}\n")
	w.Write("id_ed25519", key.Private)
	w.Run("apply", "-auto-approve")
	age := w.Program(t.Context(), program, "--decrypt", "--identity", "id_ed25519")
	age.Stdin = strings.NewReader(w.Run("output", "-raw", "kim"))
	code, err := age.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Accept(string(code)); err != nil {
		t.Error(err)
	}
}

func TestInviteCodeResource_recipients_changesCreateANewCode(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	one, other := acctest.NewSSHKey(t), acctest.NewSSHKey(t)
	same, differ := newCompare("id", compare.ValuesSame()), newCompare("id", compare.ValuesDiffer())
	encrypted := newCompare("encrypted_code", compare.ValuesSame())
	created := applied(kimWith(acmeViewer+sealedTo(one.Public, other.Public+" kim@desktop")), plancheck.ResourceActionCreate,
		same.AddStateValue(), encrypted.AddStateValue(), isNull("code"), isNotNull("encrypted_code"))
	created.ConfigPlanChecks.PreApply = append(created.ConfigPlanChecks.PreApply,
		plancheck.ExpectKnownValue(kim, attribute("code"), knownvalue.Null()), plancheck.ExpectUnknownValue(kim, attribute("encrypted_code")))
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		CheckDestroy:             checkAllRevoked(p),
		Steps: []resource.TestStep{
			created,
			// Order, comments, options and duplicates do not matter.
			applied(kimWith(acmeViewer+sealedTo(other.Public+" another comment", "restrict "+one.Public, one.Public)), plancheck.ResourceActionNoop,
				same.AddStateValue(), encrypted.AddStateValue(), differ.AddStateValue()),
			// A removed key is a change.
			applied(kimWith(acmeViewer+sealedTo(other.Public)), plancheck.ResourceActionReplace, differ.AddStateValue(), isNull("code")),
			// Removing all recipients is a change, and adding one again.
			applied(kimWith(acmeViewer), plancheck.ResourceActionReplace, differ.AddStateValue(), isNotNull("code"), isNull("encrypted_code")),
			applied(kimWith(acmeViewer+sealedTo(one.Public)), plancheck.ResourceActionReplace, differ.AddStateValue(), isNull("code"), isNotNull("encrypted_code")),
		},
	})
}

func TestInviteCodeResource_recipients_changeNothingOnceConsumed(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	one, other := acctest.NewSSHKey(t), acctest.NewSSHKey(t)
	same := newCompare("id", compare.ValuesSame())
	accept := func() {
		if err := p.Accept(p.Live()[0].Code); err != nil {
			t.Error(err)
		}
	}
	accepted := applied(kimWith(acmeViewer+"single_use = true\n"+sealedTo(other.Public)), plancheck.ResourceActionUpdate, same.AddStateValue(), isNull("code"))
	accepted.PreConfig = accept
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		Steps: []resource.TestStep{
			applied(kimWith(acmeViewer+"single_use = true\n"+sealedTo(one.Public)), plancheck.ResourceActionCreate, same.AddStateValue()),
			accepted,
		},
	})
	if got := p.Counts()["CreateGroupInvite"]; got != 1 {
		t.Errorf("%d codes were created, want 1", got)
	}
}

func TestInviteCodeResource_recipients_removeThePlaintextOfAConsumedInvite(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	key := acctest.NewSSHKey(t)
	accepted := applied(kimWith(acmeViewer+"single_use = true\n"+sealedTo(key.Public)), plancheck.ResourceActionUpdate, isNull("code"), isNull("encrypted_code"))
	accepted.PreConfig = func() {
		if err := p.Accept(p.Live()[0].Code); err != nil {
			t.Error(err)
		}
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		Steps: []resource.TestStep{
			applied(kimWith(acmeViewer+"single_use = true\n"), plancheck.ResourceActionCreate, isNotNull("code")),
			accepted,
		},
	})
}

func TestInviteCodeResource_recipients_removeThePlaintextWhenKnown(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	key := acctest.NewSSHKey(t)
	accepted := applied(kimWith(acmeViewer+"single_use = true\nrecipients = terraform_data.keys.output")+
		fmt.Sprintf("resource \"terraform_data\" \"keys\" {\ninput = [%q]\n}\n", key.Public), plancheck.ResourceActionUpdate, isNull("code"))
	accepted.PreConfig = func() {
		if err := p.Accept(p.Live()[0].Code); err != nil {
			t.Error(err)
		}
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: p.Factories(),
		Steps: []resource.TestStep{
			applied(kimWith(acmeViewer+"single_use = true\n"), plancheck.ResourceActionCreate, isNotNull("code")),
			accepted,
		},
	})
}

func TestInviteCodeResource_recipients_areCheckedWhenKnown(t *testing.T) {
	t.Parallel()
	good, bad := acctest.NewSSHKey(t).Public, "ssh-ed25519 AAAAC3"
	const keys = "resource \"terraform_data\" \"keys\" {\ninput = jsondecode(var.keys)\n}\nvariable \"keys\" {}\n"
	whole, element := "recipients = terraform_data.keys.output", "recipients = [terraform_data.keys.output[0]]"
	for name, test := range map[string]struct{ recipients, keys, want string }{
		"all of them":               {whole, `["` + good + `"]`, ""},
		"one of them":               {element, `["` + good + `"]`, ""},
		"all of them, and null":     {whole, `null`, ""},
		"all of them, and empty":    {whole, `[]`, "`recipients` is empty"},
		"all of them, and no key":   {whole, `["` + bad + `"]`, "is incomplete or was altered"},
		"one of them, and no key":   {element, `["` + bad + `"]`, "is incomplete or was altered"},
		"one of them, and null":     {element, `[null]`, "A recipient is null"},
		"one of them, and it mixes": {"recipients = [terraform_data.keys.output[0], \"" + good + "\"]", `["` + postQuantum(t) + `"]`, "cannot be combined"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := acctest.New(t)
			w := workspace(t, p, kimWith(acmeViewer+test.recipients)+keys)
			w.Setenv("TF_VAR_keys", test.keys)
			w.Run("validate")
			w.Run("plan", "-out=saved.tfplan")
			output, err := w.Try("apply", "saved.tfplan")
			if test.want == "" {
				if err != nil {
					t.Fatal(output)
				}
				if output, err := w.Try("plan", "-detailed-exitcode"); err != nil {
					t.Errorf("the plan is not empty:\n%s", output)
				}
				live := p.Live()[0]
				if test.keys != "null" {
					acctest.Canaries{"code": live.Code}.ExpectNoneIn(t, w.Path("."))
				}
				return
			}
			if err == nil || !strings.Contains(unwrapped(output), test.want) {
				t.Errorf("want an error with %q, got:\n%s", test.want, output)
			}
			if got := p.Counts()["CreateGroupInvite"]; got != 0 {
				t.Error("an invite was created anyway")
			}
		})
	}
}

func postQuantum(t *testing.T) string {
	t.Helper()
	identity, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return identity.Recipient().String()
}

func TestInviteCodeResource_recipients_areValidatedOffline(t *testing.T) {
	t.Parallel()
	key := acctest.NewSSHKey(t)
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	private, body := identity.String(), strings.Join(strings.Split(key.Private, "\n")[1:4], "")
	const ecdsa = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg= kim@work"
	p := acctest.New(t)
	for name, test := range map[string]struct {
		recipients string
		want       []string
		secret     string
	}{
		"empty":                        {"recipients = []", []string{"Invalid Recipients", "`recipients` is empty", "recipients = []", "omit the attribute"}, ""},
		"null":                         {"recipients = [null]", []string{"Invalid Recipients", "is null"}, ""},
		"ECDSA":                        {sealedTo(ecdsa), []string{"Invalid Recipients", "(kim@work)", "ssh-keygen -t ed25519"}, ""},
		"several":                      {sealedTo("kim", "lin"), []string{`"kim" is not a public key`, `"lin" is not a public key`}, ""},
		"post-quantum with classic":    {sealedTo(postQuantum(t), key.Public), []string{"cannot be combined"}, ""},
		"a private age key":            {sealedTo(private), []string{"is a private key", "`recipients`", "age-keygen -y"}, private},
		"a private key beside another": {sealedTo(ecdsa, private, "kim"), []string{"is a private key"}, private},
		"a private SSH key":            {sealedTo(key.Private), []string{"is a private key", "ssh-keygen -y"}, body},
		"a private key, cut":           {sealedTo(body[40:]), []string{"Invalid Recipients", "not shown because it may be secret"}, body[40:]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := workspace(t, p, kimWith(acmeViewer+test.recipients))
			output, err := w.Try("validate")
			if err == nil {
				t.Fatal("it is valid")
			}
			for _, want := range test.want {
				if !strings.Contains(unwrapped(output), want) {
					t.Errorf("the error does not contain %q:\n%s", want, output)
				}
			}
			if test.secret != "" {
				for start := 0; start+12 < len(test.secret); start += 6 {
					if strings.Contains(strings.ReplaceAll(unwrapped(output), " ", ""), test.secret[start:start+12]) {
						t.Fatalf("the error shows a part of the private key:\n%s", output)
					}
				}
			}
		})
	}
}

func TestInviteCodeResource_import_hasNoCodeToSeal(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	key := acctest.NewSSHKey(t)
	id := invite(p).UID
	w := workspace(t, p, kimWith("group = \"platform\"\nrole = \"viewer\"\nemail = \"kim@example.com\"\nttl = \"5d\"\nsingle_use = true\n"+sealedTo(key.Public))+
		fmt.Sprintf("import {\nto = %s\nid = %q\n}\noutput \"kim\" {\nvalue = %s.encrypted_code\n}\n", kim, id, kim))
	output := w.Run("apply", "-auto-approve")
	for _, want := range []string{"No Invite Code to Encrypt", "-replace=ADDRESS", "1 imported, 0 added, 1 changed, 0 destroyed"} {
		if !strings.Contains(unwrapped(output), want) {
			t.Errorf("the output lacks %q:\n%s", want, output)
		}
	}
	if output, err := w.Try("plan", "-detailed-exitcode"); err != nil || strings.Contains(output, "No Invite Code to Encrypt") {
		t.Errorf("the plan is not empty, or repeats the error:\n%s", output)
	}
	w.Run("apply", "-auto-approve", "-replace="+kim)
	var encrypted string
	w.Output("kim", &encrypted)
	if live := p.Live(); len(live) != 1 || live[0].UID == id || key.Decrypt(t, encrypted) != live[0].Code {
		t.Error("it is not replaced by an invite with an encrypted code")
	}
}

func TestInviteCodeResource_move_removesThePlaintextWithinTheApply(t *testing.T) {
	t.Parallel()
	for _, refresh := range []string{"true", "false"} {
		t.Run("refresh="+refresh, func(t *testing.T) {
			t.Parallel()
			moveWithRecipients(t, refresh)
		})
	}
}

func moveWithRecipients(t *testing.T, refresh string) {
	t.Helper()
	p := acctest.New(t)
	w := acctest.NewWorkspace(t, "", p.Stubs().Serve())
	w.NeedsVersion("1.8", "1.7")
	const providers = "terraform {\nrequired_providers {\nofficial = {\nsource = \"chainguard-dev/chainguard\"\n}\n" +
		"chainguard = {\nsource = \"chainguard-invites/chainguard\"\n}\n}\n}\n"
	w.Write("main.tf", providers+fmt.Sprintf("resource \"chainguard_group_invite\" \"kim\" {\nprovider = official\ngroup = %q\nrole = %q\n"+
		"email = \"kim@example.com\"\nexpiration = %q\n}\n", p.Group("acme.example"), p.Role("viewer"), acctest.Start.Add(5*day).Format("2006-01-02T15:04:05Z07:00")))
	w.Run("init")
	w.Run("apply", "-auto-approve")
	code := acctest.Canaries{"code": p.Live()[0].Code}
	if state, err := os.ReadFile(w.Path("terraform.tfstate")); err != nil || len(code.Find("the state", state)) == 0 {
		t.Fatalf("the initial state does not have the code: %v", err)
	}

	w.Write("main.tf", providers+kimWith(acmeViewer+"email = \"kim@example.com\"\nttl = \"5d\"\n"+sealedTo(acctest.NewSSHKey(t).Public))+
		"moved {\nfrom = chainguard_group_invite.kim\nto = chainguard_invite_code.kim\n}\n")
	output := w.Run("apply", "-auto-approve", "-refresh="+refresh)
	for _, want := range []string{"No Invite Code to Encrypt", "-replace=ADDRESS", "0 added, 1 changed, 0 destroyed"} {
		if !strings.Contains(unwrapped(output), want) {
			t.Errorf("the output lacks %q:\n%s", want, output)
		}
	}
	code.ExpectNone(t, "the output", output)
	state, err := os.ReadFile(w.Path("terraform.tfstate"))
	if err != nil {
		t.Fatal(err)
	}
	code.ExpectNone(t, "the state", string(state))
	if refresh == "false" {
		return // The next refresh takes up the names of the group and the role.
	}
	if output, err := w.Try("plan", "-detailed-exitcode"); err != nil {
		t.Errorf("the plan is not empty:\n%s", output)
	}
}

// failingSeal serves a provider whose encryption fails with an error that quotes the code.
func failingSeal(p *acctest.Platform, fails func() bool) map[string]acctest.ServerFactory {
	options := append(p.Options(), provider.WithSeal(func(to seal.Recipients, code redact.Secret) (string, error) {
		if fails() {
			return "", errors.New("no entropy for " + base64.StdEncoding.EncodeToString([]byte(code.Reveal())))
		}
		return to.Seal(code)
	}))
	return map[string]acctest.ServerFactory{
		acctest.OurSource: func() (tfprotov6.ProviderServer, error) {
			return providerserver.NewProtocol6WithError(provider.New(acctest.Version, options...)())()
		},
	}
}

func TestInviteCodeResource_seal_deletesTheInviteIfItFails(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	codes := recordCodes(p.Emulator)
	w := acctest.NewWorkspace(t, "", failingSeal(p, func() bool { return true }))
	w.Configure(kimWith(acmeViewer + sealedTo(acctest.NewSSHKey(t).Public)))
	output, err := w.Try("apply", "-auto-approve")
	if err == nil {
		t.Error("it succeeds")
	}
	for _, want := range []string{"Unable to Encrypt Invite Code", "no entropy for (redacted", "The invite was deleted, so nothing was left behind"} {
		if !strings.Contains(unwrapped(output), want) {
			t.Errorf("the output lacks %q:\n%s", want, output)
		}
	}
	if left := p.Invites(); len(left) != 0 {
		t.Errorf("%d invites are left behind", len(left))
	}
	if ids := w.StateIDs(); len(ids) != 0 {
		t.Errorf("the state has %v", ids)
	}
	codes().ExpectNone(t, "the output", output)
	codes().ExpectNoneIn(t, w.Path("."))
}

func TestInviteCodeResource_seal_keepsAnInviteItCannotDelete(t *testing.T) {
	t.Parallel()
	p := acctest.New(t)
	recorded := recordCodes(p.Emulator)
	failing := true
	w := acctest.NewWorkspace(t, "", failingSeal(p, func() bool { return failing }))
	w.Configure(kimWith(acmeViewer + sealedTo(acctest.NewSSHKey(t).Public)))
	p.Inject(emulator.Fault{Method: "DeleteGroupInvite", Code: codes.PermissionDenied, Message: "not allowed", Times: 1})
	output, err := w.Try("apply", "-auto-approve")
	if err == nil || !strings.Contains(unwrapped(output), "Deleting the invite failed as well") || !strings.Contains(output, "tainted") {
		t.Errorf("it does not name the remaining invite: %v\n%s", err, output)
	}
	left := p.Live()
	if ids := w.StateIDs(); len(left) != 1 || len(ids) != 1 || ids[0] != left[0].UID {
		t.Fatalf("the state has %v, and %d invites are live", ids, len(left))
	}

	failing = false
	output += w.Run("apply", "-auto-approve")
	if live := p.Live(); len(live) != 1 || live[0].UID == left[0].UID {
		t.Error("the next apply does not replace it")
	}
	recorded().ExpectNone(t, "the output", output)
	recorded().ExpectNoneIn(t, w.Path("."))
}

// sealPanicFile is the environment variable that makes TestInviteCodeResource_seal_crashDoesNotShowTheCode panic, and
// names the file for the code.
const sealPanicFile = "TEST_SEAL_PANIC_CODE"

func TestInviteCodeResource_seal_crashDoesNotShowTheCode(t *testing.T) {
	t.Parallel()
	if file := os.Getenv(sealPanicFile); file != "" {
		panicWhileSealing(t, file)
		return
	}
	file := filepath.Join(t.TempDir(), "code")
	crash := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestInviteCodeResource_seal_crashDoesNotShowTheCode$", "-test.v")
	crash.Env = append(os.Environ(), sealPanicFile+"="+file, "GOTRACEBACK=all", "TF_LOG=TRACE")
	output, err := crash.CombinedOutput()
	if err == nil || !strings.Contains(string(output), "panic: no entropy") {
		t.Fatalf("it did not crash: %v\n%s", err, output)
	}
	code, err := os.ReadFile(file)
	if err != nil || len(code) == 0 {
		t.Fatalf("there was no code to search for: %v", err)
	}
	acctest.Canaries{"code": string(code)}.ExpectNone(t, "what the crash prints", string(output))
}

func panicWhileSealing(t *testing.T, file string) {
	t.Helper()
	p := acctest.New(t)
	options := append(p.Options(), provider.WithSeal(func(_ seal.Recipients, code redact.Secret) (string, error) {
		if err := os.WriteFile(file, []byte(code.Reveal()), 0o600); err != nil {
			return "", err
		}
		panic("no entropy")
	}))
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"chainguard": providerserver.NewProtocol6WithError(provider.New(acctest.Version, options...)()),
		},
		Steps: []resource.TestStep{{Config: kimWith(acmeViewer + sealedTo(acctest.NewSSHKey(t).Public))}},
	})
}

// If a module's tests mock the provider, encrypted_code is generated text, as for every computed attribute.
func TestInviteCodeResource_recipients_canBeMocked(t *testing.T) {
	t.Parallel()
	w := workspace(t, acctest.New(t), kimWith(acmeViewer+sealedTo(acctest.NewSSHKey(t).Public))+
		"output \"kim\" {\nvalue = chainguard_invite_code.kim.encrypted_code\n}\n")
	w.NeedsVersion("1.7", "1.8")
	w.Write("mocked.tftest.hcl", `mock_provider "chainguard" {
  mock_resource "chainguard_invite_code" {
    defaults = {
      encrypted_code = "-----BEGIN AGE ENCRYPTED FILE-----"
    }
  }
}

run "applies" {
  assert {
    condition     = output.kim == "-----BEGIN AGE ENCRYPTED FILE-----"
    error_message = "The mocked value should be used."
  }
}
`)
	if output := w.Run("test"); !strings.Contains(output, "1 passed, 0 failed") {
		t.Error(output)
	}
}
