// Package services implements the services of the platform: invites, groups, roles, role bindings and identities of IAM
// v2, the security token service, registration, and the pages for signing in with a browser.
//
// Callers hold the mutex of the store, so that each call is atomic.
package services

import (
	"slices"
	"strings"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	auth "chainguard.dev/sdk/proto/platform/auth/v1"
	oidc "chainguard.dev/sdk/proto/platform/oidc/v1"
	"google.golang.org/grpc"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/store"
)

// descriptions are the descriptions of all services, under their v2 names.
var descriptions = []*grpc.ServiceDesc{
	&iam.GroupInvitesService_ServiceDesc,
	&iam.GroupsService_ServiceDesc,
	&iam.RolesService_ServiceDesc,
	&iam.RoleBindingsService_ServiceDesc,
	&iam.IdentitiesService_ServiceDesc,
	&oidc.SecurityTokenService_ServiceDesc,
	&auth.Auth_ServiceDesc,
}

// Register registers the services. IAM v2beta1 has the same wire format as v2 and differs only in the name of its
// package, so the same implementation serves both.
func Register(registrar grpc.ServiceRegistrar, st *store.Store, issuer *Issuer, authorizer *Authorizer) {
	servers := map[*grpc.ServiceDesc]any{
		&iam.GroupInvitesService_ServiceDesc:   &invites{store: st, access: authorizer},
		&iam.GroupsService_ServiceDesc:         &groups{store: st, access: authorizer},
		&iam.RolesService_ServiceDesc:          &roles{store: st, access: authorizer},
		&iam.RoleBindingsService_ServiceDesc:   &roleBindings{store: st, access: authorizer},
		&iam.IdentitiesService_ServiceDesc:     &identities{store: st, access: authorizer},
		&oidc.SecurityTokenService_ServiceDesc: &securityTokens{store: st, issuer: issuer},
		&auth.Auth_ServiceDesc:                 &registration{store: st, issuer: issuer},
	}
	for _, description := range descriptions {
		registrar.RegisterService(description, servers[description])
		if beta := *description; strings.Contains(beta.ServiceName, ".v2.") {
			beta.ServiceName = strings.Replace(beta.ServiceName, ".v2.", ".v2beta1.", 1)
			registrar.RegisterService(&beta, servers[description])
		}
	}
}

// KnownMethod reports whether an RPC has this short name.
func KnownMethod(name string) bool {
	return slices.ContainsFunc(descriptions, func(d *grpc.ServiceDesc) bool {
		return slices.ContainsFunc(d.Methods, func(m grpc.MethodDesc) bool { return m.MethodName == name })
	})
}
