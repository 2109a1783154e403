package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

const (
	// The full address, host included, means the same to Terraform and to OpenTofu.
	providerAddress = "registry.terraform.io/chainguard-invites/chainguard"

	inviteAddress = "chainguard_invite_code.kim"

	versionsFile = `terraform {
  required_providers {
    chainguard = {
      source = "` + providerAddress + `"
    }
  }
}
`
	// %s is the ttl.
	inviteFile = `resource "chainguard_invite_code" "kim" {
  group = "acme.example"
  role  = "viewer"
  email = "kim@acme.example"
  ttl   = "%s"
}

output "code" {
  value     = chainguard_invite_code.kim.code
  sensitive = true
}
`
)

// story is the demo, step by step.
type story struct {
	say      *narrator
	programs programs
	room     string // the temporary folder that all happens in

	platform  *platform
	terraform *terraform
	invite    invite // as Terraform's state has it
}

// tell runs all steps, and stops at the first that goes wrong.
func (s *story) tell(ctx context.Context) error {
	s.terraform = &terraform{say: s.say, path: s.programs.terraform, dir: filepath.Join(s.room, "invites"), env: cleanEnvironment(s.room)}
	if err := os.Mkdir(s.terraform.dir, 0o700); err != nil {
		return err
	}
	version, err := s.terraform.version(ctx)
	if err != nil {
		return err
	}
	s.say.title("The life of an invite code, with " + version + " and a Chainguard platform on this machine")

	for _, step := range []struct {
		heading string
		do      func(context.Context) error
	}{
		{"Start a local platform", s.startPlatform},
		{"Describe the invite", s.describe},
		{"Install the provider", s.install},
		{"See what will happen", s.plan},
		{"Mint the code", s.apply},
		{"Hand the code on: it is a secret", s.output},
		{"Plan again: nothing has changed", s.planAgain},
		{"Spell the TTL differently: still nothing to do", s.respell},
		{"Change the TTL: a new code, and the old one is revoked", s.replace},
		{"Kim accepts the invite", s.accept},
		{"Destroy: no code is left behind", s.destroy},
	} {
		s.say.step(step.heading)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("step %d, %q, failed: %w", s.say.steps, step.heading, err)
		}
	}
	return nil
}

// close stops what the story started.
func (s *story) close() error {
	if s.platform == nil {
		return nil
	}
	return s.platform.close()
}

func (s *story) startPlatform(ctx context.Context) (err error) {
	s.platform, err = startPlatform(ctx, s.say, s.programs.emulator, s.room)
	if err != nil {
		return err
	}
	s.say.result("It answers at %s, and holds the organization acme.example.", s.platform.url())
	return nil
}

func (s *story) describe(context.Context) error {
	if err := s.write("versions.tf", versionsFile); err != nil {
		return err
	}
	if err := s.writeInvite("7d"); err != nil {
		return err
	}
	s.say.command("cat main.tf")
	s.say.text(fmt.Sprintf(inviteFile, "7d"))
	return nil
}

func (s *story) write(name, content string) error {
	return os.WriteFile(filepath.Join(s.terraform.dir, name), []byte(content), 0o600)
}

func (s *story) writeInvite(ttl string) error {
	return s.write("main.tf", fmt.Sprintf(inviteFile, ttl))
}

// install puts the provider where a registry's copy of it would be unpacked from, so that init is the real one: it
// looks for versions, installs one, and writes its checksum down.
func (s *story) install(ctx context.Context) error {
	mirror := filepath.Join(s.room, "mirror")
	unpacked := filepath.Join(mirror, filepath.FromSlash(providerAddress), s.programs.providerVersion, runtime.GOOS+"_"+runtime.GOARCH)
	if err := os.MkdirAll(unpacked, 0o700); err != nil {
		return err
	}
	name := "terraform-provider-chainguard_v" + s.programs.providerVersion
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if err := copyProgram(s.programs.provider, filepath.Join(unpacked, name)); err != nil {
		return err
	}

	// Its own data folder, as well: the mirror is the only place that providers come from.
	config := filepath.Join(s.room, "terraform.rc")
	content := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", filepath.ToSlash(mirror))
	if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
		return err
	}
	s.terraform.env = append(s.platform.clientEnvironment(s.room),
		"TF_CLI_CONFIG_FILE="+config,
		"TF_CLI_ARGS=-no-color",
		"TF_INPUT=0",
		"CHECKPOINT_DISABLE=1", // Terraform must not ask the internet for newer versions of itself
	)

	out, err := s.terraform.run(ctx, "init")
	if err != nil {
		return err
	}
	if !strings.Contains(out, "chainguard-invites/chainguard v"+s.programs.providerVersion) {
		return fmt.Errorf("init did not install version %s of the provider:\n%s", s.programs.providerVersion, indent(out))
	}
	s.say.result("Installed chainguard-invites/chainguard v%s.", s.programs.providerVersion)
	return nil
}

func copyProgram(from, to string) error {
	program, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, program, 0o700)
}

func (s *story) plan(ctx context.Context) error {
	out, err := s.terraform.run(ctx, "plan", "-out=tfplan")
	if err != nil {
		return err
	}
	const want = "Plan: 1 to add, 0 to change, 0 to destroy."
	if err := expectSummary(out, want); err != nil {
		return err
	}
	if err := s.platform.expectOnly(ctx); err != nil {
		return err
	}
	s.say.result("%s", want)
	return nil
}

func (s *story) apply(ctx context.Context) error {
	out, err := s.terraform.run(ctx, "apply", "tfplan")
	if err != nil {
		return err
	}
	if err := expectSummary(out, "Apply complete! Resources: 1 added, 0 changed, 0 destroyed."); err != nil {
		return err
	}
	if err := s.readInvite(ctx, out); err != nil {
		return err
	}
	if err := s.platform.expectOnly(ctx, s.invite.ID); err != nil {
		return err
	}
	s.say.result("Invite %s", s.invite.ID)
	s.say.result("for %s as %s, until %s.", s.invite.Email, s.invite.RoleName, s.invite.ends())
	return nil
}

// readInvite takes the invite from Terraform's state after an apply, and sees to it that the apply kept the code to
// itself.
func (s *story) readInvite(ctx context.Context, applied string) (err error) {
	if s.invite, err = s.terraform.invite(ctx, inviteAddress); err != nil {
		return err
	}
	if s.invite.ID == "" || s.invite.Code == "" {
		return errors.New("the invite has no id or no code in Terraform's state")
	}
	if strings.Contains(applied, s.invite.Code) {
		return errors.New("the code is in what Terraform printed")
	}
	return nil
}

func (s *story) output(ctx context.Context) error {
	out, err := s.terraform.run(ctx, "output")
	if err != nil {
		return err
	}
	const want = "code = <sensitive>"
	if strings.TrimSpace(out) != want {
		// Not with the output: it might be the code.
		return fmt.Errorf("%q was expected, and nothing else", want)
	}
	s.say.result("%s", want)

	raw, err := s.terraform.secret(ctx, "output", "-raw", "code")
	if err != nil {
		return err
	}
	if raw != s.invite.Code {
		return errors.New("`output -raw code` is not the code that the state holds")
	}
	s.say.result("Who needs it asks for it: `%s output -raw code` prints its %d characters.", s.terraform.name(), len(raw))
	return nil
}

func (s *story) planAgain(ctx context.Context) error {
	if err := s.terraform.planEmpty(ctx); err != nil {
		return err
	}
	s.say.result("No changes.")
	return nil
}

func (s *story) respell(ctx context.Context) error {
	s.editTTL("7d", "168h")
	if err := s.writeInvite("168h"); err != nil {
		return err
	}
	if err := s.terraform.planEmpty(ctx); err != nil {
		return err
	}
	s.say.result("No changes: a week is a week, however it is written.")
	return nil
}

func (s *story) replace(ctx context.Context) error {
	s.editTTL("168h", "2d")
	if err := s.writeInvite("2d"); err != nil {
		return err
	}
	out, err := s.terraform.run(ctx, "apply", "-auto-approve")
	if err != nil {
		return err
	}
	const want = "Apply complete! Resources: 1 added, 0 changed, 1 destroyed."
	if err := expectSummary(out, want); err != nil {
		return err
	}
	old := s.invite
	if err := s.readInvite(ctx, out); err != nil {
		return err
	}
	if s.invite.ID == old.ID || s.invite.Code == old.Code {
		return errors.New("the invite was to be replaced, but kept its id or its code")
	}
	if err := s.platform.expectOnly(ctx, s.invite.ID); err != nil {
		return err
	}
	accepted, err := s.platform.accept(ctx, s.room, s.invite.Email, old.Code)
	if err != nil {
		return err
	}
	if accepted.exit == 0 || !strings.Contains(accepted.stderr, "did not accept the code") {
		return fmt.Errorf("the platform should refuse the old code, but: %s", indent(accepted.stdout+accepted.stderr))
	}
	s.say.result("%s", want)
	s.say.result("Invite %s, until %s.", s.invite.ID, s.invite.ends())
	s.say.result("The platform refuses the old code.")
	return nil
}

// editTTL shows the edit as one would make it.
func (s *story) editTTL(from, to string) {
	s.say.command(fmt.Sprintf(`sed -i 's/"%s"/"%s"/' main.tf`, from, to))
}

func (s *story) accept(ctx context.Context) error {
	s.say.command(s.terraform.name() + " output -raw code | emulator accept --email " + s.invite.Email + " -")
	code, err := s.terraform.secret(ctx, "output", "-raw", "code")
	if err != nil {
		return err
	}
	accepted, err := s.platform.accept(ctx, s.room, s.invite.Email, code)
	if err != nil {
		return err
	}
	if accepted.exit != 0 {
		return fmt.Errorf("the platform refused the code:\n%s", indent(accepted.stderr))
	}
	s.say.result("Accepted. On the real platform, that is `chainctl auth login --invite-code CODE`.")
	return nil
}

func (s *story) destroy(ctx context.Context) error {
	out, err := s.terraform.run(ctx, "destroy", "-auto-approve")
	if err != nil {
		return err
	}
	const want = "Destroy complete! Resources: 1 destroyed."
	if err := expectSummary(out, want); err != nil {
		return err
	}
	if err := s.platform.expectOnly(ctx); err != nil {
		return err
	}
	s.say.result("%s", want)
	s.say.result("The platform has no invite any more.")
	return nil
}
