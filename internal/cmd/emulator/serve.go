package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

const serveExplanation = `Serve a Chainguard platform on loopback until SIGINT or SIGTERM: gRPC and REST,
the API and the issuer, on one port. All data is kept in memory and lost when it
stops. Once it serves, it prints the environment that points the provider, or
curl, at it, and what it holds.

  emulator serve --listen 127.0.0.1:8080 --env-file emulator.env

A seed file says what exists at the start. Everything except
organizations and identities is optional:

  organizations:
    - name: acme.example
      description: An organization      # optional, for everything that has a name
      unverified: false
      roles:                            # custom roles
        - name: invite-manager
          capabilities: [group_invites.create, group_invites.list]
      folders:                          # with folders and roles of their own
        - name: platform
  roles:                                # managed roles in addition to the usual ones
    - name: gulfstream
      capabilities: [groups.list]
  identities:
    - name: admin                       # the identity that CHAINGUARD_TOKEN is for
      email: admin@acme.example
      bindings:
        - {group: acme.example, role: owner}
    - name: pipeline
      group: acme.example               # the group it belongs to; people belong to none
      # The OIDC tokens that may assume it. Each claim can be a pattern as well
      # (issuer_pattern, ...); the audience defaults to the issuer's.
      issuer: https://token.actions.githubusercontent.com
      subject_pattern: repo:acme/infra:.*
      audience: https://acme.example
      bindings:
        - {group: acme.example/platform, role: invite-manager}
  invites:
    - {group: acme.example, role: viewer, ttl: 168h, email: kim@example.com, single_use: true}
  max_invite_ttl: 8760h

A fault makes calls fail on purpose. It is METHOD:WHEN:WHAT[:KEY=VALUE...]

  METHOD  the short name of an RPC, such as CreateGroupInvite or Exchange; * is all
  WHEN    before or after the platform does what it was asked
  WHAT    a gRPC status such as UNAVAILABLE, or hang, drop (breaks the connection),
          or delay, which needs delay=
  KEYS    times=N        at most N times; by default, always
          delay=D        wait this long first, such as 50ms
          probability=P  this share of calls, such as 0.1; the same calls in each run
          seed=N         chooses other calls
          retry-after=D  asks the caller to try again after this time
          message=TEXT   the message of the status

  --fault CreateGroupInvite:after:UNAVAILABLE:times=1   a response is lost, once
  --fault '*:before:delay:delay=50ms'                   a distant platform`

// serve runs the serve command.
func serve(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) (err error) {
	set := flags("serve", serveExplanation)
	listen := set.String("listen", "127.0.0.1:0", "serve this loopback `ADDRESS`; port 0 is a free one, as in 127.0.0.1:8080")
	seedFile := set.String("seed", "", "start with what this YAML `FILE` says, as in seed.yaml; without it, with\nacme.example, its folder platform, and an identity that owns both")
	envFile := set.String("env-file", "", "write the environment to this `FILE` once the platform serves, as in emulator.env:\nNAME=value a line, readable by you only, as there is a token in it")
	var faults []emulator.Fault
	set.Func("fault", "make calls fail as this `SPEC` says, as in GetGroupInvite:before:UNAVAILABLE:times=2;\nmay be given more than once", func(spec string) error {
		fault, err := parseFault(spec)
		faults = append(faults, fault)
		return err
	})
	if err := parse(set, args, 0, stdout, stderr); err != nil {
		return err
	}

	options := emulator.Options{Listen: *listen}
	if *seedFile != "" {
		seed, err := emulator.LoadSeed(*seedFile)
		if err != nil {
			return err
		}
		options.Seed = seed
	}
	e, err := emulator.New(options)
	if err != nil {
		return err
	}
	for _, f := range faults {
		e.Inject(f)
	}
	if err := e.Start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()

	variables := e.Environment()
	if *envFile != "" {
		if err := writeEnvironment(*envFile, variables); err != nil {
			return err
		}
	}
	announce(stdout, e, variables)
	<-ctx.Done()
	return nil
}

// writeEnvironment writes the file atomically, so that a script that waits for it never reads a partial one.
func writeEnvironment(file string, variables map[string]string) error {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		fmt.Fprintf(&text, "%s=%s\n", name, variables[name])
	}
	fail := func(err error) error { return fmt.Errorf("writing the environment file: %w", err) }
	temporary, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // is 0600
	if err != nil {
		return fail(err)
	}
	_, err = temporary.WriteString(text.String())
	err = errors.Join(err, temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	if err != nil {
		return fail(errors.Join(err, os.Remove(temporary.Name())))
	}
	return nil
}

// announce prints where the platform is, how to use it, and what it contains.
func announce(w io.Writer, e *emulator.Emulator, variables map[string]string) {
	fmt.Fprintf(w, "The emulator serves a Chainguard platform on %s\n\n", e.URL())
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		fmt.Fprintf(w, "export %s=%s\n", name, variables[name])
	}
	for _, section := range []struct {
		title  string
		things []emulator.Named
	}{
		{"Groups", e.Groups()},
		{"Roles", e.Roles()},
		{"Identities", e.Identities()},
	} {
		fmt.Fprintf(w, "\n%s\n", section.title)
		width := 0
		for _, thing := range section.things {
			width = max(width, len(thing.Name))
		}
		for _, thing := range section.things {
			fmt.Fprintf(w, "  %-*s  %s\n", width, thing.Name, thing.UID)
		}
	}
	fmt.Fprintf(w, "\nFor example:\n  curl -H \"Authorization: Bearer $CHAINGUARD_TOKEN\" $CHAINGUARD_PLATFORM_API/iam/v2/groups\n")
	fmt.Fprintf(w, "\nInterrupt it to stop it.\n")
}
