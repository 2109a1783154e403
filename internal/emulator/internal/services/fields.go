package services

import (
	"regexp"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// ValidName reports whether the platform allows the name for a group or a role.
var ValidName = regexp.MustCompile(`^[a-z0-9 ._-]{1,}$`).MatchString

func checkName(name string, wrong *violations) {
	switch {
	case name == "":
		wrong.add("name", "is required")
	case !ValidName(name):
		wrong.add("name", "%q may only hold lower case letters, digits, spaces, dots, dashes and underscores", name)
	}
}

// masked returns which fields an update is for: those of the mask, all for "*", and without a mask those that are set.
// Fields that only the platform sets may be named, and are ignored.
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
