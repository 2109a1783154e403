package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"chainguard.dev/sdk/uidp"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

const tokenExplanation = `Print an access token for an identity. A running emulator accepts it: all of them
sign with one key, which is public, so that the token works nowhere else.

  emulator token --identity UIDP --audience http://127.0.0.1:8080 --lifetime 1h`

// token runs the token command.
func token(_ context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) error {
	set := flags("token", tokenExplanation)
	identity := set.String("identity", "", "the identity's `UIDP`, as emulator serve lists it")
	audience := set.String("audience", "", "the `URL` that the token is for, as in http://127.0.0.1:8080: the emulator's own\nfor the API")
	issuer := set.String("issuer", "", "the `URL` of the emulator, where that is not the audience, as in http://127.0.0.1:8080")
	lifetime := set.Duration("lifetime", time.Hour, "how long the token is valid, as in 30m; a negative one has expired")
	if err := parse(set, args, 0, stdout, stderr); err != nil {
		return err
	}
	switch {
	case !uidp.Valid(*identity):
		fmt.Fprintf(stderr, "emulator token: --identity must be a UIDP as emulator serve lists it, not %q\n", *identity)
		return errUsage
	case *audience == "":
		fmt.Fprintln(stderr, "emulator token: --audience is missing: say whom the token is for, as in --audience http://127.0.0.1:8080")
		return errUsage
	case *issuer == "":
		*issuer = *audience
	}
	_, err := fmt.Fprintln(stdout, emulator.IssueToken(*issuer, *audience, *identity, time.Now(), *lifetime))
	return err
}
