package emulator_test

import (
	"io"
	"net/http"
	"net/url"
	"testing"

	sdkauth "chainguard.dev/sdk/auth"
	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/sts"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

const callback = "http://localhost:12345/callback?token=true&error=true"

// visit sends a browser to the sign-in page, and returns what the redirect carries, or the status if there is none.
func (p *platform) visit(t *testing.T, query url.Values) (status int, carried url.Values) {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL()+"/oauth?"+query.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusFound {
		return response.StatusCode, nil
	}
	location, err := response.Location()
	if err != nil {
		t.Fatal(err)
	}
	if location.Host != "localhost:12345" || location.Path != "/callback" {
		t.Errorf("sent back to %s", location)
	}
	return response.StatusCode, location.Query()
}

func TestBrowser_signIn(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	_, carried := p.visit(t, url.Values{
		"exit": {"redirect"}, "redirect": {callback}, "client_id": {"auth0"}, "connection": {"google-oauth2"},
		"audience": {p.Audience()}, "create_refresh_token": {"true"},
	})
	if carried.Has("error") {
		t.Fatalf("failed: %v", carried)
	}
	if _, err := p.create(as(t.Context(), carried.Get("token")), nil); err != nil {
		t.Errorf("using the token: %v", err)
	}
	if _, _, err := sts.New(p.URL(), p.Audience()).Refresh(t.Context(), carried.Get("refresh_token")); err != nil {
		t.Errorf("using the refresh token: %v", err)
	}
	if p.Count("oauth") != 1 {
		t.Errorf("counted %v", p.Counts())
	}
}

func TestBrowser_signingInByAnOrganizationsName(t *testing.T) {
	t.Parallel()
	p := start(t, people())
	created := p.mustCreate(t, func(r *iam.CreateGroupInviteRequest) { r.GroupInvite.SingleUse = true })
	_, carried := p.visit(t, url.Values{
		"exit": {"redirect"}, "redirect": {callback}, "idp_id": {"acme.example"},
		"identity": {p.Identity("stranger")}, "invite": {created.GetCode()},
	})
	if _, subject, err := sdkauth.ExtractIssuerAndSubject(carried.Get("token")); err != nil || subject != p.Identity("stranger") {
		t.Errorf("signed in as %s, %v (%v)", subject, err, carried)
	}
	if carried.Has("refresh_token") {
		t.Error("a refresh token that was not asked for")
	}
	if len(p.Invites()) != 0 {
		t.Error("the invite was not accepted")
	}
}

func TestBrowser_signInsThatFailSaySoInTheRedirect(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	tests := map[string]struct {
		query  url.Values
		status string
	}{
		"no way to sign in":     {url.Values{}, "400"},
		"two ways":              {url.Values{"client_id": {"auth0"}, "idp_id": {"acme.example"}}, "400"},
		"an unknown name":       {url.Values{"idp_id": {"unknown.example"}}, "404"},
		"an unknown identity":   {url.Values{"client_id": {"auth0"}, "identity": {"unknown"}}, "404"},
		"an unknown invitation": {url.Values{"client_id": {"auth0"}, "invite": {"unknown"}}, "404"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.query.Set("exit", "redirect")
			test.query.Set("redirect", callback)
			_, carried := p.visit(t, test.query)
			if carried.Get("status_code") != test.status || carried.Get("error") == "" || carried.Has("token") {
				t.Errorf("carried %v", carried)
			}
		})
	}
}

func TestBrowser_isOnlySentToLoopback(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	for _, redirect := range []string{"https://elsewhere.example.com/", "", "://"} {
		if status, _ := p.visit(t, url.Values{"exit": {"redirect"}, "redirect": {redirect}, "client_id": {"auth0"}}); status != http.StatusBadRequest {
			t.Errorf("%q: answered %d", redirect, status)
		}
	}
	if status, _ := p.visit(t, url.Values{"redirect": {callback}, "client_id": {"auth0"}}); status != http.StatusBadRequest {
		t.Errorf("without exit=redirect: answered %d", status)
	}
}

func TestBrowser_issuerKnowsVerifiedOrganizations(t *testing.T) {
	t.Parallel()
	p := start(t, emulator.Seed{})
	for name, want := range map[string]string{"acme.example": "true\n", "platform": "false\n", "unknown": "false\n"} {
		response, err := http.Get(p.URL() + "/orgcheck?name=" + name)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || string(text) != want {
			t.Errorf("is %s a verified organization: %q, %v", name, text, err)
		}
	}
}
