package emulator_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// What the documents say is checked against the documents themselves, which are not part of this repository. The guide
// "Testing modules offline" says where to get them.
const (
	specVariable     = "CHAINGUARD_API_SPEC"
	officialVariable = "CHAINGUARD_OFFICIAL_PROVIDER"
)

// spec is what is read of an OpenAPI 3.0 document.
type spec struct {
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas map[string]*schema `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	ID         string `json:"operationId"`
	Parameters []struct {
		Name   string  `json:"name"`
		In     string  `json:"in"`
		Schema *schema `json:"schema"`
	} `json:"parameters"`
	Responses map[string]struct {
		Content map[string]struct {
			Schema *schema `json:"schema"`
		} `json:"content"`
	} `json:"responses"`
}

type schema struct {
	Ref                  string             `json:"$ref"`
	AllOf                []*schema          `json:"allOf"`
	Type                 string             `json:"type"`
	Format               string             `json:"format"`
	Properties           map[string]*schema `json:"properties"`
	AdditionalProperties json.RawMessage    `json:"additionalProperties"`
	Items                *schema            `json:"items"`
}

// check returns what in a JSON value is not as the schema says. Which values an enum has is not checked: the SDK may know
// more than the specification of another day.
func (d *spec) check(s *schema, value any, at string) []string {
	if s == nil || value == nil {
		return nil
	}
	if s.Ref != "" {
		s = d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	var wrong []string
	for _, part := range s.AllOf {
		wrong = append(wrong, d.check(part, value, at)...)
	}
	is := func(want bool) {
		if !want {
			wrong = append(wrong, fmt.Sprintf("%s: %v is not of the type %s %s", at, value, s.Type, s.Format))
		}
	}
	switch s.Type {
	case "object":
		object, ok := value.(map[string]any)
		is(ok)
		for name, field := range object {
			switch known := s.Properties[name]; {
			case known != nil:
				wrong = append(wrong, d.check(known, field, at+"."+name)...)
			case len(s.AdditionalProperties) == 0:
				wrong = append(wrong, fmt.Sprintf("%s: there is no field %s", at, name))
			}
		}
	case "array":
		list, ok := value.([]any)
		is(ok)
		for i, item := range list {
			wrong = append(wrong, d.check(s.Items, item, fmt.Sprintf("%s[%d]", at, i))...)
		}
	case "string":
		text, ok := value.(string)
		is(ok)
		if s.Format == "date-time" {
			_, err := time.Parse(time.RFC3339, text)
			is(err == nil)
		}
	case "integer", "number":
		_, ok := value.(float64)
		is(ok)
	case "boolean":
		_, ok := value.(bool)
		is(ok)
	}
	return wrong
}

// TestSpec_rest makes each call of the published API specification that the emulator has, with each of its parameters,
// and checks the answers against it.
func TestSpec_rest(t *testing.T) {
	t.Parallel()
	file := os.Getenv(specVariable)
	if file == "" {
		t.Skipf("%s is not the path of the API specification", specVariable)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var document spec
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	p := start(t, pipelines())
	child := p.AddGroup(p.Group("platform"), "child", p.clock.Now())
	invite := p.AddInvite(emulator.Invite{Group: child, RoleUID: p.Role("viewer")})
	if err := p.Accept(invite.Code); err != nil {
		t.Fatal(err)
	}
	_, bound := p.rest(t, http.MethodGet, "/iam/v2/roleBindings?group="+child, "")
	binding, _ := list(bound["roleBindings"])[0].(map[string]any)

	// What a call is for: the UIDP in its path, and its body. A call that is not here is one that the emulator lacks.
	calls := map[string]struct{ uid, body string }{
		"GroupInvitesService_ListGroupInvites":      {},
		"GroupInvitesService_CreateGroupInvite":     {child, `{"roleUid":"` + p.Role("viewer") + `","ttl":"3600s"}`},
		"GroupInvitesService_GetGroupInvite":        {invite.UID, ""},
		"GroupInvitesService_DeleteGroupInvite":     {p.AddInvite(emulator.Invite{Group: child, RoleUID: p.Role("viewer")}).UID, ""},
		"GroupsService_ListGroups":                  {},
		"GroupsService_CreateGroup":                 {p.Group("acme.example"), `{"name":"other"}`},
		"GroupsService_GetGroup":                    {child, ""},
		"GroupsService_UpdateGroup":                 {child, `{"description":"Changed."}`},
		"GroupsService_DeleteGroup":                 {p.AddGroup(p.Group("platform"), "doomed", p.clock.Now()), ""},
		"RolesService_ListRoles":                    {},
		"RolesService_CreateRole":                   {child, `{"name":"lister","capabilities":["CAP_IAM_GROUPS_LIST"]}`},
		"RolesService_GetRole":                      {p.Role("viewer"), ""},
		"RolesService_UpdateRole":                   {p.Role("invite-manager"), `{"description":"Changed."}`},
		"RolesService_DeleteRole":                   {p.AddRole(child, "doomed", 103), ""},
		"RoleBindingsService_ListRoleBindings":      {},
		"RoleBindingsService_GetRoleBinding":        {fmt.Sprint(binding["uid"]), ""},
		"IdentitiesService_ListIdentities":          {},
		"IdentitiesService_GetIdentity":             {p.Identity("pipeline"), ""},
		"SecurityTokenService_Exchange":             {},
		"SecurityTokenService_Exchange2":            {},
		"SecurityTokenService_ExchangeRefreshToken": {},
	}
	values := map[string]string{
		"uidp.ancestorsOf": child + "/0123456789abcdef", "uidp.descendantsOf": p.Group("acme.example"), "uidp.childrenOf": child,
		"uidp.inRoot": "false", "uidp.ids": invite.UID, "keyId": invite.KeyID, "pageSize": "2", "pageToken": "", "orderBy": "uid desc", "skip": "1",
		"name": "viewer", "group": child, "role": p.Role("viewer"), "identity": p.Identity("pipeline"), "relationshipType": "RELATIONSHIP_TYPE_CLAIM_MATCH",
		"aud": p.Audience(), "scope": child, "scopes": child, "cap": "groups.list", "identityProvider": "",
	}
	var lacking []string
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		if !strings.HasPrefix(path, "/iam/v2/") && !strings.HasPrefix(path, "/sts/") {
			continue
		}
		for method, o := range document.Paths[path] {
			call, ok := calls[o.ID]
			if !ok {
				lacking = append(lacking, o.ID)
				continue
			}
			delete(calls, o.ID)
			queries := []string{""}
			for _, parameter := range o.Parameters {
				if parameter.In == "query" {
					if value := values[parameter.Name]; value != "" {
						queries = append(queries, parameter.Name+"="+strings.ReplaceAll(value, " ", "+"))
					}
				}
			}
			for _, query := range queries {
				authorization := "Bearer " + p.AdminToken()
				switch o.ID {
				case "SecurityTokenService_Exchange", "SecurityTokenService_Exchange2":
					authorization = "Bearer " + p.upstream(nil)
				case "SecurityTokenService_ExchangeRefreshToken":
					authorization = "Bearer " + p.RefreshToken(p.AdminIdentity(), time.Hour)
				}
				url := strings.ReplaceAll(path, "{uid}", call.uid) + "?" + query
				status, answer := p.restAs(t, authorization, strings.ToUpper(method), url, call.body)
				if status != http.StatusOK {
					t.Errorf("%s %s answered %d %v", o.ID, query, status, answer)
					continue
				}
				for _, content := range o.Responses["200"].Content {
					for _, wrong := range document.check(content.Schema, answer, o.ID) {
						t.Errorf("%s %s: %s", o.ID, query, wrong)
					}
				}
			}
			if strings.HasPrefix(path, "/iam/") {
				status, answer := p.restAs(t, "", strings.ToUpper(method), strings.ReplaceAll(path, "{uid}", call.uid), call.body)
				if status != http.StatusUnauthorized {
					t.Errorf("%s without a token answered %d", o.ID, status)
				}
				for _, content := range o.Responses["default"].Content {
					for _, wrong := range document.check(content.Schema, answer, o.ID) {
						t.Errorf("%s without a token: %s", o.ID, wrong)
					}
				}
			}
		}
	}
	for id := range calls {
		t.Errorf("the specification does not have %s", id)
	}
	slices.Sort(lacking)
	t.Logf("the emulator does not have %s", strings.Join(lacking, ", "))
}

// TestSpec_officialProvider runs the acceptance tests that the official provider has for invites, groups and roles, but
// for the one of root groups, which calls version 1 of the API as well.
func TestSpec_officialProvider(t *testing.T) {
	t.Parallel()
	folder := os.Getenv(officialVariable)
	if folder == "" {
		t.Skipf("%s is not the path of a checkout of the official provider", officialVariable)
	}
	// The provider under test exchanges an OIDC token; what the tests check with is in chainctl's cache.
	seed := emulator.DefaultSeed()
	seed.Identities[0].Issuer, seed.Identities[0].Subject = actions, pipelineSub
	e := emulator.ForTest(t, emulator.Options{Seed: seed})
	oidc := emulator.UpstreamToken(emulator.Upstream{
		Issuer: actions, Subject: pipelineSub, Audience: []string{e.URL()}, Expires: time.Now().Add(time.Hour),
	})
	cache := t.TempDir()
	if err := e.CacheToken(cache, emulator.AccessTokenFile, e.AdminToken()); err != nil {
		t.Fatal(err)
	}
	const tests = `^TestAcc(ResourceGroupInvite|GroupDataSource.*|GroupResource.*|RoleDataSource|RoleResource)$`
	command := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-count=1", "-v", "-run", tests, "./internal/provider")
	command.Dir = folder
	command.Env = append(os.Environ(),
		"XDG_CACHE_HOME="+cache, "CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE=/dev/null", "TF_ACC=1",
		"TF_ACC_CONSOLE_API="+e.URL(), "TF_ACC_AUDIENCE="+e.Audience(), "TF_ACC_ISSUER="+e.URL(), "TF_ACC_GROUP_ID="+e.Group("acme.example"),
		"TF_CHAINGUARD_IDENTITY="+e.AdminIdentity(), "TF_CHAINGUARD_IDENTITY_TOKEN="+oidc)
	if build, err := os.UserCacheDir(); err == nil { // which is elsewhere for the command
		command.Env = append(command.Env, "GOCACHE="+filepath.Join(build, "go-build"))
	}
	if terraform, err := exec.LookPath("terraform"); err == nil {
		command.Env = append(command.Env, "TF_ACC_TERRAFORM_PATH="+terraform)
	}
	out, err := command.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "--- ") {
			t.Log(strings.TrimSpace(line))
		}
	}
}
