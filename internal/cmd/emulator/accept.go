package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	auth "chainguard.dev/sdk/proto/platform/auth/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

const acceptExplanation = `Accept an invite code, as the invitee does who signs in with it. As the code, -
stands for the first line of the standard input, which other programs cannot see.

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

	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+emulator.UpstreamToken(emulator.Upstream{
		Issuer:   "https://upstream.example.com",
		Subject:  *email,
		Email:    *email,
		Audience: []string{strings.TrimSuffix(*api, "/")},
		Expires:  time.Now().Add(time.Minute),
	}))
	session, err := auth.NewAuthClient(conn).Register(ctx, &auth.RegistrationRequest{Code: strings.TrimSpace(code)})
	if err != nil {
		return fmt.Errorf("the platform at %s did not accept the code: %s", *api, status.Convert(err).Message())
	}
	_, err = fmt.Fprintf(stdout, "%s joined the group %s as the identity %s\n", *email, session.GetGroup(), session.GetIdentity())
	return err
}

// loopbackTarget is where to connect to. An invite code sent elsewhere in plaintext would be one that is real.
func loopbackTarget(api string) (string, error) {
	u, err := url.Parse(api)
	if err != nil || u.Scheme != "http" || u.Port() == "" {
		return "", errors.New("it must be the emulator's URL, as in http://127.0.0.1:8080")
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", fmt.Errorf("%s is not on this machine, as every emulator is", u.Host)
	}
	return u.Host, nil
}
