package provider

import (
	"errors"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
)

func TestSession_groupSetting(t *testing.T) {
	t.Parallel()
	const variable = "CHAINGUARD_DEFAULT_GROUP"
	file := map[string]string{"/chainctl.yaml": "default: {group: from-file}\n"}
	for name, test := range map[string]struct {
		block     map[string]config.Value
		variables map[string]string
		want      types.String
		inBlock   bool
		error     string // of defaultGroup
	}{
		"none": {want: types.StringNull(), error: "Missing Group"},
		"the block": {
			block:     map[string]config.Value{"group": {Text: "from-block"}},
			variables: map[string]string{variable: "from-env"},
			want:      types.StringValue("from-block"), inBlock: true,
		},
		"the block, unknown": {
			block:     map[string]config.Value{"group": {Unknown: true}},
			variables: map[string]string{variable: "from-env"},
			want:      types.StringUnknown(), inBlock: true,
		},
		"the environment": {
			variables: map[string]string{variable: "from-env", "CHAINCTL_CONFIG": "/chainctl.yaml"},
			want:      types.StringValue("from-env"),
		},
		"the file":          {variables: map[string]string{"CHAINCTL_CONFIG": "/chainctl.yaml"}, want: types.StringValue("from-file")},
		"a file of the run": {block: map[string]config.Value{"config": {Unknown: true}}, want: types.StringUnknown()},
		"an invalid variable": {
			variables: map[string]string{variable: "FROM-ENV"},
			want:      types.StringNull(), error: "Invalid Environment Variable",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings, problems := config.Resolve(test.block, config.Environment{
				Getenv: func(name string) string { return test.variables[name] },
				ReadFile: func(path string) ([]byte, error) {
					if text, ok := file[path]; ok {
						return []byte(text), nil
					}
					return nil, errors.New("no such file")
				},
			})
			s := &session{settings: settings, deferred: problems}
			if group, inBlock := s.groupSetting(); !group.Equal(test.want) || inBlock != test.inBlock {
				t.Errorf("%s, in the block: %t; want %s, %t", group, inBlock, test.want, test.inBlock)
			}
			var diags diag.Diagnostics
			if group := s.defaultGroup("", &diags); !group.Equal(test.want) {
				t.Errorf("the default group is %s, want %s", group, test.want)
			}
			switch {
			case test.error == "" && len(diags) > 0, test.error != "" && (len(diags) != 1 || diags[0].Summary() != test.error):
				t.Errorf("%v, want %q", diags, test.error)
			}
		})
	}
}

// The error is in a variable, so changing the provider block does not help.
func TestSession_client_invalidProxy(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://[::1")
	s := &session{connect: func() (*platform.Client, error) {
		return platform.New(platform.Config{API: config.DefaultAPI, RequestTimeout: config.DefaultRequestTimeout})
	}}
	var diags diag.Diagnostics
	if client := s.client(&diags); client != nil || len(diags) != 1 {
		t.Fatalf("a client: %t, diagnostics: %v", client != nil, diags)
	}
	detail := diags[0].Detail()
	if !strings.Contains(detail, "HTTPS_PROXY") || !strings.HasSuffix(detail, "Correct the variable, or unset it.") || strings.Contains(detail, "`api`") {
		t.Errorf("the advice is not about the variable: %s", detail)
	}
}
