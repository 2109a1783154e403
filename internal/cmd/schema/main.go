// Command schema writes the provider's schema to its standard output, as `terraform providers schema -json` would, for
// tfplugindocs to make docs/ from.
//
// It runs the provider in its own process, so that the docs do not depend on the installed Terraform: an older one
// would leave out what it does not support.
//
// With -finish FOLDER, it finishes the docs that tfplugindocs has written into that folder instead.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/provider"
)

func main() {
	docs := flag.String("finish", "", "finish the docs that tfplugindocs has written into this folder")
	flag.Parse()
	if *docs != "" {
		if err := finish(*docs); err != nil {
			fmt.Fprintln(os.Stderr, "Finishing the docs:", err)
			os.Exit(1)
		}
		return
	}
	server := providerserver.NewProtocol6(provider.New("docs")())()
	if err := run(context.Background(), server, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "Writing the provider's schema:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, server tfprotov6.ProviderServer, out io.Writer) error {
	schema, err := ask(ctx, server)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(tfjson.ProviderSchemas{
		FormatVersion: "1.0",
		// tfplugindocs accepts the name or HashiCorp's address (hashicorp/terraform-plugin-docs#141).
		Schemas: map[string]*tfjson.ProviderSchema{"chainguard": schema},
	})
}

func ask(ctx context.Context, server tfprotov6.ProviderServer) (*tfjson.ProviderSchema, error) {
	schemas, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		return nil, err
	}
	identities, err := server.GetResourceIdentitySchemas(ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		return nil, err
	}
	for _, d := range append(schemas.Diagnostics, identities.Diagnostics...) {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			return nil, fmt.Errorf("%s: %s", d.Summary, d.Detail)
		}
	}
	if len(schemas.Functions) > 0 || len(schemas.StateStoreSchemas) > 0 {
		return nil, errors.New("the provider now has functions or state stores; teach this program to write them, or they are missing from docs/")
	}
	return providerSchema(schemas, identities), nil
}
