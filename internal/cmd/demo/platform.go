package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// platform is the emulator, run as the program that a module author would run too.
type platform struct {
	say         *narrator
	program     string
	environment map[string]string // what a client needs to reach it, from its env file

	process *exec.Cmd
	ended   chan struct{}
	stderr  bytes.Buffer // only to be read once ended
}

// startPlatform runs the emulator on a free port, and returns once it serves.
func startPlatform(ctx context.Context, say *narrator, program, dir string) (*platform, error) {
	const envFile = "platform.env"
	p := &platform{say: say, program: program, ended: make(chan struct{})}
	say.command("emulator serve --listen 127.0.0.1:0 --env-file " + envFile)

	// It outlives ctx: when that ends, Terraform must still find the platform, to end in order. close stops it.
	p.process = exec.CommandContext(context.WithoutCancel(ctx), program, "serve", "--listen", "127.0.0.1:0", "--env-file", envFile)
	p.process.Dir, p.process.Env = dir, cleanEnvironment(dir)
	p.process.Stderr = &p.stderr
	isolate(p.process)
	if err := p.process.Start(); err != nil {
		return nil, fmt.Errorf("starting the emulator: %w", err)
	}
	go func() {
		defer close(p.ended)
		_ = p.process.Wait() // close looks at the exit code
	}()

	environment, err := p.awaitEnvironment(ctx, filepath.Join(dir, envFile))
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	p.environment = environment
	return p, nil
}

// awaitEnvironment waits for the env file, which the emulator writes once it serves, and in one step.
func (p *platform) awaitEnvironment(ctx context.Context, path string) (map[string]string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("the emulator did not serve within %s", patience))
	defer cancel()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-p.ended:
			return nil, errors.New("the emulator ended instead of serving") // close tells how
		case <-poll.C:
		}
		content, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		default:
			return parseEnvironment(string(content)), nil
		}
	}
}

// parseEnvironment reads one NAME=value a line.
func parseEnvironment(content string) map[string]string {
	environment := map[string]string{}
	for line := range strings.Lines(content) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), "="); found {
			environment[name] = value
		}
	}
	return environment
}

// url is where the platform answers.
func (p *platform) url() string {
	return p.environment["CHAINGUARD_PLATFORM_API"]
}

// listedInvite is an invite as the platform's REST API lists it. (It never lists a code.)
type listedInvite struct {
	UID   string `json:"uid"`
	Email string `json:"email"`
}

// invites asks the platform itself, past the provider and past Terraform's state.
func (p *platform) invites(ctx context.Context) ([]listedInvite, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url()+"/iam/v2/groupInvites", nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+p.environment["CHAINGUARD_TOKEN"])
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("asking the platform for its invites: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("asking the platform for its invites: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("asking the platform for its invites: %s: %s", response.Status, body)
	}
	var list struct {
		GroupInvites []listedInvite `json:"groupInvites"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("reading the platform's list of invites: %w", err)
	}
	return list.GroupInvites, nil
}

// expectOnly checks that exactly the invites with these ids are on the platform.
func (p *platform) expectOnly(ctx context.Context, ids ...string) error {
	listed, err := p.invites(ctx)
	if err != nil {
		return err
	}
	var uids []string
	for _, invite := range listed {
		uids = append(uids, invite.UID)
	}
	if strings.Join(uids, " ") != strings.Join(ids, " ") {
		return fmt.Errorf("the platform should hold the invites %q, but holds %q", ids, uids)
	}
	return nil
}

// accept redeems a code as the invitee would. The code goes over standard input, where no process list shows it.
func (p *platform) accept(ctx context.Context, dir, email, code string) (finished, error) {
	cmd := prepare(ctx, dir, cleanEnvironment(dir), p.program, "accept", "--api", p.url(), "--email", email, "-")
	cmd.Stdin = strings.NewReader(code)
	return execute(ctx, cmd)
}

// clientEnvironment is what a program gets that speaks to the platform: how to reach it, and nothing personal.
func (p *platform) clientEnvironment(home string) []string {
	env := cleanEnvironment(home)
	for name, value := range p.environment {
		env = append(env, name+"="+value)
	}
	return env
}

// cleanEnvironment holds only what programs need to run at all, with an empty home: no sign-in, no Terraform setting
// and no proxy of the person at the keyboard can change what the demo shows.
func cleanEnvironment(home string) []string {
	env := []string{"HOME=" + home}
	for _, name := range []string{"PATH", "TMPDIR", "TMP", "TEMP", "SYSTEMROOT", "LANG", "LC_ALL"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// close stops the emulator, and fails if it has to be killed or did not end well.
func (p *platform) close() error {
	defer endFamily(p.process)
	select {
	case <-p.ended:
		return fmt.Errorf("the emulator ended early (%s):\n%s", p.process.ProcessState, indent(p.stderr.String()))
	default:
	}
	if err := askToEnd(p.process.Process); err != nil {
		return fmt.Errorf("stopping the emulator: %w", err)
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		_ = p.process.Process.Kill()
		<-p.ended
		return fmt.Errorf("the emulator did not end within %s of being asked to, and was killed", patience)
	}
	if !p.process.ProcessState.Success() && endsInOrder {
		return fmt.Errorf("the emulator did not end well (%s):\n%s", p.process.ProcessState, indent(p.stderr.String()))
	}
	return nil
}
