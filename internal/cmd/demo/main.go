// Command demo shows the life of an invite code from `terraform init` to `terraform destroy`: a real Terraform (or
// OpenTofu) drives the provider against the emulator, so neither an account nor the internet is needed.
//
// It checks the result of each step, both in Terraform's output and on the platform, and exits with an error at the
// first step that fails.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

const (
	// limit keeps a demo that hangs from blocking CI. It normally takes half a minute.
	limit = 10 * time.Minute

	configuration = `terraform {
  required_providers {
    chainguard = {
      source  = "chainguard-invites/chainguard"
      version = "~> 0.1"
    }
  }
}

resource "chainguard_invite_code" "kim" {
  group      = "acme.example"
  role       = "viewer"
  email      = "kim@acme.example"
  ttl        = "7d"
  single_use = true
}

output "code" {
  value     = chainguard_invite_code.kim.code
  sensitive = true
}
`
)

func main() {
	// Catch SIGPIPE so that `make demo | head` removes the temporary folder as well.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	err := run(ctx, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "\nThe demo failed: %v\n", err)
		os.Exit(1)
	}
}

// run runs all steps in a temporary folder. It removes the folder and stops the emulator at the end.
func run(ctx context.Context, out *os.File) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it was not done within %s", limit))
	defer cancel()
	folder, err := os.MkdirTemp("", "chainguard-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()

	platform, err := emulator.New(emulator.Options{})
	if err != nil {
		return err
	}
	if err := platform.Start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, platform.Close()) }()
	cli, err := acctest.NewCLI(folder)
	if err != nil {
		return err
	}
	info, err := out.Stat()
	if err != nil {
		return err
	}
	terminal := info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
	d := &demo{ctx: ctx, out: out, terminal: terminal, cli: cli, platform: platform}
	d.print(bold, "The life of an invite code, with "+cli.Product()+" and a Chainguard platform on this machine")
	for i, step := range d.steps() {
		d.pause(1500 * time.Millisecond)
		d.print(bold, fmt.Sprintf("\n%d. %s", i+1, step.heading))
		if err := step.do(); err != nil {
			return fmt.Errorf("step %d, %q: %w", i+1, step.heading, err)
		}
	}
	d.print(bold, `
Done: the emulator has stopped, and the demo's directory is deleted. What to try next:`)
	d.print(plain, `
  README.md                              your own configuration, on an emulator that keeps running
  docs/guides/                           signing in, renewal and rotation, keeping codes out of the state
  examples/                              onboarding a team, CI, rotation, beside the official provider
  make test                              what the provider promises`)
	return nil
}

// demo is the state shared by all steps.
type demo struct {
	ctx      context.Context // of run
	out      io.Writer
	terminal bool // whether out is one
	cli      *acctest.CLI
	platform *emulator.Emulator
}

type step struct {
	heading string
	do      func() error
}

// steps returns the steps in order.
func (d *demo) steps() []step {
	return []step{
		{"Build the provider", d.build},
		{"Start a local platform", func() error {
			for name, value := range d.platform.Environment() {
				d.cli.Setenv(name, value)
			}
			d.print(output, "    The emulator serves "+d.platform.URL()+" and has the organization acme.example.")
			return nil
		}},
		{"Describe the invite", func() error {
			d.command("cat main.tf")
			d.print(output, indent(configuration))
			return d.write(configuration)
		}},
		{"Install the provider", func() error {
			return d.terraform(`Installed`, "Installed chainguard-invites/chainguard v"+acctest.InstallVersion, "init")
		}},
		{"Plan: see what will happen", func() error {
			return d.change(0, `^  # |^  \+ resource|^      \+ |^    }|^Plan`, "Plan: 1 to add, 0 to change, 0 to destroy.", "plan", "-out=tfplan")
		}},
		{"Apply: create the code", func() error {
			return d.change(1, `complete`, "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.", "apply", "tfplan")
		}},
		{"The code is a secret: it is printed on request only", d.output},
		{"Plan again: nothing has changed", d.planNothing},
		{"Write the TTL differently: still nothing to do", func() error {
			if err := d.edit(`"7d"`, `"168h"`); err != nil {
				return err
			}
			return d.planNothing()
		}},
		{"Change the TTL: a new code is created, and the old one is revoked", d.replace},
		{"Three days later, the code has expired: the next apply renews it", func() error {
			// The emulator uses the real clock, so it makes the invite older instead.
			d.print(output, "    The emulator moves the invite's dates back by three days.")
			const days = -3 * 24 * time.Hour
			d.platform.SetInvite(d.platform.Live()[0].UID, func(i *emulator.Invite) {
				i.Created, i.Expires = i.Created.Add(days), i.Expires.Add(days)
			})
			return d.change(1, `^  # |~ status|forces replacement|^Plan|complete`,
				"Apply complete! Resources: 1 added, 0 changed, 1 destroyed.", "apply", "-auto-approve")
		}},
		{"Kim accepts the invite: there is nothing left to do", func() error {
			d.command("chainctl auth login --invite-code CODE    # on Kim's machine; here, the emulator takes Kim's part")
			code, err := d.code()
			if err != nil {
				return err
			}
			if err := d.platform.AcceptAs(code, "kim@acme.example"); err != nil {
				return fmt.Errorf("the platform does not accept the code: %w", err)
			}
			return d.planNothing()
		}},
		{"Destroy: nothing is left behind", func() error {
			return d.change(0, `complete`, "Destroy complete! Resources: 1 destroyed.", "destroy", "-auto-approve")
		}},
	}
}

func (d *demo) build() error {
	d.command("go build")
	defer d.alive("It takes a minute or two the first time.")()
	program, err := acctest.Build("terraform-provider-chainguard", ".", "-ldflags", "-X main.version="+acctest.InstallVersion)
	if err != nil {
		return err
	}
	return d.cli.InstallProvider(program, acctest.InstallVersion)
}

func (d *demo) output() error {
	if err := d.terraform(`.`, "code = <sensitive>", "output"); err != nil {
		return err
	}
	code, err := d.code()
	d.command(d.cli.Name() + " output -raw code | wc -c")
	d.print(output, fmt.Sprintf("    %d", len(code)))
	return err
}

func (d *demo) planNothing() error {
	return d.terraform(`^No changes`, "No changes.", "plan", "-detailed-exitcode")
}

func (d *demo) replace() error {
	old, err := d.code()
	if err != nil {
		return err
	}
	if err := d.edit(`"168h"`, `"2d"`); err != nil {
		return err
	}
	err = d.change(1, `^  # |forces replacement|^Plan|complete`,
		"Apply complete! Resources: 1 added, 0 changed, 1 destroyed.", "apply", "-auto-approve")
	if err == nil && d.platform.AcceptAs(old, "kim@acme.example") == nil {
		err = errors.New("the platform still accepts the old code")
	}
	return err
}

// change runs Terraform, and checks that the platform then has this many valid invites, with the code in the state.
func (d *demo) change(invites int, show, want string, args ...string) error {
	if err := d.terraform(show, want, args...); err != nil {
		return err
	}
	live := d.platform.Live()
	if len(live) != invites {
		return fmt.Errorf("the platform should hold %d valid invites, but holds %d", invites, len(live))
	}
	for _, invite := range live {
		code, err := d.code()
		if err != nil {
			return err
		}
		if code != invite.Code {
			return errors.New("the code in the state is not the one that the platform accepts")
		}
	}
	return nil
}

// terraform runs the CLI, checks that it prints want and no code, and shows the lines that match show.
func (d *demo) terraform(show, want string, args ...string) error {
	line := d.cli.Name() + " " + strings.Join(args, " ")
	d.command(line)
	printed, err := d.run(args...)
	for _, invite := range d.platform.Invites() {
		if strings.Contains(printed, invite.Code) {
			return fmt.Errorf("`%s` printed a code", line)
		}
	}
	if err != nil {
		return fmt.Errorf("`%s` failed: %w\n%s", line, err, printed)
	}
	if !strings.Contains(printed, want) {
		return fmt.Errorf("`%s` should print %q, but printed:\n%s", line, want, printed)
	}
	shown := regexp.MustCompile(show)
	for line := range strings.Lines(printed) {
		if shown.MatchString(line) {
			d.print(output, "    "+strings.TrimRight(line, "\n"))
		}
	}
	return nil
}

// code returns the output "code" without showing it.
func (d *demo) code() (code string, err error) {
	printed, err := d.run("output", "-json", "code")
	if err == nil {
		err = json.Unmarshal([]byte(printed), &code)
	}
	if err != nil || code == "" {
		return "", errors.New("there is no output with the code") // Do not show the output: it may be the code.
	}
	return code, nil
}

func (d *demo) run(args ...string) (string, error) {
	cmd := d.cli.Command(d.ctx, args...)
	// Do not kill it: it gets Ctrl-C from the terminal and exits cleanly within a second or two.
	cmd.Cancel = func() error { return nil }
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	err := cmd.Run()
	if d.ctx.Err() != nil {
		err = context.Cause(d.ctx)
	}
	return printed.String(), err
}

func (d *demo) write(configuration string) error {
	return os.WriteFile(filepath.Join(d.cli.Dir, "main.tf"), []byte(configuration), 0o600)
}

// edit replaces text in the configuration.
func (d *demo) edit(from, to string) error {
	d.command(fmt.Sprintf("sed -i 's/%s/%s/' main.tf", from, to))
	file := filepath.Join(d.cli.Dir, "main.tf")
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return d.write(strings.Replace(string(content), from, to, 1))
}

func indent(text string) string {
	return regexp.MustCompile(`(?m)^(.)`).ReplaceAllString(strings.TrimSpace(text), "    $1")
}

const (
	plain  = ""
	bold   = "\x1b[1m"
	blue   = "\x1b[36m"
	output = "\x1b[2m"
)

func (d *demo) command(line string) {
	d.print(blue, "    $ "+line)
	d.pause(500 * time.Millisecond)
}

func (d *demo) print(style, text string) {
	if d.terminal && style != plain && os.Getenv("NO_COLOR") == "" {
		text = style + text + "\x1b[0m"
	}
	fmt.Fprintln(d.out, text)
}

func (d *demo) pause(how time.Duration) {
	if d.terminal {
		_ = clock.Sleep(d.ctx, how) // After an interrupt, the next command ends the demo.
	}
}

// alive prints hint after ten seconds and a sign of life every ten seconds after that, until stop is called.
func (d *demo) alive(hint string) (stop func()) {
	ctx, cancel := context.WithCancel(d.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for said := "    " + hint; clock.Sleep(ctx, 10*time.Second) == nil; said = "    It is still going on." {
			d.print(output, said)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
