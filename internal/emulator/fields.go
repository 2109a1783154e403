package emulator

import (
	"regexp"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// validName is what the platform allows as the name of a group or a role.
var validName = regexp.MustCompile(`^[a-z0-9 ._-]{1,}$`).MatchString

func checkName(field, name string, wrong *violations) {
	switch {
	case name == "":
		wrong.add(field, "is required")
	case !validName(name):
		wrong.add(field, "%q may only hold lower case letters, digits, spaces, dots, dashes and underscores", name)
	}
}

// masked says which fields an update is for: those of the mask, all for "*", and without a mask those that are set.
// Fields that only the platform sets may be named, and are passed over.
func masked(mask *fieldmaskpb.FieldMask, resource proto.Message) (updates func(field string) bool, err error) {
	m := resource.ProtoReflect()
	if len(mask.GetPaths()) == 0 {
		return func(field string) bool {
			return m.Has(m.Descriptor().Fields().ByName(protoreflect.Name(field)))
		}, nil
	}
	var wrong violations
	named := map[string]bool{}
	for _, path := range mask.GetPaths() {
		if path != "*" && m.Descriptor().Fields().ByName(protoreflect.Name(path)) == nil {
			wrong.add("update_mask", "there is no field %q", path)
		}
		named[path] = true
	}
	return func(field string) bool { return named["*"] || named[field] }, wrong.err()
}
