package emulator

import (
	"context"
	"slices"
	"strings"
	"time"

	"chainguard.dev/sdk/proto/annotations"
	"chainguard.dev/sdk/proto/capabilities"
	"chainguard.dev/sdk/uidp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// adminTokenLifetime is long, so that a test that moves the clock by weeks need not renew the token it starts with.
const adminTokenLifetime = 10 * 365 * 24 * time.Hour

// AdminIdentity is the UIDP of the identity that AdminToken is for: the one that the seed calls "admin", or else its
// first.
func (e *Emulator) AdminIdentity() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.store.admin
}

// AdminToken returns a token for the API and for AdminIdentity that outlives any test.
func (e *Emulator) AdminToken() string {
	return e.Token(e.AdminIdentity(), e.Audience(), adminTokenLifetime)
}

// Token returns a token for an identity as the issuer would mint it.
func (e *Emulator) Token(identityUID, audience string, lifetime time.Duration) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.mint(claims{Subject: identityUID, Audience: []string{audience}}, lifetime)
}

// mint completes the claims and signs them.
func (e *Emulator) mint(c claims, lifetime time.Duration) string {
	now := e.clock.Now()
	c.Issuer = e.url
	c.IssuedAt = now.Unix()
	c.Expires = now.Add(lifetime).Unix()
	c.ID = randomHex(16)
	c.Epoch = e.switches.epoch
	if i := e.store.identities[c.Subject]; i != nil && i.email != "" {
		verified := true
		c.Email, c.EmailVerified = i.email, &verified
	}
	return sign(c, signingKey)
}

// bearer returns the caller's token.
func bearer(md metadata.MD) (string, bool) {
	values := md.Get("authorization")
	if len(values) == 0 {
		return "", false
	}
	scheme, token, found := strings.Cut(values[0], " ")
	return strings.TrimSpace(token), found && strings.EqualFold(scheme, "bearer") && strings.TrimSpace(token) != ""
}

// verify says whose token it is, if this emulator issued it and it still holds.
func (e *Emulator) verify(token string) (*claims, error) {
	c, err := parse(token)
	switch {
	case err != nil:
		return nil, unauthenticated("%v", err)
	case !signedByUs(token):
		return nil, unauthenticated("the token was issued by %q, not by this platform's issuer %q", c.Issuer, e.url)
	case c.Issuer != e.url:
		return nil, unauthenticated("the token names the issuer %q, but this platform's is %q", c.Issuer, e.url)
	case c.expired(e.clock.Now()):
		return nil, unauthenticated("the token expired at %s", time.Unix(c.Expires, 0).UTC().Format(time.RFC3339))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case c.Epoch < e.switches.epoch:
		return nil, unauthenticated("the token was revoked")
	case e.store.identities[c.Subject] == nil:
		return nil, unauthenticated("the token is for the identity %q, which does not exist", c.Subject)
	}
	return c, nil
}

// callerKey is where authorize puts the caller's claims in a call's context.
type callerKey struct{}

// caller is who makes the call.
func caller(ctx context.Context) *claims {
	c, ok := ctx.Value(callerKey{}).(*claims)
	if !ok {
		panic("emulator: a handler was called without authorisation")
	}
	return c
}

// authorize enforces what the platform's own API definition demands of a method: the annotations on it name the
// capabilities, and those on the request the field that says where they are needed.
func (e *Emulator) authorize(ctx context.Context, fullMethod string, request proto.Message) (context.Context, error) {
	rules := rulesOf(fullMethod)
	if rules == nil {
		return ctx, nil
	}
	md, _ := metadata.FromIncomingContext(ctx)
	token, ok := bearer(md)
	if !ok {
		return nil, unauthenticated("the call carries no bearer token")
	}
	c, err := e.verify(token)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(c.Audience, e.Audience()) {
		return nil, unauthenticated("the token is for the audience %q, but the API's is %q", []string(c.Audience), e.Audience())
	}
	ctx = context.WithValue(ctx, callerKey{}, c)
	if rules.GetUnscoped() || len(rules.GetCapabilities()) == 0 {
		return ctx, nil // the handler trims its answer to what the caller may see
	}

	field, scope := scopeOf(request.ProtoReflect())
	if !uidp.Valid(scope) {
		return nil, invalid(field, "%q is not a UIDP", scope)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return ctx, e.permit(c, scope, rules.GetCapabilities()...)
}

// permit refuses callers that lack a capability on the scope.
func (e *Emulator) permit(c *claims, scope string, needed ...capabilities.Capability) error {
	for _, capability := range needed {
		if !e.can(c, capability, scope) {
			return denied(c.Subject, capability, scope)
		}
	}
	if young := e.tooYoung(scope); young != "" {
		return failure(codes.PermissionDenied, "PERMISSION_DENIED",
			"permission denied on group \""+young+"\"")
	}
	return nil
}

// can says whether the caller has a capability on the scope, which it has from a role that it is bound to there or
// further up.
func (e *Emulator) can(c *claims, needed capabilities.Capability, scope string) bool {
	within := func(group string) bool { return uidp.IsAncestorOrSelf(group, scope) }
	if len(c.Scopes) > 0 && !slices.ContainsFunc(c.Scopes, within) {
		return false
	}
	if len(c.Capabilities) > 0 && !slices.Contains(c.Capabilities, capabilityName(needed)) {
		return false
	}
	identity := e.store.identities[c.Subject]
	return identity != nil && slices.ContainsFunc(identity.bindings, func(b binding) bool {
		r := e.store.roles[b.role]
		return r != nil && within(b.group) && slices.Contains(r.capabilities, needed)
	})
}

// visible makes a filter of what the caller may see: it says whether the caller has a capability on a scope, and
// remembers, because a list asks about few scopes many times.
func (e *Emulator) visible(c *claims, needed capabilities.Capability) func(scope string) bool {
	known := map[string]bool{}
	return func(scope string) bool {
		can, ok := known[scope]
		if !ok {
			can = e.can(c, needed, scope)
			known[scope] = can
		}
		return can
	}
}

// tooYoung returns the group at or above the scope, if there is one, that is so new that permissions on it have not
// reached every part of the platform.
func (e *Emulator) tooYoung(scope string) string {
	if e.switches.newGroupDelay == 0 {
		return ""
	}
	for _, uid := range uidp.Ancestry(scope) {
		if g := e.store.groups[uid]; g != nil && e.clock.Now().Sub(g.created) < e.switches.newGroupDelay {
			return uid
		}
	}
	return ""
}

// rulesOf returns what a method demands of its callers, nil if nothing.
func rulesOf(fullMethod string) *annotations.IAM_Rules {
	name := strings.ReplaceAll(strings.TrimPrefix(fullMethod, "/"), "/", ".")
	method, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		panic("emulator: no description of the method " + fullMethod)
	}
	iam, _ := proto.GetExtension(method.Options(), annotations.E_Iam).(*annotations.IAM)
	return iam.GetEnabled()
}

// scopeOf returns the UIDP in the request where the capabilities are needed, and the path of its field.
func scopeOf(m protoreflect.Message) (field, uid string) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if scoped, _ := proto.GetExtension(f.Options(), annotations.E_IamScope).(bool); !scoped {
			continue
		}
		if f.Kind() == protoreflect.MessageKind {
			field, uid = scopeOf(m.Get(f).Message())
			return string(f.Name()) + "." + field, uid
		}
		return string(f.Name()), m.Get(f).String()
	}
	panic("emulator: no field of " + string(m.Descriptor().FullName()) + " says where its capabilities are needed")
}
