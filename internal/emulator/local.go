package emulator

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// localConn is a gRPC connection to the emulator's own services within the process. The REST gateway calls over it, so
// that REST meets the same faults, authorization and log as gRPC does.
type localConn struct {
	interceptor grpc.UnaryServerInterceptor
	methods     map[string]localMethod
}

type localMethod struct {
	handler grpc.MethodHandler
	service any
}

// RegisterService implements [grpc.ServiceRegistrar].
func (c *localConn) RegisterService(description *grpc.ServiceDesc, service any) {
	for _, m := range description.Methods {
		c.methods["/"+description.ServiceName+"/"+m.MethodName] = localMethod{m.Handler, service}
	}
}

// Invoke implements [grpc.ClientConnInterface]. Messages go through their wire format, which is what makes a v2beta1
// client of a v2 service.
func (c *localConn) Invoke(ctx context.Context, fullMethod string, request, response any, _ ...grpc.CallOption) error {
	method, ok := c.methods[fullMethod]
	if !ok {
		return status.Errorf(codes.Unimplemented, "unknown method %s", fullMethod)
	}
	md, _ := metadata.FromOutgoingContext(ctx)
	ctx = metadata.NewIncomingContext(ctx, md)
	ctx = grpc.NewContextWithServerTransportStream(ctx, localStream(fullMethod))
	if conn, ok := ctx.Value(connectionKey{}).(*connection); ok {
		ctx = peer.NewContext(ctx, &peer.Peer{Addr: conn.RemoteAddr(), LocalAddr: conn.LocalAddr()})
	}
	answer, err := method.handler(method.service, ctx, func(into any) error { return transcode(into, request) }, c.interceptor)
	if err != nil {
		return status.Convert(err).Err()
	}
	return transcode(response, answer)
}

// NewStream implements [grpc.ClientConnInterface]. The platform has no streams.
func (c *localConn) NewStream(_ context.Context, _ *grpc.StreamDesc, fullMethod string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Errorf(codes.Unimplemented, "%s is not a stream", strings.TrimPrefix(fullMethod, "/"))
}

// transcode copies a message into one of another type with the same wire format.
func transcode(into, from any) error {
	b, err := proto.Marshal(message(from))
	if err != nil {
		return status.Errorf(codes.Internal, "encoding a message: %v", err)
	}
	if err := proto.Unmarshal(b, message(into)); err != nil {
		return status.Errorf(codes.Internal, "decoding a message: %v", err)
	}
	return nil
}

// message is what gRPC hands over as any.
func message(m any) proto.Message {
	pm, ok := m.(proto.Message)
	if !ok {
		panic(fmt.Sprintf("emulator: a call with a %T, which is no message", m))
	}
	return pm
}

// localStream is the name of the method that a local call is for. A local call has no headers of its own: the HTTP
// response has them.
type localStream string

// Method implements [grpc.ServerTransportStream].
func (s localStream) Method() string { return string(s) }

// SetHeader implements [grpc.ServerTransportStream].
func (localStream) SetHeader(metadata.MD) error { return nil }

// SendHeader implements [grpc.ServerTransportStream].
func (localStream) SendHeader(metadata.MD) error { return nil }

// SetTrailer implements [grpc.ServerTransportStream].
func (localStream) SetTrailer(metadata.MD) error { return nil }
