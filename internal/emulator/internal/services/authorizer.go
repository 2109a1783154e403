package services

import (
	"context"
	"slices"
	"strings"

	"chainguard.dev/sdk/proto/annotations"
	"chainguard.dev/sdk/proto/capabilities"
	"chainguard.dev/sdk/uidp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/store"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/token"
)

// Authorizer decides who may make a call.
type Authorizer struct {
	store  *store.Store
	issuer *Issuer
}

// NewAuthorizer returns an authorizer of the issuer's tokens.
func NewAuthorizer(st *store.Store, issuer *Issuer) *Authorizer { return &Authorizer{st, issuer} }

// callerKey is the context key of the caller's claims.
type callerKey struct{}

// caller returns the claims of the caller's token.
func caller(ctx context.Context) *token.Claims {
	c, ok := ctx.Value(callerKey{}).(*token.Claims)
	if !ok {
		panic("emulator: a handler was called without authorization")
	}
	return c
}

// Authorize checks that the caller has the capabilities that the platform's API definition requires: annotations of the
// method name the capabilities, and annotations of the request the field with the scope.
func (a *Authorizer) Authorize(ctx context.Context, fullMethod string, request proto.Message) (context.Context, error) {
	rules := rulesOf(fullMethod)
	if rules == nil {
		return ctx, nil
	}
	access, err := bearer(ctx)
	if err != nil {
		return nil, err
	}
	c, err := a.issuer.verify(access)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(c.Audience, a.issuer.Audience()) {
		return nil, unauthenticated("the token is for the audience %q, but the API's is %q", []string(c.Audience), a.issuer.Audience())
	}
	ctx = context.WithValue(ctx, callerKey{}, c)
	if rules.GetUnscoped() || len(rules.GetCapabilities()) == 0 {
		return ctx, nil // the handler trims its answer to what the caller may see
	}
	field, scope := scopeOf(request.ProtoReflect())
	if !uidp.Valid(scope) {
		return nil, invalid(field, "%q is not a UIDP", scope)
	}
	for _, home := range a.homes(scope) {
		if err = a.permit(c, home, rules.GetCapabilities()...); err == nil {
			break
		}
	}
	return ctx, err
}

// homes returns the scopes in which a resource is managed: its own UIDP, and for people, who belong to no group, also
// the groups in which they have a role.
func (a *Authorizer) homes(uid string) []string {
	if a.store.Identities[uid] == nil || !uidp.InRoot(uid) {
		return []string{uid}
	}
	homes := []string{uid}
	for _, b := range a.store.Grants(uid) {
		homes = append(homes, b.Group)
	}
	return homes
}

// permit returns an error if the caller lacks a capability on the scope.
func (a *Authorizer) permit(c *token.Claims, scope string, needed ...capabilities.Capability) error {
	for _, capability := range needed {
		if !a.can(c, capability, scope) {
			return denied(c.Subject, capability, scope)
		}
	}
	if young := a.tooYoung(scope); young != "" {
		return failure(codes.PermissionDenied, "PERMISSION_DENIED", "permission denied on group \""+young+"\"")
	}
	return nil
}

// can reports whether a role binding on the scope, or above it, grants the caller a capability.
func (a *Authorizer) can(c *token.Claims, needed capabilities.Capability, scope string) bool {
	within := func(group string) bool { return uidp.IsAncestorOrSelf(group, scope) }
	if len(c.Scopes) > 0 && !slices.ContainsFunc(c.Scopes, within) {
		return false
	}
	if len(c.Capabilities) > 0 && !slices.Contains(c.Capabilities, CapabilityName(needed)) {
		return false
	}
	return slices.ContainsFunc(a.store.Bindings, func(b *store.Binding) bool {
		if b.Identity != c.Subject || !within(b.Group) {
			return false
		}
		r := a.store.Roles[b.Role]
		return r != nil && slices.Contains(r.Capabilities, needed)
	})
}

// visible returns a filter for scopes on which the caller has a capability. It caches results, because a list asks for
// few scopes many times.
func (a *Authorizer) visible(c *token.Claims, needed capabilities.Capability) func(scope string) bool {
	known := map[string]bool{}
	return func(scope string) bool {
		can, ok := known[scope]
		if !ok {
			can = a.can(c, needed, scope)
			known[scope] = can
		}
		return can
	}
}

// tooYoung returns the group at or above the scope, if any, on which permissions do not work yet
// (Behavior.NewGroupDelay).
func (a *Authorizer) tooYoung(scope string) string {
	delay := a.store.Behavior.NewGroupDelay
	if delay == 0 {
		return ""
	}
	for _, uid := range uidp.Ancestry(scope) {
		if g := a.store.Groups[uid]; g != nil && a.store.Now().Sub(g.Created) < delay {
			return uid
		}
	}
	return ""
}

// rulesOf returns what a method requires of its callers, nil if nothing.
func rulesOf(fullMethod string) *annotations.IAM_Rules {
	name := strings.ReplaceAll(strings.TrimPrefix(fullMethod, "/"), "/", ".")
	method, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		panic("emulator: no description of the method " + fullMethod)
	}
	iam, _ := proto.GetExtension(method.Options(), annotations.E_Iam).(*annotations.IAM)
	return iam.GetEnabled()
}

// scopeOf returns the scope of a request, and the name of its field.
func scopeOf(m protoreflect.Message) (field, uid string) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if scoped, _ := proto.GetExtension(f.Options(), annotations.E_IamScope).(bool); !scoped {
			continue
		}
		if f.Kind() == protoreflect.MessageKind {
			return scopeOf(m.Get(f).Message())
		}
		return string(f.Name()), m.Get(f).String()
	}
	panic("emulator: no field of " + string(m.Descriptor().FullName()) + " says where its capabilities are needed")
}
