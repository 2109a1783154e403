package services

import (
	"regexp"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

const namePattern = `^[a-z0-9 ._-]{1,}$`

// ValidName reports whether the platform allows the name for a group or a role.
var ValidName = regexp.MustCompile(namePattern).MatchString

func checkName(name string, wrong *violations) {
	if !ValidName(name) {
		wrong.add("name", "name must match %q", namePattern)
	}
}

// masked returns a function that reports whether an update applies to a field: those in the mask, all for "*", and
// those that are set without a mask. Output-only fields may be in the mask and are ignored.
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
