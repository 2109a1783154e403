package auth

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestReadClaims(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_800_000_000, 0)
	for name, test := range map[string]struct {
		token string
		want  claims
		wrong bool
	}{
		"everything": {
			token: jwt(`{"iss":"https://i.example","sub":"s","aud":"a","iat":1799996400,"exp":1800000000}`),
			want:  claims{issuer: "https://i.example", subject: "s", audience: []string{"a"}, issuedAt: at.Add(-time.Hour), expiry: at},
		},
		"several audiences":           {token: jwt(`{"aud":["a","b"]}`), want: claims{audience: []string{"a", "b"}}},
		"an expiry in parts":          {token: jwt(`{"exp":1800000000.75}`), want: claims{expiry: at}},
		"an expiry of null":           {token: jwt(`{"exp":null}`)},
		"nothing":                     {token: jwt(`{}`)},
		"null":                        {token: jwt(`null`)},
		"an expiry of text":           {token: jwt(`{"exp":"tomorrow"}`), wrong: true},
		"an expiry at 0":              {token: jwt(`{"exp":0}`), wrong: true},
		"an expiry before 0":          {token: jwt(`{"exp":-5}`), wrong: true},
		"an expiry too far":           {token: jwt(`{"exp":1e300}`), wrong: true},
		"an audience of 1":            {token: jwt(`{"aud":1}`), wrong: true},
		"claims in a list":            {token: jwt(`[]`), wrong: true},
		"half a claim":                {token: jwt(`{"exp":`), wrong: true},
		"no token":                    {token: "", wrong: true},
		"two parts":                   {token: "e30.e30", wrong: true},
		"four parts":                  {token: "e30.e30.e30.e30", wrong: true},
		"a header that is not JSON":   {token: "YWJj.e30.e30", wrong: true},
		"a header that is not base64": {token: "!.e30.e30", wrong: true},
		"an invalid signature":        {token: "e30.e30.!", wrong: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := readClaims(test.token)
			if (err != nil) != test.wrong {
				t.Fatalf("%v", err)
			}
			if got.issuer != test.want.issuer || got.subject != test.want.subject || !slices.Equal(got.audience, test.want.audience) ||
				!got.issuedAt.Equal(test.want.issuedAt) || !got.expiry.Equal(test.want.expiry) {
				t.Errorf("%+v, want %+v", got, test.want)
			}
		})
	}
}

func TestNewlyIssued_toleratesAWrongClock(t *testing.T) {
	t.Parallel()
	hour := jwt(`{"iat":1800000000,"exp":1800003600}`)
	issuedAt := time.Unix(1_800_000_000, 0)
	for name, test := range map[string]struct {
		token    string
		stated   time.Time
		now      time.Time
		lifetime time.Duration
	}{
		"the local clock is right":                    {hour, time.Time{}, issuedAt, time.Hour},
		"the local clock is slightly ahead":           {hour, time.Time{}, issuedAt.Add(time.Minute), 59 * time.Minute},
		"the local clock is far ahead":                {hour, time.Time{}, issuedAt.Add(24 * time.Hour), time.Hour},
		"the local clock is far behind":               {hour, time.Time{}, issuedAt.Add(-24 * time.Hour), time.Hour},
		"the issuer states it":                        {"opaque", issuedAt.Add(time.Minute), issuedAt, time.Minute},
		"neither states it":                           {"opaque", time.Time{}, issuedAt, 0},
		"the token does not state when it was issued": {jwt(`{"exp":1800000600}`), time.Time{}, issuedAt, 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := newlyIssued(test.token, test.stated, test.now)
			if got.lifetime != test.lifetime {
				t.Errorf("lifetime %s, want %s", got.lifetime, test.lifetime)
			}
			if test.lifetime > 0 && !got.expiry.Equal(test.now.Add(test.lifetime)) {
				t.Errorf("expires at %s by the local clock, want %s", got.expiry, test.now.Add(test.lifetime))
			}
		})
	}
}

func TestRefreshTokenExpiry(t *testing.T) {
	t.Parallel()
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for token, want := range map[string]time.Time{
		encode(`{"exp":1800000000}`): time.Unix(1_800_000_000, 0),
		encode(`{}`):                 {},
		encode(`[]`):                 {},
		"opaque":                     {},
		"":                           {},
	} {
		if got := refreshTokenExpiry(token); !got.Equal(want) {
			t.Errorf("%q: %s, want %s", token, got, want)
		}
	}
}

func FuzzReadClaims(f *testing.F) {
	f.Add(jwt(`{"iss":"https://i.example","sub":"s","aud":["a","b"],"iat":1799996400,"exp":1800000000}`))
	f.Add(jwt(`{"exp":1e300,"aud":"a"}`))
	f.Add(jwt(`{"exp":-1}`))
	f.Add("e30.e30.e30")
	f.Add("...")
	f.Add("eyJhbGciOiJub25lIn0.bnVsbA.")
	f.Fuzz(func(t *testing.T, token string) {
		c, err := readClaims(token)
		if err != nil {
			if !errors.Is(err, errNotJWT) {
				t.Errorf("an error that may show parts of the token: %v", err)
			}
			return
		}
		if !looksLikeJWT(token) {
			t.Error("it can be read, but does not look like a JWT")
		}
		for _, at := range []time.Time{c.issuedAt, c.expiry} {
			if _, err := at.MarshalText(); err != nil {
				t.Errorf("a time that RFC 3339 cannot represent: %v", err)
			}
		}
		now := time.Unix(1_800_000_000, 0)
		i := newlyIssued(token, time.Time{}, now)
		if !i.expiry.IsZero() && i.renewAt(now).After(i.expiry) && i.expiry.After(now) {
			t.Errorf("renewed at %s, after its expiry at %s", i.renewAt(now), i.expiry)
		}
		refreshTokenExpiry(strings.ReplaceAll(token, ".", ""))
	})
}
