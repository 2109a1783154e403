package auth

import (
	"sync"
	"time"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// The RPCs of the STS that sign-in makes.
const (
	stsExchange             = "/chainguard.platform.oidc.SecurityTokenService/Exchange"
	stsExchangeRefreshToken = "/chainguard.platform.oidc.SecurityTokenService/ExchangeRefreshToken" //nolint:gosec // G101: a method's name.
)

// stsProto are the messages of the STS, as far as sign-in uses them. The SDK has them in proto/platform/oidc/v1, but
// whoever imports that ships Prometheus, and registers collectors before main begins. A test holds these against it.
const stsProto = `
	name: "oidc.platform.proto" package: "chainguard.platform.oidc" syntax: "proto3"
	dependency: "google/protobuf/timestamp.proto"
	message_type {
		name: "ExchangeRequest"
		field { name: "aud" number: 1 type: TYPE_STRING label: LABEL_REPEATED }
		field { name: "identity" number: 4 type: TYPE_STRING label: LABEL_OPTIONAL }
	}
	message_type {
		name: "ExchangeRefreshTokenRequest"
		field { name: "aud" number: 1 type: TYPE_STRING label: LABEL_REPEATED }
	}
	message_type {
		name: "RawToken"
		field { name: "token" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
		field { name: "expiry" number: 3 type: TYPE_MESSAGE label: LABEL_OPTIONAL type_name: ".google.protobuf.Timestamp" }
	}
	message_type {
		name: "TokenPair"
		field { name: "token" number: 1 type: TYPE_MESSAGE label: LABEL_OPTIONAL type_name: ".chainguard.platform.oidc.RawToken" }
		field { name: "refresh_token" number: 2 type: TYPE_MESSAGE label: LABEL_OPTIONAL type_name: ".chainguard.platform.oidc.RawToken" }
	}
`

// stsMessages reads stsProto when it is first needed.
var stsMessages = sync.OnceValue(func() protoreflect.MessageDescriptors {
	var file descriptorpb.FileDescriptorProto
	err := prototext.Unmarshal([]byte(stsProto), &file)
	if err != nil {
		panic(err) // A constant that every test of sign-in reads.
	}
	descriptor, err := protodesc.NewFile(&file, protoregistry.GlobalFiles)
	if err != nil {
		panic(err)
	}
	return descriptor.Messages()
})

// stsMessage is one of the messages of the STS. It has nothing of fields that are not set.
type stsMessage struct{ protoreflect.Message }

func newSTSMessage(name protoreflect.Name) stsMessage {
	return stsMessage{dynamicpb.NewMessage(stsMessages().ByName(name))}
}

func (m stsMessage) field(name protoreflect.Name) protoreflect.FieldDescriptor {
	return m.Descriptor().Fields().ByName(name)
}

func (m stsMessage) text(name protoreflect.Name) string { return m.Get(m.field(name)).String() }

func (m stsMessage) message(name protoreflect.Name) stsMessage {
	return stsMessage{m.Get(m.field(name)).Message()}
}

func (m stsMessage) setText(name protoreflect.Name, text string) {
	m.Set(m.field(name), protoreflect.ValueOfString(text))
}

func (m stsMessage) appendText(name protoreflect.Name, text string) {
	m.Mutable(m.field(name)).List().Append(protoreflect.ValueOfString(text))
}

// time is zero where the field is not set, or is no time that there is.
func (m stsMessage) time(name protoreflect.Name) time.Time {
	value := m.message(name)
	timestamp := timestamppb.Timestamp{
		Seconds: value.Get(value.field("seconds")).Int(),
		Nanos:   int32(value.Get(value.field("nanos")).Int()), //nolint:gosec // G115: the field is an int32.
	}
	if !m.Has(m.field(name)) || !timestamp.IsValid() {
		return time.Time{}
	}
	return timestamp.AsTime()
}
