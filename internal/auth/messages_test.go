package auth

import (
	"slices"
	"testing"

	oidc "chainguard.dev/sdk/proto/platform/oidc/v1"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// The messages that are written down here have the SDK's numbers and types, and the RPCs its names.
func TestSTSMessagesAreTheSDKs(t *testing.T) {
	theirs := oidc.File_oidc_platform_proto
	ours := stsMessages()
	for i := range ours.Len() {
		message := ours.Get(i)
		counterpart := theirs.Messages().ByName(message.Name())
		if counterpart == nil {
			t.Errorf("the SDK has no message %s", message.Name())
			continue
		}
		for j := range message.Fields().Len() {
			field := message.Fields().Get(j)
			if got, want := shape(field), shape(counterpart.Fields().ByName(field.Name())); got != want {
				t.Errorf("%s is %+v here and %+v in the SDK", field.FullName(), got, want)
			}
		}
	}
	rpcs := []string{oidc.SecurityTokenService_Exchange_FullMethodName, oidc.SecurityTokenService_ExchangeRefreshToken_FullMethodName}
	if want := []string{stsExchange, stsExchangeRefreshToken}; !slices.Equal(rpcs, want) {
		t.Errorf("the RPCs are %v in the SDK, and %v here", rpcs, want)
	}
}

// fieldShape is what two fields must have in common to be the same on the wire.
type fieldShape struct {
	name        protoreflect.Name
	number      protoreflect.FieldNumber
	kind        protoreflect.Kind
	cardinality protoreflect.Cardinality
	message     protoreflect.FullName
}

func shape(field protoreflect.FieldDescriptor) fieldShape {
	if field == nil {
		return fieldShape{}
	}
	s := fieldShape{name: field.Name(), number: field.Number(), kind: field.Kind(), cardinality: field.Cardinality()}
	if field.Message() != nil {
		s.message = field.Message().FullName()
	}
	return s
}
