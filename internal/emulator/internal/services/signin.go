package services

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"chainguard.dev/sdk/uidp"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/store"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator/internal/token"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/loopback"
)

// Pages returns the pages of the issuer, by name.
func Pages(st *store.Store, issuer *Issuer) map[string]http.HandlerFunc {
	s := &signIn{store: st, issuer: issuer}
	return map[string]http.HandlerFunc{
		"oauth":    s.oauth,
		"orgcheck": s.organizationCheck,
	}
}

// signIn serves the pages of the issuer.
type signIn struct {
	store  *store.Store
	issuer *Issuer
}

// oauth is the page to which a client sends the browser to sign in. It asks for no password: it signs in the requested
// identity, or else the administrator.
func (s *signIn) oauth(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	back, err := url.Parse(query.Get("redirect"))
	if err != nil || !loopback.IsHost(back.Hostname()) {
		http.Error(w, "the redirect must be a loopback URL", http.StatusBadRequest)
		return
	}
	if query.Get("exit") != "redirect" {
		http.Error(w, "only the flow that ends in a redirect is supported: set exit=redirect", http.StatusBadRequest)
		return
	}
	tokens, err := s.tokens(query)
	if err != nil {
		tokens = url.Values{
			"error":       {status.Convert(err).Message()},
			"status_code": {strconv.Itoa(runtime.HTTPStatusFromCode(status.Code(err)))},
		}
	}
	// A client's own parameters stay, but must not look like the result.
	callback := back.Query()
	callback.Del("token")
	callback.Del("error")
	for name, values := range tokens {
		callback[name] = values
	}
	back.RawQuery = callback.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// tokens returns the tokens for a sign-in.
func (s *signIn) tokens(query url.Values) (url.Values, error) {
	provider, client := query.Get("idp_id"), query.Get("client_id")
	switch {
	case (provider == "") == (client == ""):
		return nil, failure(codes.InvalidArgument, "INVALID_ARGUMENT", "exactly one of idp_id and client_id is needed")
	case provider != "" && !uidp.Valid(provider) && !s.store.VerifiedOrganization(provider):
		return nil, failure(codes.NotFound, "NOT_FOUND", "there is no verified organization \""+provider+"\"")
	}
	uid := query.Get("identity")
	if uid == "" {
		uid = s.store.Admin
	}
	identity := s.store.Identities[uid]
	if identity == nil {
		return nil, notFound("Identity", uid)
	}
	if code := query.Get("invite"); code != "" {
		if _, err := s.issuer.Accept(code, uid, &token.Claims{Email: identity.Email}); err != nil {
			return nil, err
		}
	}

	c := token.Claims{Subject: uid, Audience: []string{s.issuer.Audience()}}
	if asked := query.Get("audience"); asked != "" {
		c.Audience = strings.Split(asked, ",")
	}
	for _, scope := range query["scope"] {
		if plain, err := url.QueryUnescape(scope); err == nil { // clients escape it once more than needed
			scope = plain
		}
		c.Scopes = append(c.Scopes, scope)
	}
	tokens := url.Values{"token": {s.issuer.accessToken(c).GetToken()}}
	if query.Get("create_refresh_token") == "true" {
		refresh, _ := s.issuer.IssueRefresh(uid, refreshTokenLifetime)
		tokens.Set("refresh_token", refresh)
	}
	return tokens, nil
}

// organizationCheck reports whether there is a verified organization of a name, for clients that sign in by name.
func (s *signIn) organizationCheck(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintln(w, s.store.VerifiedOrganization(r.URL.Query().Get("name"))) // fails only if the caller is gone
}
