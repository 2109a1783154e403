package acctest

import (
	"context"
	"io"
	"net/http"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
)

// stubHTTP is the data source http of hashicorp/http, with the two attributes that examples use.
type stubHTTP struct{}

// Metadata implements [datasource.DataSource].
func (stubHTTP) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "http"
}

// Schema implements [datasource.DataSource].
func (stubHTTP) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"url":           schema.StringAttribute{Required: true},
		"response_body": schema.StringAttribute{Computed: true},
	}}
}

// Read implements [datasource.DataSource].
func (stubHTTP) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var url string
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("url"), &url)...)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		resp.Diagnostics.AddError("Invalid URL", err.Error())
		return
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		resp.Diagnostics.AddError("Unable to Read Page", err.Error())
		return
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		resp.Diagnostics.AddError("Unable to Read Page", err.Error())
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("url"), url)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("response_body"), string(body))...)
}
