package provider

import (
	"context"
	"fmt"
	"reflect"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// readModel and writeModel replace Get and Set of the framework's plans and states. They take a third of the CPU time
// during an apply, because the framework looks up the fields of a struct each time and compiles a regular expression
// for each of them (hashicorp/terraform-plugin-framework#725). Remove them once the framework caches both.

// values is a configuration, a plan or a state.
type values interface {
	Get(ctx context.Context, target any) diag.Diagnostics
}

// attributesOf returns the attributes of a configuration, a plan or a state.
func attributesOf(ctx context.Context, from values, diags *diag.Diagnostics) map[string]attr.Value {
	var object types.Object
	diags.Append(from.Get(ctx, &object)...)
	return object.Attributes()
}

// attribute returns an attribute, or the zero value if there is none of that name.
func attribute[Value attr.Value](attributes map[string]attr.Value, name string) Value {
	value, _ := attributes[name].(Value)
	return value
}

// readModel reads a plan or a state into a model.
func readModel[Model any](ctx context.Context, from values, model *Model) (diags diag.Diagnostics) {
	fields, into := fieldsOf(reflect.TypeFor[Model]()), reflect.ValueOf(model).Elem()
	for name, value := range attributesOf(ctx, from, &diags) {
		into.FieldByIndex(fields[name]).Set(reflect.ValueOf(value))
	}
	return diags
}

// writeModel sets the raw value of a plan or a state from a model. TestModels checks that the model has the attributes of
// the schema, which [tftypes.NewValue] requires.
func writeModel[Model any](ctx context.Context, to *tftypes.Value, model *Model) (diags diag.Diagnostics) {
	from := reflect.ValueOf(model).Elem()
	attributes := map[string]tftypes.Value{}
	for name, index := range fieldsOf(reflect.TypeFor[Model]()) {
		value, _ := from.FieldByIndex(index).Interface().(attr.Value)
		raw, err := value.ToTerraformValue(ctx)
		if err != nil {
			diags.AddAttributeError(path.Root(name), summaryUnexpectedData,
				fmt.Sprintf("The provider cannot convert the value of this attribute: %v. Please report this to its developers.", err))
			return diags
		}
		attributes[name] = raw
	}
	*to = tftypes.NewValue(to.Type(), attributes)
	return diags
}

var modelFields sync.Map // of map[string][]int, by the type of the model

// fieldsOf returns the indices of a model's fields by the names of their attributes.
func fieldsOf(model reflect.Type) map[string][]int {
	if known, ok := modelFields.Load(model); ok {
		fields, _ := known.(map[string][]int)
		return fields
	}
	fields := map[string][]int{}
	for _, field := range reflect.VisibleFields(model) {
		if name, ok := field.Tag.Lookup("tfsdk"); ok {
			fields[name] = field.Index
		}
	}
	modelFields.Store(model, fields)
	return fields
}
