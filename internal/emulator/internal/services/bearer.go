package services

import (
	"context"
	"strings"

	"google.golang.org/grpc/metadata"
)

// Bearer returns the bearer token of a call.
func Bearer(md metadata.MD) (bearer string, ok bool) {
	values := md.Get("authorization")
	if len(values) == 0 {
		return "", false
	}
	scheme, bearer, found := strings.Cut(values[0], " ")
	bearer = strings.TrimSpace(bearer)
	return bearer, found && strings.EqualFold(scheme, "bearer") && bearer != ""
}

// bearer returns the bearer token of a call, or an error if there is none.
func bearer(ctx context.Context) (string, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	if token, ok := Bearer(md); ok {
		return token, nil
	}
	return "", unauthenticated("the call carries no bearer token")
}
