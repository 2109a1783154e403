package auth

import (
	"cmp"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/config"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/rpc"
)

// headlessPoll is how often to ask the issuer whether the user has signed in.
const headlessPoll = 2 * time.Second

// headless is the source that asks the user to sign in with a browser on any machine, as `chainctl auth login
// --headless` does. The URL contains a public key, which the issuer encrypts the token to. It does not use the SDK's
// package, which depends on its protobuf messages.
type headless struct{ person }

func (h headless) name() string { return "headless sign-in" }

func (h headless) get(ctx context.Context) (token, error) {
	if h.settings.Login != config.LoginHeadless {
		return token{}, errors.New(`not offered, as login is not "headless" (in the provider block or CHAINGUARD_LOGIN)`)
	}
	ctx, cancel := context.WithTimeout(ctx, personTimeout)
	defer cancel()

	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return token{}, err
	}
	code := base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes())
	query := h.identityProvider()
	query.Set("headless_code", code)
	page := h.settings.Issuer + "/oauth?" + query.Encode()
	if h.show(page) != nil {
		return token{}, fmt.Errorf("this process has no terminal to show a URL on. Run `chainctl auth login --headless --audience %s` first",
			h.settings.Audience)
	}

	session, err := h.poll(ctx, code)
	pending, _ := isPending(err)
	temporary, _ := isTemporary(err)
	switch {
	case err == nil:
	case ctx.Err() != nil, pending && !temporary:
		return token{}, absent(page)
	default:
		return token{}, h.sts.explain(err)
	}
	idToken, err := session.decrypt(key)
	if err != nil || usable(idToken) != nil {
		return token{}, fmt.Errorf("the issuer %s sent back a token that cannot be read", h.settings.Issuer)
	}
	h.options.Secrets.Add(idToken)
	// The token may be for the platform already, or one to exchange at the STS.
	issued, err := h.cache.check(idToken)
	if err != nil {
		if issued, err = h.sts.exchange(ctx, idToken); err != nil {
			return token{}, err
		}
	}
	_ = h.cache.save(context.WithoutCancel(ctx), issued.access, "")
	return issued, nil
}

// errPending reports that the user has not signed in yet.
var errPending = errors.New("not signed in yet")

// poll asks the issuer until the user has signed in.
func (h headless) poll(ctx context.Context, code string) (session headlessSession, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet,
		h.settings.Issuer+"/sts/headless_sessions?"+url.Values{"code": {code}}.Encode(), nil)
	if err != nil {
		return session, err
	}
	client, err := bearerClient(request.URL)
	if err != nil {
		return session, err
	}
	request.Header.Set("User-Agent", h.options.UserAgent)
	policy := rpc.Policy{First: headlessPoll, Max: headlessPoll, Until: h.options.Clock.Now().Add(personTimeout)}
	err = rpc.Retry(ctx, h.options.Clock, policy, isPending, func() error {
		body, err := h.sts.http.do(ctx, client, once, request)
		if err != nil {
			return err
		}
		if json.Unmarshal(body, &session) != nil || session.token() == nil {
			return errPending
		}
		return nil
	})
	return session, err
}

// isPending reports whether to poll again, for [rpc.Retry]. The issuer's status before the sign-in is undocumented, so
// it accepts the likely ones.
func isPending(err error) (again bool, after time.Duration) {
	code, _ := stsStatus(err)
	again, after = isTemporary(err)
	return again || errors.Is(err, errPending) || code == codes.NotFound || code == codes.FailedPrecondition, after
}

// headlessSession is the issuer's response. A gRPC gateway may write names in camel case or in snake case.
type headlessSession struct {
	Key    []byte `json:"ecdhPublicKey"`
	Key2   []byte `json:"ecdh_public_key"`
	Token  []byte `json:"encryptedIdtoken"`
	Token2 []byte `json:"encrypted_idtoken"`
}

func (s headlessSession) token() []byte {
	if len(s.Token) > 0 {
		return s.Token
	}
	return s.Token2
}

// decrypt returns the token, which is encrypted with AES-GCM under the ECDH shared secret, and prefixed with the nonce.
func (s headlessSession) decrypt(key *ecdh.PrivateKey) (string, error) {
	theirs, err := base64.RawURLEncoding.DecodeString(cmp.Or(string(s.Key), string(s.Key2)))
	if err != nil {
		return "", err
	}
	public, err := ecdh.X25519().NewPublicKey(theirs)
	if err != nil {
		return "", err
	}
	shared, err := key.ECDH(public)
	if err != nil {
		return "", err
	}
	block, err := aes.NewCipher(shared)
	if err != nil {
		return "", err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return "", err
	}
	sealed := s.token()
	if len(sealed) < gcm.NonceSize() {
		return "", errors.New("too short")
	}
	plain, err := gcm.Open(nil, sealed[:gcm.NonceSize()], sealed[gcm.NonceSize():], nil)
	return string(plain), err
}
