package emulator_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// rest makes a call with the admin's token, as curl would.
func (p *platform) rest(t *testing.T, method, path, body string) (code int, answer map[string]any) {
	t.Helper()
	return p.restAs(t, "Bearer "+p.AdminToken(), method, path, body)
}

// list is a list out of a JSON answer, empty if that is something else.
func list(value any) []any {
	l, ok := value.([]any)
	if !ok {
		return nil
	}
	return l
}

func (p *platform) restAs(t *testing.T, authorization, method, path, body string) (code int, answer map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, p.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	request.Header.Set("User-Agent", "curl/8.5.0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got, want := response.Header.Get("Date"), p.clock.Now().Format(http.TimeFormat); got != want {
		t.Errorf("Date: %s, want the emulator's %s", got, want)
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatalf("%s %s answered %s %q, which is not JSON: %v", method, path, response.Status, text, err)
	}
	return response.StatusCode, answer
}

func TestREST_documentedRESTCallsWork(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"v2", "v2beta1"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			p := start(t, emulator.Seed{})
			base := "/iam/" + version

			code, groups := p.rest(t, http.MethodGet, base+"/groups?name=acme.example", "")
			if code != http.StatusOK || len(list(groups["groups"])) != 1 {
				t.Fatalf("groups: %d %v", code, groups)
			}
			code, roles := p.rest(t, http.MethodGet, base+"/roles?name=viewer&page_size=10", "")
			if code != http.StatusOK || len(list(roles["roles"])) != 1 {
				t.Fatalf("roles: %d %v", code, roles)
			}
			code, created := p.rest(t, http.MethodPost, base+"/groupInvites/"+p.Group("platform"),
				`{"roleUid":"`+p.Role("viewer")+`","ttl":"3600s","singleUse":true}`)
			if code != http.StatusOK || created["code"] == "" || created["singleUse"] != true {
				t.Fatalf("created: %d %v", code, created)
			}
			uid := fmt.Sprint(created["uid"])
			code, got := p.rest(t, http.MethodGet, base+"/groupInvites/"+uid, "")
			if code != http.StatusOK || got["uid"] != uid || got["code"] != "" {
				t.Fatalf("got: %d %v", code, got)
			}
			code, invites := p.rest(t, http.MethodGet, base+"/groupInvites?uidp.descendants_of="+p.Group("acme.example")+"&order_by=uid%20desc", "")
			if code != http.StatusOK || len(list(invites["groupInvites"])) != 1 {
				t.Fatalf("invites: %d %v", code, invites)
			}
			if code, answer := p.rest(t, http.MethodDelete, base+"/groupInvites/"+uid, ""); code != http.StatusOK || len(answer) != 0 {
				t.Fatalf("deleted: %d %v", code, answer)
			}
			if code, answer := p.rest(t, http.MethodGet, base+"/groupInvites/"+uid, ""); code != http.StatusNotFound || answer["code"] != 5.0 {
				t.Fatalf("deleted, and yet: %d %v", code, answer)
			}
			if n := p.Count("CreateGroupInvite"); n != 1 {
				t.Errorf("counted %v", p.Counts())
			}
			if r := p.Requests()[0]; !r.REST || r.UserAgent != "curl/8.5.0" || r.Identity != p.AdminIdentity() {
				t.Errorf("logged as %+v", r)
			}
		})
	}
}

func TestREST_updatesWhatTheBodyNames(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	code, answer := p.rest(t, http.MethodPatch, "/iam/v2/groups/"+p.Group("platform"), `{"description":"Changed."}`)
	if code != http.StatusOK || answer["description"] != "Changed." || answer["name"] != "platform" {
		t.Errorf("answered %d %v", code, answer)
	}
}

func TestREST_refusesAsGRPCDoes(t *testing.T) {
	t.Parallel()
	p := start(t, people())
	viewer := "Bearer " + p.Token(p.Identity("viewer"), p.Audience(), time.Hour)
	path := "/iam/v2/groupInvites/" + p.Group("platform")

	tests := map[string]struct {
		authorization, body string
		want                int
	}{
		"without a token":      {"", `{}`, http.StatusUnauthorized},
		"without a capability": {viewer, `{}`, http.StatusForbidden},
		"without a ttl":        {"Bearer " + p.AdminToken(), `{"roleUid":"` + p.Role("viewer") + `"}`, http.StatusBadRequest},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, answer := p.restAs(t, test.authorization, http.MethodPost, path, test.body)
			if code != test.want || len(list(answer["details"])) == 0 {
				t.Errorf("answered %d %v, want %d with details", code, answer, test.want)
			}
		})
	}
}
