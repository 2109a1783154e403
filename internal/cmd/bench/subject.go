//go:build unix

package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// subject is a resource whose cost is measured.
type subject struct {
	resource string
	source   string // of its provider; empty for Terraform's own
	provider string // the program
	// arguments are those of one resource that Terraform makes n of.
	arguments func(e *emulator.Emulator, groups int) string
}

// terraformData is a resource that needs neither a provider process nor a platform, so that what it costs is
// Terraform's own share. Its state holds one value: the given expression.
func terraformData(value string) subject {
	return subject{
		resource:  "terraform_data",
		arguments: func(*emulator.Emulator, int) string { return "\n  triggers_replace = " + value },
	}
}

// text is an expression of so many characters.
func text(length int) string { return fmt.Sprintf("%q", strings.Repeat("x", length)) }

// object is an expression of so many attributes.
func object(attributes int) string {
	var b strings.Builder
	for i := range attributes {
		fmt.Fprintf(&b, "attribute_%d = %s, ", i, text(attributeLength))
	}
	return "{" + b.String() + "}"
}

// attributeLength is how long the value of an attribute is, in characters, when the cost of one is measured: about as
// long as a time or half of a UIDP.
const attributeLength = 20

// ours is this provider. Its groups and roles are names, which costs lookups.
func ours(provider string) subject {
	return subject{
		resource: "chainguard_invite_code",
		source:   "chainguard-invites/chainguard",
		provider: provider,
		arguments: func(_ *emulator.Emulator, groups int) string {
			return fmt.Sprintf(`
  group = "team-${count.index %% %d}"
  role  = "viewer"
  email = "person-${count.index}@example.com"`, groups)
		},
	}
}

// official is the provider whose invites take UIDPs and the time of their end.
func official(provider string) subject {
	return subject{
		resource: "chainguard_group_invite",
		source:   "chainguard-dev/chainguard",
		provider: provider,
		arguments: func(e *emulator.Emulator, groups int) string {
			var uids []string
			for i := range groups {
				uids = append(uids, fmt.Sprintf("%q", e.Group(groupName(i))))
			}
			return fmt.Sprintf(`
  group      = [%s][count.index %% %d]
  role       = %q
  email      = "person-${count.index}@example.com"
  expiration = %q`, strings.Join(uids, ", "), groups, e.Role("viewer"), time.Now().Add(7*24*time.Hour).UTC().Format(time.RFC3339))
		},
	}
}

func groupName(i int) string { return fmt.Sprintf("team-%d", i) }

// configuration is that of n resources.
func (s subject) configuration(e *emulator.Emulator, n, groups int) string {
	requirement := ""
	if s.source != "" {
		requirement = fmt.Sprintf("terraform {\n  required_providers {\n    chainguard = {\n      source = %q\n    }\n  }\n}\n\n", s.source)
	}
	return fmt.Sprintf("%sresource %q \"people\" {\n  count = %d\n%s\n}\n", requirement, s.resource, n, s.arguments(e, groups))
}

// signIn points the provider at the platform. Ours reads a token from the environment; the official one, which has other
// names for the rest, finds that of chainctl in its cache.
func (s subject) signIn(e *emulator.Emulator, cli *acctest.CLI) error {
	for name, value := range e.Environment() {
		cli.Setenv(name, value)
	}
	cli.Setenv("CHAINGUARD_CONSOLE_API", e.URL())
	cli.Setenv("CHAINGUARD_AUDIENCE", e.Audience())
	return e.CacheToken(cli.CacheDir(), emulator.AccessTokenFile, cli.Getenv("CHAINGUARD_TOKEN"))
}
