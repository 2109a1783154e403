// Command schema writes the provider's schema to its standard output, as `terraform providers schema -json` would, for
// tfplugindocs to make docs/ from.
//
// It runs the provider in its own process, so that the docs do not depend on the installed Terraform: an older one
// would leave out what it does not support.
//
// With -settings FILE, it inserts the table of the provider's settings into a page of the docs instead.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/provider"
)

func main() {
	page := flag.String("settings", "", "put the table of settings into this page of the docs")
	flag.Parse()
	if *page != "" {
		if err := addSettings(*page); err != nil {
			fmt.Fprintln(os.Stderr, "Writing the table of settings:", err)
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

// settingsMark is the line of a template that the table of settings replaces.
const settingsMark = "<!-- The table of settings is generated. -->\n"

func addSettings(page string) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, after, found := strings.Cut(string(text), settingsMark)
	if !found {
		return fmt.Errorf("%s has no line %q", page, strings.TrimSpace(settingsMark))
	}
	return os.WriteFile(page, []byte(before+config.MarkdownTable()+after), 0o644) //nolint:gosec // G306: docs are for everyone.
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
