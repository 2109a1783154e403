package emulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
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

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/services"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/loopback"
)

// Start serves the platform until Close. It returns once the platform accepts calls.
func (e *Emulator) Start() error {
	if e.http != nil {
		return errors.New("the emulator was started before: create another with New")
	}
	// Other machines must not reach an emulator: it accepts any token that is signed with a public key.
	host, port, err := net.SplitHostPort(e.listen)
	if err != nil || !loopback.IsHost(host) {
		return fmt.Errorf("the emulator serves loopback only, so it cannot listen on %q: use 127.0.0.1:PORT, with port 0 for a free one", e.listen)
	}
	if net.ParseIP(host) == nil {
		host = "127.0.0.1" // rather than what a resolver says
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return fmt.Errorf("the emulator cannot listen on %s: %w", e.listen, err)
	}
	e.issuer.URL = "http://" + listener.Addr().String()
	e.serve(listener)
	return nil
}

// Close ends every call and connection, and waits for all goroutines of the emulator. It may be called twice.
func (e *Emulator) Close() (err error) {
	e.closing.Do(func() {
		if e.http == nil {
			return
		}
		e.stop()             // ends what hangs or delays
		err = e.http.Close() // breaks the connections
		e.grpc.Stop()        // waits for the handlers
		e.calls.Wait()       // and for the connections
	})
	return err
}

// serve serves gRPC and REST on the listener, over HTTP/2 without TLS and HTTP/1.1.
func (e *Emulator) serve(l net.Listener) {
	e.grpc = grpc.NewServer(
		grpc.UnaryInterceptor(e.intercept),
		grpc.UnknownServiceHandler(e.unknown),
		grpc.WaitForHandlers(true),
	)
	local := &localConn{interceptor: e.intercept, methods: map[string]localMethod{}}
	for _, registrar := range []grpc.ServiceRegistrar{e.grpc, local} {
		services.Register(registrar, e.store, e.issuer, e.authorizer)
	}
	rest := http.NewServeMux()
	rest.Handle("/", gateway(local))
	for name, page := range services.Pages(e.store, e.issuer) {
		rest.HandleFunc("GET /"+name, e.logged(name, page))
	}

	root := func(w http.ResponseWriter, r *http.Request) {
		conn, _ := r.Context().Value(connectionKey{}).(*connection)
		x := &exchange{ResponseWriter: w, conn: conn, unsent: http.Header{}}
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
		if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			e.grpc.ServeHTTP(x, r)
		} else {
			w.Header()["Date"] = e.date() // in the place of net/http's
			rest.ServeHTTP(x, r)
		}
		x.finish()
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
		ErrorLog:  log.New(io.Discard, "", 0), // connections break on purpose
	}
	e.http.Protocols.SetHTTP1(true)
	e.http.Protocols.SetUnencryptedHTTP2(true)
	e.calls.Go(func() { _ = e.http.Serve(listener{l}) }) // always ends with the error that Close closed it
}

// connectionState counts connections, and lets Close wait for them.
func (e *Emulator) connectionState(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		e.connections.Add(1)
		e.calls.Add(1)
	case http.StateClosed, http.StateHijacked:
		e.calls.Done()
	}
}

// gateway serves the documented REST paths through gRPC calls on conn.
func gateway(conn grpc.ClientConnInterface) http.Handler {
	ctx := context.Background()
	mux := runtime.NewServeMux(runtime.WithErrorHandler(restError))
	for _, err := range []error{
		iam.RegisterGroupInvitesServiceHandlerClient(ctx, mux, iam.NewGroupInvitesServiceClient(conn)),
		iam.RegisterGroupsServiceHandlerClient(ctx, mux, iam.NewGroupsServiceClient(conn)),
		iam.RegisterRolesServiceHandlerClient(ctx, mux, iam.NewRolesServiceClient(conn)),
		iam.RegisterRoleBindingsServiceHandlerClient(ctx, mux, iam.NewRoleBindingsServiceClient(conn)),
		iam.RegisterIdentitiesServiceHandlerClient(ctx, mux, iam.NewIdentitiesServiceClient(conn)),
		iambeta.RegisterGroupInvitesServiceHandlerClient(ctx, mux, iambeta.NewGroupInvitesServiceClient(conn)),
		iambeta.RegisterGroupsServiceHandlerClient(ctx, mux, iambeta.NewGroupsServiceClient(conn)),
		iambeta.RegisterRolesServiceHandlerClient(ctx, mux, iambeta.NewRolesServiceClient(conn)),
		iambeta.RegisterRoleBindingsServiceHandlerClient(ctx, mux, iambeta.NewRoleBindingsServiceClient(conn)),
		iambeta.RegisterIdentitiesServiceHandlerClient(ctx, mux, iambeta.NewIdentitiesServiceClient(conn)),
		oidc.RegisterSecurityTokenServiceHandlerClient(ctx, mux, oidc.NewSecurityTokenServiceClient(conn)),
		auth.RegisterAuthHandlerClient(ctx, mux, auth.NewAuthClient(conn)),
	} {
		if err != nil {
			panic("emulator: REST paths that do not parse: " + err.Error())
		}
	}
	return mux
}

// restError writes the error as a google.rpc.Status without empty fields.
func restError(ctx context.Context, mux *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	runtime.DefaultHTTPErrorHandler(ctx, mux, &runtime.JSONPb{}, w, r, err)
}

// logged logs the requests of a page under the name of the page.
func (e *Emulator) logged(name string, handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		end := e.begin(&Request{
			Method:     name,
			FullMethod: r.URL.Path,
			REST:       true,
			Time:       e.store.Now(),
			UserAgent:  r.UserAgent(),
		})
		defer end(nil)
		e.store.Lock()
		defer e.store.Unlock()
		handler(w, r)
	}
}

// date returns the values of the Date header.
func (e *Emulator) date() []string {
	e.store.Lock()
	defer e.store.Unlock()
	b := e.store.Behavior
	if b.NoDate {
		return nil
	}
	return []string{e.store.Now().Add(b.DateSkew).Format(http.TimeFormat)}
}

// intercept handles every call of a known method, over gRPC and REST.
func (e *Emulator) intercept(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	// For v2beta1 calls, the method in the UnaryServerInfo is the one of v2.
	fullMethod, _ := grpc.Method(ctx)
	entry := newRequest(ctx, fullMethod, message(request), e.store.Now())
	end := e.begin(entry)
	response, err := e.answer(ctx, entry, handler)
	end(err)
	if err != nil {
		return nil, err
	}
	return response, nil
}

// unknown refuses and logs calls of services that the emulator does not implement.
func (e *Emulator) unknown(_ any, stream grpc.ServerStream) error {
	fullMethod, _ := grpc.Method(stream.Context())
	err := status.Errorf(codes.Unimplemented, "unknown method %s", fullMethod)
	e.begin(newRequest(stream.Context(), fullMethod, nil, e.store.Now()))(err)
	return err
}

// answer applies faults, authorization and the handler to a call.
func (e *Emulator) answer(ctx context.Context, entry *Request, handler grpc.UnaryHandler) (proto.Message, error) {
	// Unlike net/http, grpc sends no Date header.
	if err := grpc.SetHeader(ctx, metadata.MD{"date": e.date()}); err != nil {
		return nil, err
	}
	if _, err := e.strike(ctx, entry.Method, BeforeCommit, entry.Request, nil); err != nil {
		return nil, err
	}
	response, err := e.handle(ctx, entry, handler)
	if err != nil {
		return nil, err
	}
	return e.strike(ctx, entry.Method, AfterCommit, entry.Request, message(response))
}

// handle authorizes and answers a call atomically.
func (e *Emulator) handle(ctx context.Context, entry *Request, handler grpc.UnaryHandler) (any, error) {
	e.store.Lock()
	defer e.store.Unlock()
	ctx, err := e.authorizer.Authorize(ctx, entry.FullMethod, entry.Request)
	if err != nil {
		return nil, err
	}
	return handler(ctx, entry.Request)
}
