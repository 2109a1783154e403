package main

import (
	"encoding/json"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

func providerSchema(schemas *tfprotov6.GetProviderSchemaResponse, identities *tfprotov6.GetResourceIdentitySchemasResponse) *tfjson.ProviderSchema {
	return &tfjson.ProviderSchema{
		ConfigSchema:             schema(schemas.Provider),
		ResourceSchemas:          each(schemas.ResourceSchemas, schema),
		DataSourceSchemas:        each(schemas.DataSourceSchemas, schema),
		EphemeralResourceSchemas: each(schemas.EphemeralResourceSchemas, schema),
		ListResourceSchemas:      each(schemas.ListResourceSchemas, schema),
		ActionSchemas:            each(schemas.ActionSchemas, action),
		ResourceIdentitySchemas:  each(identities.IdentitySchemas, identity),
	}
}

// each converts a map's values.
func each[From, To any](from map[string]From, convert func(From) To) map[string]To {
	to := make(map[string]To, len(from))
	for name, value := range from {
		to[name] = convert(value)
	}
	return to
}

func schema(s *tfprotov6.Schema) *tfjson.Schema {
	return &tfjson.Schema{Version: uint64(max(0, s.Version)), Block: block(s.Block)}
}

func action(s *tfprotov6.ActionSchema) *tfjson.ActionSchema {
	return &tfjson.ActionSchema{Block: block(s.Schema.Block)}
}

func block(b *tfprotov6.SchemaBlock) *tfjson.SchemaBlock {
	blocks := make(map[string]*tfjson.SchemaBlockType, len(b.BlockTypes))
	for _, nested := range b.BlockTypes {
		blocks[nested.TypeName] = &tfjson.SchemaBlockType{
			NestingMode: tfjson.SchemaNestingMode(strings.ToLower(nested.Nesting.String())),
			Block:       block(nested.Block),
			MinItems:    uint64(max(0, nested.MinItems)),
			MaxItems:    uint64(max(0, nested.MaxItems)),
		}
	}
	return &tfjson.SchemaBlock{
		Attributes:      attributes(b.Attributes),
		NestedBlocks:    blocks,
		Description:     b.Description,
		DescriptionKind: descriptionKind(b.DescriptionKind),
		Deprecated:      b.Deprecated,
	}
}

func attributes(list []*tfprotov6.SchemaAttribute) map[string]*tfjson.SchemaAttribute {
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
		if nested := from.NestedType; nested != nil {
			to.AttributeNestedType = &tfjson.SchemaNestedAttributeType{
				Attributes:  attributes(nested.Attributes),
				NestingMode: tfjson.SchemaNestingMode(strings.ToLower(nested.Nesting.String())),
			}
		} else {
			convertType(from.Type, &to.AttributeType)
		}
		out[from.Name] = to
	}
	return out
}

func identity(s *tfprotov6.ResourceIdentitySchema) *tfjson.IdentitySchema {
	out := &tfjson.IdentitySchema{Version: uint64(max(0, s.Version)), Attributes: map[string]*tfjson.IdentityAttribute{}}
	for _, from := range s.IdentityAttributes {
		to := &tfjson.IdentityAttribute{
			Description:       from.Description,
			RequiredForImport: from.RequiredForImport,
			OptionalForImport: from.OptionalForImport,
		}
		convertType(from.Type, &to.IdentityType)
		out.Attributes[from.Name] = to
	}
	return out
}

// convertType converts a type between libraries through JSON, in which they agree.
func convertType(from any, to any) {
	text, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(text, to)
	}
	if err != nil {
		panic(err)
	}
}

func descriptionKind(kind tfprotov6.StringKind) tfjson.SchemaDescriptionKind {
	if kind == tfprotov6.StringKindMarkdown {
		return tfjson.SchemaDescriptionKindMarkdown
	}
	return tfjson.SchemaDescriptionKindPlain
}
