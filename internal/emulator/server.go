package emulator

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	iambeta "chainguard.dev/sdk/proto/chainguard/platform/iam/v2beta1"
	auth "chainguard.dev/sdk/proto/platform/auth/v1"
	oidc "chainguard.dev/sdk/proto/platform/oidc/v1"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// serve answers calls on the listener: gRPC and REST on the one port, as HTTP/2 without TLS and as HTTP/1.1.
func (e *Emulator) serve(listener net.Listener) {
	e.grpc = grpc.NewServer(
		grpc.UnaryInterceptor(e.intercept),
		grpc.UnknownServiceHandler(e.unknown),
		grpc.WaitForHandlers(true),
	)
	local := &localConn{interceptor: e.intercept, methods: map[string]localMethod{}}
	for _, s := range services {
		e.grpc.RegisterService(s.description, s.of(e))
		local.RegisterService(s.description, s.of(e))
	}
	rest := gateway(local)
	pages := e.pages()

	root := func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			e.grpc.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Date", e.date())
		if _, pattern := pages.Handler(r); pattern != "" {
			pages.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	}

	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	e.http = &http.Server{
		Handler:     http.HandlerFunc(root),
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, connectionKey{}, conn)
		},
		ConnState: e.connectionState,
		Protocols: new(http.Protocols),
		HTTP2:     &http.HTTP2Config{MaxConcurrentStreams: 1000},
		ErrorLog:  log.New(io.Discard, "", 0), // broken connections are part of the show
	}
	e.http.Protocols.SetHTTP1(true)
	e.http.Protocols.SetUnencryptedHTTP2(true)
	e.calls.Go(func() { _ = e.http.Serve(listener) }) // always ends with the error that Close closed it
}

// connectionState counts connections, and lets Close wait for their ends.
func (e *Emulator) connectionState(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		e.connections.Add(1)
		e.calls.Add(1)
	case http.StateClosed, http.StateHijacked:
		e.calls.Done()
	}
}

// service is one of the platform's gRPC services.
type service struct {
	description *grpc.ServiceDesc
	of          func(*Emulator) any
}

// services are those that the emulator has. v2beta1 differs from v2 in nothing but the name of its package, so that the
// same bytes mean the same in both, and one implementation serves both.
var services = []service{
	{&iam.GroupInvitesService_ServiceDesc, func(e *Emulator) any { return &invites{Emulator: e} }},
	{beta(iam.GroupInvitesService_ServiceDesc), func(e *Emulator) any { return &invites{Emulator: e} }},
	{&iam.GroupsService_ServiceDesc, func(e *Emulator) any { return &groups{Emulator: e} }},
	{beta(iam.GroupsService_ServiceDesc), func(e *Emulator) any { return &groups{Emulator: e} }},
	{&iam.RolesService_ServiceDesc, func(e *Emulator) any { return &roles{Emulator: e} }},
	{beta(iam.RolesService_ServiceDesc), func(e *Emulator) any { return &roles{Emulator: e} }},
	{&oidc.SecurityTokenService_ServiceDesc, func(e *Emulator) any { return &securityTokens{Emulator: e} }},
	{&auth.Auth_ServiceDesc, func(e *Emulator) any { return &registration{Emulator: e} }},
}

// KnownMethod says whether an RPC of the platform has this short name.
func KnownMethod(name string) bool {
	return slices.ContainsFunc(services, func(s service) bool {
		return slices.ContainsFunc(s.description.Methods, func(m grpc.MethodDesc) bool { return m.MethodName == name })
	})
}

// beta is the description of a v2 service under its v2beta1 name.
func beta(service grpc.ServiceDesc) *grpc.ServiceDesc {
	service.ServiceName = strings.Replace(service.ServiceName, ".v2.", ".v2beta1.", 1)
	return &service
}

// gateway serves the documented REST paths by calls over the connection.
func gateway(conn grpc.ClientConnInterface) http.Handler {
	ctx := context.Background()
	mux := runtime.NewServeMux()
	for _, err := range []error{
		iam.RegisterGroupInvitesServiceHandlerClient(ctx, mux, iam.NewGroupInvitesServiceClient(conn)),
		iam.RegisterGroupsServiceHandlerClient(ctx, mux, iam.NewGroupsServiceClient(conn)),
		iam.RegisterRolesServiceHandlerClient(ctx, mux, iam.NewRolesServiceClient(conn)),
		iambeta.RegisterGroupInvitesServiceHandlerClient(ctx, mux, iambeta.NewGroupInvitesServiceClient(conn)),
		iambeta.RegisterGroupsServiceHandlerClient(ctx, mux, iambeta.NewGroupsServiceClient(conn)),
		iambeta.RegisterRolesServiceHandlerClient(ctx, mux, iambeta.NewRolesServiceClient(conn)),
		oidc.RegisterSecurityTokenServiceHandlerClient(ctx, mux, oidc.NewSecurityTokenServiceClient(conn)),
		auth.RegisterAuthHandlerClient(ctx, mux, auth.NewAuthClient(conn)),
	} {
		if err != nil {
			panic("emulator: REST paths that do not parse: " + err.Error())
		}
	}
	return mux
}

// dateHeader is what a gRPC answer says of the time, if anything.
func (e *Emulator) dateHeader() metadata.MD {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.switches.noDate {
		return nil
	}
	return metadata.Pairs("date", e.date())
}

// date is the time as HTTP's Date header has it, by the emulator's clock.
func (e *Emulator) date() string { return e.clock.Now().UTC().Format(http.TimeFormat) }

// intercept is what every call goes through, whichever way it came.
func (e *Emulator) intercept(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	// The method's name in the UnaryServerInfo is the v2 one for v2beta1 too.
	fullMethod, _ := grpc.Method(ctx)
	entry := e.describe(ctx, fullMethod, message(request))
	end := e.log.begin(entry)
	response, err := e.answer(ctx, entry, handler)
	end(err)
	if err != nil {
		return nil, err
	}
	return response, nil
}

// unknown keeps the calls of what the emulator does not have in the log, and refuses them.
func (e *Emulator) unknown(_ any, stream grpc.ServerStream) error {
	fullMethod, _ := grpc.Method(stream.Context())
	err := status.Errorf(codes.Unimplemented, "unknown method %s", fullMethod)
	e.log.begin(e.describe(stream.Context(), fullMethod, nil))(err)
	return err
}

// answer lets faults, authorisation and the handler have their say.
func (e *Emulator) answer(ctx context.Context, entry *Request, handler grpc.UnaryHandler) (proto.Message, error) {
	// grpc leaves out the Date header that net/http would add.
	if err := grpc.SetHeader(ctx, e.dateHeader()); err != nil {
		return nil, err
	}
	if _, err := e.faults.strike(ctx, entry.Method, BeforeCommit, entry.Request, nil); err != nil {
		return nil, err
	}
	ctx, err := e.authorize(ctx, entry.FullMethod, entry.Request)
	if err != nil {
		return nil, err
	}
	response, err := handler(ctx, entry.Request)
	if err != nil {
		return nil, err
	}
	return e.faults.strike(ctx, entry.Method, AfterCommit, entry.Request, message(response))
}
