package emulator

import (
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"chainguard.dev/sdk/uidp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// pages are what the issuer serves to browsers and to OIDC clients.
func (e *Emulator) pages() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /oauth", e.logged("oauth", e.signIn))
	mux.HandleFunc("GET /orgcheck", e.logged("orgcheck", e.organizationCheck))
	mux.HandleFunc("GET /.well-known/openid-configuration", e.logged("openid-configuration", e.openIDConfiguration))
	mux.HandleFunc("GET /jwks", e.logged("jwks", e.jwks))
	return mux
}

// logged keeps a call that is not an RPC in the log, under a name of its own.
func (e *Emulator) logged(name string, handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		end := e.log.begin(&Request{
			Method:     name,
			FullMethod: r.URL.Path,
			REST:       true,
			Time:       e.clock.Now(),
			UserAgent:  r.UserAgent(),
			Peer:       r.RemoteAddr,
		})
		defer end(nil)
		handler(w, r)
	}
}

// signIn is where a client sends the browser of someone who signs in. Whoever comes is the identity asked for, or else
// the administrator: there is no password to ask for.
func (e *Emulator) signIn(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	back, err := url.Parse(query.Get("redirect"))
	if err != nil || !loopbackHost(back.Hostname()) {
		http.Error(w, "the redirect must be a URL of this machine's loopback", http.StatusBadRequest)
		return
	}
	if query.Get("exit") != "redirect" {
		http.Error(w, `only the flow that ends in a redirect is here: set exit=redirect`, http.StatusBadRequest)
		return
	}
	tokens, err := e.signedIn(query)
	if err != nil {
		tokens = url.Values{
			"error":       {status.Convert(err).Message()},
			"status_code": {strconv.Itoa(httpStatus(err))},
		}
	}
	// What the client puts in the callback's query only says what it wants there.
	callback := back.Query()
	callback.Del("token")
	callback.Del("error")
	for name, values := range tokens {
		callback[name] = values
	}
	back.RawQuery = callback.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// signedIn returns the tokens for whoever signs in.
func (e *Emulator) signedIn(query url.Values) (url.Values, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	provider, client := query.Get("idp_id"), query.Get("client_id")
	switch {
	case (provider == "") == (client == ""):
		return nil, failure(codes.InvalidArgument, "INVALID_ARGUMENT", "exactly one of idp_id and client_id is needed")
	case provider != "" && !uidp.Valid(provider) && !e.store.verified(provider):
		return nil, failure(codes.NotFound, "NOT_FOUND", "there is no verified organization \""+provider+"\"")
	}
	uid := query.Get("identity")
	if uid == "" {
		uid = e.store.admin
	}
	if e.store.identities[uid] == nil {
		return nil, notFound("Identity", uid)
	}
	if code := query.Get("invite"); code != "" {
		if _, err := e.accept(code, uid, &claims{Email: e.store.identities[uid].email}); err != nil {
			return nil, err
		}
	}

	c := claims{Subject: uid, Audience: []string{e.Audience()}}
	if asked := query.Get("audience"); asked != "" {
		c.Audience = strings.Split(asked, ",")
	}
	for _, scope := range query["scope"] {
		if plain, err := url.QueryUnescape(scope); err == nil { // clients escape it once more than needed
			scope = plain
		}
		c.Scopes = append(c.Scopes, scope)
	}
	tokens := url.Values{"token": {e.accessToken(c).GetToken()}}
	if query.Get("create_refresh_token") == "true" {
		refresh, _ := e.newRefreshToken(uid, refreshTokenLife)
		tokens.Set("refresh_token", refresh)
	}
	return tokens, nil
}

func httpStatus(err error) int {
	switch status.Code(err) {
	case codes.InvalidArgument, codes.FailedPrecondition:
		return http.StatusBadRequest
	case codes.NotFound:
		return http.StatusNotFound
	case codes.PermissionDenied:
		return http.StatusForbidden
	default:
		return http.StatusInternalServerError
	}
}

func loopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// verified says that there is a verified organization of this name.
func (s *store) verified(name string) bool {
	for _, g := range s.groups {
		if g.name == name && g.verified && uidp.InRoot(g.uid) {
			return true
		}
	}
	return false
}

// organizationCheck tells a client that signs in by an organization's name whether there is such an organization.
func (e *Emulator) organizationCheck(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	verified := e.store.verified(r.URL.Query().Get("name"))
	e.mu.Unlock()
	respond(w, verified)
}

func (e *Emulator) openIDConfiguration(w http.ResponseWriter, _ *http.Request) {
	respond(w, map[string]any{
		"issuer":                                e.url,
		"authorization_endpoint":                e.url + "/oauth",
		"token_endpoint":                        e.url + "/sts/exchange",
		"jwks_uri":                              e.url + "/jwks",
		"response_types_supported":              []string{"id_token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"EdDSA"},
	})
}

func (e *Emulator) jwks(w http.ResponseWriter, _ *http.Request) {
	respond(w, map[string]any{"keys": []map[string]string{{
		"kty": "OKP",
		"crv": "Ed25519",
		"alg": "EdDSA",
		"use": "sig",
		"kid": keyID,
		"x":   base64.RawURLEncoding.EncodeToString(publicKey(signingKey)),
	}}})
}

func respond(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	b, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(append(b, '\n')) // fails only if the caller is gone
}
