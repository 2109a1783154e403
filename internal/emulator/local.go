package emulator

import (
	"context"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// localConn is an in-process gRPC connection to the emulator's services. The REST gateway uses it, so that REST calls
// have the same faults, authorization and log as gRPC calls.
type localConn struct {
	grpc.ClientConnInterface // nil: no method of the platform is a stream

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

// Invoke implements [grpc.ClientConnInterface]. Messages are converted through their wire format, which lets a v2beta1
// client call a v2 service.
func (c *localConn) Invoke(ctx context.Context, fullMethod string, request, response any, _ ...grpc.CallOption) error {
	method, ok := c.methods[fullMethod]
	if !ok {
		return status.Errorf(codes.Unimplemented, "unknown method %s", fullMethod)
	}
	md, _ := metadata.FromOutgoingContext(ctx)
	ctx = metadata.NewIncomingContext(ctx, md)
	ctx = grpc.NewContextWithServerTransportStream(ctx, &localStream{method: fullMethod})
	answer, err := method.handler(method.service, ctx, func(into any) error { return transcode(into, request) }, c.interceptor)
	if err != nil {
		return status.Convert(err).Err()
	}
	return transcode(response, answer)
}

// transcode converts a message to another type with the same wire format.
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

// message converts a message that gRPC passes as any.
func message(m any) proto.Message {
	return m.(proto.Message) //nolint:forcetypeassert // Every service of the platform is one of protobuf.
}

// localStream is the transport stream of a local call.
type localStream struct {
	runtime.ServerTransportStream
	method string
}

// Method implements [grpc.ServerTransportStream].
func (s *localStream) Method() string { return s.method }
