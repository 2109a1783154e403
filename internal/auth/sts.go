package auth

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/rpc"
)

// sts is a client of the platform's security token service. It uses the REST API.
type sts struct {
	http      httpCaller
	issuer    string
	audience  string
	identity  string // to assume, empty to let the STS decide
	userAgent string
	secrets   *redact.Secrets
}

// exchange exchanges another issuer's OIDC token for one of the platform. The call has no side effects, so it is
// retried.
func (s sts) exchange(ctx context.Context, identityToken string) (token, error) {
	query := url.Values{"aud": {s.audience}}
	if s.identity != "" {
		query.Set("identity", s.identity)
	}
	var answer rawToken
	if err := s.post(ctx, repeated, identityToken, "/sts/exchange", query, &answer); err != nil {
		return token{}, s.explainExchange(err, identityToken)
	}
	return s.read(answer)
}

// refresh uses a refresh token. It returns the next one, or "" if the old one stays valid. The call is not retried,
// because the token is used up even if the response is lost.
func (s sts) refresh(ctx context.Context, refreshToken string) (access token, next string, err error) {
	var answer struct {
		Token rawToken `json:"token"`
		// A gRPC gateway may write names in camel case or in snake case.
		RefreshToken rawToken `json:"refreshToken"`
		Next         rawToken `json:"refresh_token"`
	}
	if err := s.post(ctx, once, refreshToken, "/sts/exchange_refresh_token", url.Values{"aud": {s.audience}}, &answer); err != nil {
		return token{}, "", s.explain(err)
	}
	next = cmp.Or(answer.RefreshToken.Token, answer.Next.Token)
	s.secrets.Add(next)
	if usable(next) != nil {
		next = ""
	}
	access, err = s.read(answer.Token)
	return access, next, err
}

// rawToken is a token in a response of the STS.
type rawToken struct {
	Token  string `json:"token"`
	Expiry string `json:"expiry"`
}

// read converts the token in a response.
func (s sts) read(raw rawToken) (token, error) {
	s.secrets.Add(raw.Token)
	if err := usable(raw.Token); err != nil {
		return token{}, fmt.Errorf("the issuer %s gave an answer %w", s.issuer, err)
	}
	stated, err := time.Parse(time.RFC3339, raw.Expiry)
	if err != nil {
		stated = time.Time{} // The token contains its expiry as well.
	}
	return newlyIssued(raw.Token, stated, s.http.clock.Now()), nil
}

// post calls a method of the STS with bearer as the credential.
func (s sts) post(ctx context.Context, policy rpc.Policy, bearer, path string, query url.Values, answer any) error {
	if err := usable(bearer); err != nil {
		return fmt.Errorf("the token to be exchanged is one %w", err)
	}
	s.secrets.Add(bearer)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.issuer+path+"?"+query.Encode(), nil)
	if err != nil {
		return errors.New("the issuer is not a URL")
	}
	client, err := bearerClient(request.URL)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+bearer)
	request.Header.Set("User-Agent", s.userAgent)
	body, err := s.http.do(ctx, client, policy, request)
	if err != nil {
		return err
	}
	if json.Unmarshal(body, answer) != nil {
		return fmt.Errorf("the issuer %s gave an answer that is not JSON: check that it is the issuer's URL", s.issuer)
	}
	return nil
}

// explainExchange describes why the STS rejected a token, and what to do.
func (s sts) explainExchange(err error, identityToken string) error {
	explained := s.explain(err)
	switch code, _ := stsStatus(err); code {
	case codes.Unauthenticated, codes.PermissionDenied, codes.NotFound, codes.InvalidArgument, codes.FailedPrecondition:
	default:
		return explained
	}

	advice := "Check that an assumable identity exists for this workload, and set the provider's identity to its UIDP"
	if s.identity != "" {
		advice = fmt.Sprintf("Check that the identity %s exists, and that the issuer, subject and audience it is bound to "+
			"are those of the token", s.identity)
	}
	if c, err := readClaims(identityToken); err == nil {
		advice += fmt.Sprintf(". The token that was sent has the issuer %q, the subject %q and the audience %q",
			quote(s.secrets, c.issuer), quote(s.secrets, c.subject), quote(s.secrets, strings.Join(c.audience, ", ")))
		if now := s.http.clock.Now(); !c.expiry.IsZero() && !now.Before(c.expiry) {
			advice += ", and " + expired(c.expiry, now)
		}
	} else {
		advice += ". What was sent is not a JWT: if it was meant as the path of a file, there is no such file"
	}
	return fmt.Errorf("%w. %s", explained, advice)
}

// explain converts an error of post to one that is safe to show.
func (s sts) explain(err error) error {
	var noAnswer *unreachable
	var answered *statusError
	switch {
	case errors.As(err, &noAnswer) && noAnswer.timedOut():
		return fmt.Errorf("the issuer %s did not answer within %s (request_timeout)", s.issuer, s.http.timeout)
	case errors.As(err, &noAnswer):
		return fmt.Errorf("the issuer %s cannot be reached: %s", s.issuer, quote(s.secrets, err.Error()))
	case !errors.As(err, &answered):
		return errors.New(quote(s.secrets, err.Error()))
	}
	code, message := stsStatus(err)
	switch code {
	case codes.OK:
		return fmt.Errorf("the issuer %s cannot be reached: the answer (%v) is not that of an issuer. A proxy in between may "+
			"have sent it, or this is not the issuer's URL", s.issuer, answered)
	case codes.Unavailable:
		return fmt.Errorf("the issuer %s is unavailable: %s", s.issuer, quote(s.secrets, message))
	default:
		return fmt.Errorf("the issuer %s refused: %s: %s", s.issuer, code, quote(s.secrets, message))
	}
}

// stsStatus returns the gRPC status in a response of the STS, or OK if it has none.
func stsStatus(err error) (codes.Code, string) {
	var answered *statusError
	if !errors.As(err, &answered) {
		return codes.OK, ""
	}
	var status struct {
		Code    uint32 `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(answered.body, &status) != nil || codes.Code(status.Code) > codes.Unauthenticated {
		return codes.OK, ""
	}
	return codes.Code(status.Code), status.Message
}
