package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// terraform runs the CLI in one folder, and narrates what it runs.
type terraform struct {
	say  *narrator
	path string
	dir  string
	env  []string
}

// name is what one would type: terraform or tofu.
func (t *terraform) name() string {
	return strings.TrimSuffix(filepath.Base(t.path), ".exe")
}

// run shows a command, runs it, and returns its output; an exit code other than 0 is an error that holds all of that
// output.
func (t *terraform) run(ctx context.Context, args ...string) (string, error) {
	line := t.name() + " " + strings.Join(args, " ")
	t.say.command(line)
	done, err := execute(ctx, prepare(ctx, t.dir, t.env, t.path, args...))
	if err != nil {
		return "", err
	}
	if done.exit != 0 {
		return "", fmt.Errorf("%q ended with exit code %d. It printed:\n%s", line, done.exit, indent(done.stdout+done.stderr))
	}
	return done.stdout, nil
}

// secret is run for a command whose output holds the code: nothing of it gets into an error.
func (t *terraform) secret(ctx context.Context, args ...string) (string, error) {
	done, err := execute(ctx, prepare(ctx, t.dir, t.env, t.path, args...))
	if err != nil {
		return "", err
	}
	if done.exit != 0 {
		return "", fmt.Errorf("%q ended with exit code %d:\n%s", t.name()+" "+strings.Join(args, " "), done.exit, indent(done.stderr))
	}
	return done.stdout, nil
}

// version is the CLI's own name and version, such as "Terraform v1.11.4".
func (t *terraform) version(ctx context.Context) (string, error) {
	done, err := execute(ctx, prepare(ctx, t.dir, t.env, t.path, "version"))
	if err != nil {
		return "", err
	}
	first, _, _ := strings.Cut(done.stdout, "\n")
	if done.exit != 0 || first == "" {
		return "", fmt.Errorf("%s is not a Terraform or OpenTofu that runs here; `version` printed:\n%s", t.path, indent(done.stdout+done.stderr))
	}
	return first, nil
}

// planEmpty expects that there is nothing to do.
func (t *terraform) planEmpty(ctx context.Context) error {
	// Exit code 2 would mean changes, and is an error like any other here.
	if _, err := t.run(ctx, "plan", "-detailed-exitcode"); err != nil {
		return fmt.Errorf("a plan without changes was expected: %w", err)
	}
	return nil
}

// invite is what Terraform's state holds of the invite.
type invite struct {
	ID, Code, Email string
	RoleName        string    `json:"role_name"`
	ExpiresAt       time.Time `json:"expires_at"`
}

// ends is its end as people write it.
func (i invite) ends() string {
	return i.ExpiresAt.UTC().Format("2 January 2006, 15:04 UTC")
}

// invite reads the state.
func (t *terraform) invite(ctx context.Context, address string) (invite, error) {
	out, err := t.secret(ctx, "show", "-json")
	if err != nil {
		return invite{}, err
	}
	var state struct {
		Values struct {
			RootModule struct {
				Resources []struct {
					Address string
					Values  invite
				}
			} `json:"root_module"`
		}
	}
	if err := json.Unmarshal([]byte(out), &state); err != nil {
		return invite{}, fmt.Errorf("reading what `%s show -json` printed: %w", t.name(), err)
	}
	for _, resource := range state.Values.RootModule.Resources {
		if resource.Address == address {
			return resource.Values, nil
		}
	}
	return invite{}, fmt.Errorf("%s is not in Terraform's state", address)
}

// summary matches the one line of a plan or an apply that says what changes.
var summary = regexp.MustCompile(`(?m)^(Plan: .*|(?:Apply|Destroy) complete! .*)$`)

// expectSummary finds the last such line and compares it with what it should say.
func expectSummary(output, want string) error {
	lines := summary.FindAllString(output, -1)
	if len(lines) == 0 || lines[len(lines)-1] != want {
		return fmt.Errorf("%q was expected, but the output was:\n%s", want, indent(output))
	}
	return nil
}
