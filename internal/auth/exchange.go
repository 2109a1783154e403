package auth

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
)

// upstream is where a workload has its own OIDC token from.
type upstream interface {
	// identityToken gets one, a new one each time if possible. The error never shows any of it.
	identityToken(ctx context.Context) (string, error)
}

// exchanged is a source that trades a workload's own OIDC token for one of the platform's.
type exchanged struct {
	label    string
	upstream upstream
	sts      sts
}

func (e exchanged) name() string { return e.label }

func (e exchanged) token(ctx context.Context) (issued, error) {
	identityToken, err := e.upstream.identityToken(ctx)
	if err != nil {
		return issued{}, err
	}
	return e.sts.exchange(ctx, identityToken)
}

// sts is the platform's security token service.
type sts struct {
	issuer    string
	audience  string
	identity  string // to be assumed, empty to leave the choice to the STS
	userAgent string
	timeout   time.Duration
	now       func() time.Time
	wait      func(context.Context, time.Duration) error
}

const (
	exchangeTries = 3
	firstPause    = 100 * time.Millisecond
)

// exchange trades a third party's OIDC token for one of the platform's. It has no effect on the platform, so that it is
// repeated when the STS is not available for the moment. All of it together has to be done within the timeout.
func (s sts) exchange(ctx context.Context, identityToken string) (issued, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()

	request, answer := newSTSMessage("ExchangeRequest"), newSTSMessage("RawToken")
	request.appendText("aud", s.audience)
	request.setText("identity", s.identity)
	err := retry(ctx, s.wait, retryUnavailable, func() error {
		return s.call(ctx, identityToken, stsExchange, request, answer)
	})
	if err != nil {
		return issued{}, s.explainExchange(err, identityToken)
	}
	return s.read(answer)
}

// refresh spends a refresh token. The STS hands out another in exchange, empty if the old one stays good. It is not
// repeated: an answer that got lost has spent the token.
func (s sts) refresh(ctx context.Context, refreshToken string) (token issued, rotated string, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()

	request, answer := newSTSMessage("ExchangeRefreshTokenRequest"), newSTSMessage("TokenPair")
	request.appendText("aud", s.audience)
	if err := s.call(ctx, refreshToken, stsExchangeRefreshToken, request, answer); err != nil {
		return issued{}, "", s.explain(err, refreshToken)
	}
	if token, err = s.read(answer.message("token")); err != nil {
		return issued{}, "", err
	}
	if rotated = answer.message("refresh_token").text("token"); rotated != "" && usable(rotated) != nil {
		rotated = ""
	}
	return token, rotated, nil
}

// read reads the token in an answer.
func (s sts) read(raw stsMessage) (issued, error) {
	token := raw.text("token")
	if err := usable(token); err != nil {
		return issued{}, fmt.Errorf("the issuer %s gave an answer %w", s.issuer, err)
	}
	return newlyIssued(token, raw.time("expiry"), s.now()), nil
}

// call makes one call with a connection of its own: calls are an hour apart, and a connection that failed would not be
// tried again for a second.
func (s sts) call(ctx context.Context, bearer, method string, request, answer stsMessage) error {
	if err := usable(bearer); err != nil {
		return fmt.Errorf("the token to be exchanged is one %w", err)
	}
	conn, err := platform.Dial(s.issuer, s.userAgent)
	if err != nil {
		return err
	}
	defer conn.Close()
	// Nothing else goes along, whatever the caller's own call carries.
	ctx = metadata.NewOutgoingContext(ctx, metadata.Pairs("authorization", "Bearer "+bearer))
	return conn.Invoke(ctx, method, request.Interface(), answer.Interface())
}

// explainExchange says why the STS did not exchange a token, and what to do about it.
func (s sts) explainExchange(err error, identityToken string) error {
	explained := s.explain(err, identityToken)
	switch status.Code(err) {
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
			quote(c.issuer), quote(c.subject), quote(strings.Join(c.audience, ", ")))
		if !c.expiry.IsZero() && !s.now().Before(c.expiry) {
			advice += ", and expired at " + c.expiry.UTC().Format(time.RFC3339)
		}
	}
	return fmt.Errorf("%w. %s", explained, advice)
}

// explain puts an error of a call into words that are safe to show. The text of err may hold anything.
func (s sts) explain(err error, bearer string) error {
	st, ok := status.FromError(err)
	if !ok && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
		st, ok = status.FromContextError(err), true
	}
	if !ok {
		return errors.New(quote(err.Error(), bearer))
	}
	said := quote(st.Message(), bearer)
	switch st.Code() {
	case codes.DeadlineExceeded:
		return fmt.Errorf("the issuer %s did not answer within %s (request_timeout)", s.issuer, s.timeout)
	case codes.Unavailable:
		return fmt.Errorf("the issuer %s cannot be reached: %s", s.issuer, said)
	default:
		return fmt.Errorf("the issuer %s refused: %s: %s", s.issuer, st.Code(), said)
	}
}

// usable says whether text can be sent as a token. The error reads on after "an answer" or "one".
func usable(text string) error {
	switch {
	case text == "":
		return errors.New("without a token in it")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("with spaces or other characters that no token has")
	}
	return nil
}

func retryUnavailable(err error) bool { return status.Code(err) == codes.Unavailable }

// retry does something up to three times, with a pause between that grows and differs from process to process.
func retry(ctx context.Context, wait func(context.Context, time.Duration) error, again func(error) bool, do func() error) error {
	pause := firstPause
	for try := 1; ; try++ {
		err := do()
		if err == nil || try == exchangeTries || !again(err) {
			return err
		}
		if wait(ctx, pause+rand.N(pause)) != nil { //nolint:gosec // G404: jitter needs no secrecy.
			return err // What went wrong says more than that time is up.
		}
		pause *= 2
	}
}
