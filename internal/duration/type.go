package duration

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/attr/xattr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

var (
	_ basetypes.StringTypable                    = Type{}
	_ basetypes.StringValuable                   = Value{}
	_ basetypes.StringValuableWithSemanticEquals = Value{}
	_ xattr.ValidateableAttribute                = Value{}
)

// summaryInvalid is the summary of the error for an invalid duration.
const summaryInvalid = "Invalid Duration"

// Type is the type of an attribute with a duration. [Parse] validates its values, and different spellings of the same
// duration are semantically equal.
type Type struct {
	basetypes.StringType
}

// Equal implements [attr.Type].
func (t Type) Equal(other attr.Type) bool {
	o, ok := other.(Type)
	return ok && t.StringType.Equal(o.StringType)
}

// String implements [attr.Type].
func (Type) String() string { return "duration.Type" }

// ValueFromString implements [basetypes.StringTypable].
func (Type) ValueFromString(_ context.Context, text basetypes.StringValue) (basetypes.StringValuable, diag.Diagnostics) {
	return Value{StringValue: text}, nil
}

// ValueFromTerraform implements [attr.Type].
func (t Type) ValueFromTerraform(ctx context.Context, in tftypes.Value) (attr.Value, error) {
	value, err := t.StringType.ValueFromTerraform(ctx, in)
	if err != nil {
		return nil, err
	}
	text, ok := value.(basetypes.StringValue)
	if !ok {
		return nil, fmt.Errorf("unexpected value type %T", value)
	}
	return Value{StringValue: text}, nil
}

// ValueType implements [attr.Type].
func (Type) ValueType(context.Context) attr.Value { return Value{} }

// Value is a duration as written in the configuration or the state.
type Value struct {
	basetypes.StringValue
}

// NewValue returns a known value with this spelling.
func NewValue(text string) Value { return Value{StringValue: basetypes.NewStringValue(text)} }

// NewNull returns a null value.
func NewNull() Value { return Value{StringValue: basetypes.NewStringNull()} }

// Equal implements [attr.Value]. It compares the spelling.
func (v Value) Equal(other attr.Value) bool {
	o, ok := other.(Value)
	return ok && v.StringValue.Equal(o.StringValue)
}

// Type implements [attr.Value].
func (Value) Type(context.Context) attr.Type { return Type{} }

// Duration returns the duration, or an error if the value is null, unknown or invalid.
func (v Value) Duration() (time.Duration, error) {
	if v.IsNull() || v.IsUnknown() {
		return 0, errors.New("the lifetime is not known")
	}
	return Parse(v.ValueString())
}

// SameDuration reports whether both values are known and the same duration, regardless of spelling.
func (v Value) SameDuration(other Value) bool {
	a, errA := v.Duration()
	b, errB := other.Duration()
	return errA == nil && errB == nil && a == b
}

// StringSemanticEquals implements [basetypes.StringValuableWithSemanticEquals]. The framework calls it after Create and
// Read, but not while planning (https://github.com/hashicorp/terraform-plugin-framework/issues/1168).
func (v Value) StringSemanticEquals(_ context.Context, other basetypes.StringValuable) (bool, diag.Diagnostics) {
	o, ok := other.(Value)
	return ok && v.SameDuration(o), nil
}

// ValidateAttribute implements [xattr.ValidateableAttribute].
func (v Value) ValidateAttribute(_ context.Context, req xattr.ValidateAttributeRequest, resp *xattr.ValidateAttributeResponse) {
	if v.IsNull() || v.IsUnknown() {
		return
	}
	if _, err := v.Duration(); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, summaryInvalid, "The lifetime cannot be used: "+err.Error()+".")
	}
}
