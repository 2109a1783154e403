package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	auth "chainguard.dev/sdk/proto/platform/auth/v1"
	oidc "chainguard.dev/sdk/proto/platform/oidc/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/loopback"
)

const acceptExplanation = `Accept an invite code as the invitee, and print what it granted. The code - is read
from the first line of standard input, which other programs cannot see.

  emulator accept --api http://127.0.0.1:8080 --email kim@example.com - < code.txt`

// accept runs the accept command.
func accept(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	set := flags("accept", acceptExplanation)
	api := set.String("api", "", "the `URL` of the emulator, as in http://127.0.0.1:8080")
	email := set.String("email", "someone@example.com", "the invitee's `ADDRESS`, as in kim@example.com")
	if err := parse(set, args, 1, stdout, stderr); err != nil {
		return err
	}
	target, err := loopbackTarget(*api)
	if err != nil {
		fmt.Fprintf(stderr, "emulator accept: --api: %v\n", err)
		return errUsage
	}
	code := set.Arg(0)
	if code == "-" {
		text, err := io.ReadAll(io.LimitReader(stdin, 1<<20))
		if err != nil {
			return fmt.Errorf("reading the code: %w", err)
		}
		code, _, _ = strings.Cut(strings.TrimSpace(string(text)), "\n")
	}
	if code = strings.TrimSpace(code); code == "" {
		// Without a code, the platform registers the caller and grants nothing.
		fmt.Fprintln(stderr, "emulator accept: the invite code is empty: check the command or the output that it comes from")
		return errUsage
	}

	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	upstream := emulator.UpstreamToken(emulator.Upstream{
		Issuer:   "https://upstream.example.com",
		Subject:  *email,
		Email:    *email,
		Audience: []string{strings.TrimSuffix(*api, "/")},
		Expires:  time.Now().Add(time.Minute),
	})
	session, err := auth.NewAuthClient(conn).Register(bearer(ctx, upstream), &auth.RegistrationRequest{Code: code})
	if err != nil {
		return fmt.Errorf("the platform at %s did not accept the code: %s", *api, status.Convert(err).Message())
	}
	roles, err := rolesOn(ctx, conn, upstream, session.GetGroup())
	if err != nil {
		return fmt.Errorf("the code was accepted, but the platform at %s does not tell what it granted: %s", *api, status.Convert(err).Message())
	}
	_, err = fmt.Fprintf(stdout, "%s joined the group %s as the identity %s, with the role %s\n",
		*email, session.GetGroup(), session.GetIdentity(), strings.Join(roles, ", "))
	return err
}

// bearer adds a token to the calls made with a context.
func bearer(ctx context.Context, token string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

// rolesOn returns the roles on a group that the owner of an upstream token has.
func rolesOn(ctx context.Context, conn *grpc.ClientConn, upstream, group string) (names []string, err error) {
	token, err := oidc.NewSecurityTokenServiceClient(conn).Exchange(bearer(ctx, upstream), &oidc.ExchangeRequest{})
	if err != nil {
		return nil, err
	}
	whoAmI, err := auth.NewAuthClient(conn).Validate(bearer(ctx, token.GetToken()), &emptypb.Empty{})
	if err != nil {
		return nil, err
	}
	for _, c := range whoAmI.GetCapabilities() {
		if c.GetGroup().GetId() == group {
			names = append(names, c.GetRole().GetName())
		}
	}
	return names, nil
}

// loopbackTarget returns the host and port of the emulator. It refuses other machines, because a code for those is a
// real one and must not be sent in plaintext.
func loopbackTarget(api string) (string, error) {
	u, err := url.Parse(api)
	if err != nil || u.Scheme != "http" || u.Port() == "" {
		return "", errors.New("it must be the emulator's URL, as in http://127.0.0.1:8080")
	}
	if !loopback.IsHost(u.Hostname()) {
		return "", fmt.Errorf("%s is not on this machine, where every emulator is", u.Host)
	}
	return u.Host, nil
}
