package main

import (
	"encoding/json"
	"fmt"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// Protocol to JSON, from the whole to its parts.

func providerSchema(schemas *tfprotov6.GetProviderSchemaResponse, identities *tfprotov6.GetResourceIdentitySchemasResponse) (*tfjson.ProviderSchema, error) {
	var out tfjson.ProviderSchema
	var err error
	if out.ConfigSchema, err = schema(schemas.Provider); err != nil {
		return nil, fmt.Errorf("provider: %w", err)
	}
	if out.ResourceSchemas, err = each(schemas.ResourceSchemas, schema); err != nil {
		return nil, err
	}
	if out.DataSourceSchemas, err = each(schemas.DataSourceSchemas, schema); err != nil {
		return nil, err
	}
	if out.EphemeralResourceSchemas, err = each(schemas.EphemeralResourceSchemas, schema); err != nil {
		return nil, err
	}
	if out.ListResourceSchemas, err = each(schemas.ListResourceSchemas, schema); err != nil {
		return nil, err
	}
	if out.ActionSchemas, err = each(schemas.ActionSchemas, action); err != nil {
		return nil, err
	}
	if out.ResourceIdentitySchemas, err = each(identities.IdentitySchemas, identity); err != nil {
		return nil, err
	}
	return &out, nil
}

// each converts a map's values, and says by its key which of them it could not.
func each[From, To any](from map[string]From, convert func(From) (To, error)) (map[string]To, error) {
	to := make(map[string]To, len(from))
	for name, value := range from {
		converted, err := convert(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		to[name] = converted
	}
	return to, nil
}

func schema(s *tfprotov6.Schema) (*tfjson.Schema, error) {
	content, err := block(s.Block)
	return &tfjson.Schema{Version: uint64(max(0, s.Version)), Block: content}, err
}

func action(s *tfprotov6.ActionSchema) (*tfjson.ActionSchema, error) {
	content, err := block(s.Schema.Block)
	return &tfjson.ActionSchema{Block: content}, err
}

func block(b *tfprotov6.SchemaBlock) (*tfjson.SchemaBlock, error) {
	fields, err := attributes(b.Attributes)
	if err != nil {
		return nil, err
	}
	blocks := make(map[string]*tfjson.SchemaBlockType, len(b.BlockTypes))
	for _, nested := range b.BlockTypes {
		inner, err := block(nested.Block)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", nested.TypeName, err)
		}
		blocks[nested.TypeName] = &tfjson.SchemaBlockType{
			NestingMode: tfjson.SchemaNestingMode(strings.ToLower(nested.Nesting.String())),
			Block:       inner,
			MinItems:    uint64(max(0, nested.MinItems)),
			MaxItems:    uint64(max(0, nested.MaxItems)),
		}
	}
	return &tfjson.SchemaBlock{
		Attributes:      fields,
		NestedBlocks:    blocks,
		Description:     b.Description,
		DescriptionKind: descriptionKind(b.DescriptionKind),
		Deprecated:      b.Deprecated,
	}, nil
}

func attributes(list []*tfprotov6.SchemaAttribute) (map[string]*tfjson.SchemaAttribute, error) {
	out := make(map[string]*tfjson.SchemaAttribute, len(list))
	for _, from := range list {
		to := &tfjson.SchemaAttribute{
			Description:     from.Description,
			DescriptionKind: descriptionKind(from.DescriptionKind),
			Deprecated:      from.Deprecated,
			Required:        from.Required,
			Optional:        from.Optional,
			Computed:        from.Computed,
			Sensitive:       from.Sensitive,
			WriteOnly:       from.WriteOnly,
		}
		var err error
		if from.NestedType != nil {
			to.AttributeNestedType, err = nested(from.NestedType)
		} else {
			err = convertType(from.Type, &to.AttributeType)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", from.Name, err)
		}
		out[from.Name] = to
	}
	return out, nil
}

func nested(object *tfprotov6.SchemaObject) (*tfjson.SchemaNestedAttributeType, error) {
	fields, err := attributes(object.Attributes)
	return &tfjson.SchemaNestedAttributeType{
		Attributes:  fields,
		NestingMode: tfjson.SchemaNestingMode(strings.ToLower(object.Nesting.String())),
	}, err
}

func identity(s *tfprotov6.ResourceIdentitySchema) (*tfjson.IdentitySchema, error) {
	out := &tfjson.IdentitySchema{Version: uint64(max(0, s.Version)), Attributes: map[string]*tfjson.IdentityAttribute{}}
	for _, from := range s.IdentityAttributes {
		to := &tfjson.IdentityAttribute{
			Description:       from.Description,
			RequiredForImport: from.RequiredForImport,
			OptionalForImport: from.OptionalForImport,
		}
		if err := convertType(from.Type, &to.IdentityType); err != nil {
			return nil, fmt.Errorf("%s: %w", from.Name, err)
		}
		out.Attributes[from.Name] = to
	}
	return out, nil
}

// convertType goes from one library's types to the other's by the JSON that both mean the same by.
func convertType(from any, to any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}

func descriptionKind(kind tfprotov6.StringKind) tfjson.SchemaDescriptionKind {
	if kind == tfprotov6.StringKindMarkdown {
		return tfjson.SchemaDescriptionKindMarkdown
	}
	return tfjson.SchemaDescriptionKindPlain
}
