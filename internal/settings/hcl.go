package settings

import "fmt"

// Value is one attribute of the provider block as Terraform hands it over; the zero Value is one that is not set. It
// never prints its text, which may be a token.
type Value struct {
	Text    string
	Set     bool
	Unknown bool // set, to something that is known after apply only
}

// known reports whether the attribute is set, to a text that is known.
func (v Value) known() bool { return v.Set && !v.Unknown }

// String says of what kind the value is.
func (v Value) String() string {
	switch {
	case v.Unknown:
		return "unknown"
	case v.Set:
		return "set"
	default:
		return "not set"
	}
}

// Format says of what kind the value is, whatever the verb.
func (v Value) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(v.String())) }

// Block is the provider block. The zero Block is an empty one.
type Block struct {
	API, Audience, Issuer Value
	Config                Value
	Group                 Value
	Token                 Value
	Identity              Value
	IdentityToken         Value
	IdentityProvider      Value
	OrgName               Value
	SocialLogin           Value
	Login                 Value
	RequestTimeout        Value
}

const (
	originBlock   = "the provider block"
	originDefault = "the default"
)

// attribute describes one attribute of the provider block and all other places its value can come from.
type attribute struct {
	name      string
	variables []string // environment variables, the first that is set wins
	key       string   // in chainctl's config file, empty if it has none
	fallback  string   // the default, empty if it has none or depends on another setting
	fromBlock func(*Block) Value

	// accept stores the value, put into its canonical form, or says what is wrong with it. The error never quotes a
	// value that may be a secret.
	accept func(text string, env Environment, s *Settings) error
}

// attributes is the whole provider block but for config, which has to be settled before the others. Beside our own
// names, environment variables are those of chainctl, which takes any key of its config file as a variable, and those
// of the official provider.
var attributes = []attribute{
	{
		name:      "api",
		variables: []string{"CHAINGUARD_PLATFORM_API", "CHAINGUARD_CONSOLE_API"},
		key:       "platform.api",
		fallback:  DefaultAPI,
		fromBlock: func(b *Block) Value { return b.API },
		accept:    store(checkURL, func(s *Settings) *string { return &s.API }),
	},
	{
		name:      "audience",
		variables: []string{"CHAINGUARD_PLATFORM_AUDIENCE", "CHAINGUARD_AUDIENCE"},
		key:       "platform.audience",
		fromBlock: func(b *Block) Value { return b.Audience },
		accept:    store(checkAudience, func(s *Settings) *string { return &s.Audience }),
	},
	{
		name:      "issuer",
		variables: []string{"CHAINGUARD_PLATFORM_ISSUER"},
		key:       "platform.issuer",
		fromBlock: func(b *Block) Value { return b.Issuer },
		accept:    store(checkURL, func(s *Settings) *string { return &s.Issuer }),
	},
	{
		name:      "group",
		variables: []string{"CHAINGUARD_DEFAULT_GROUP"},
		key:       "default.group",
		fromBlock: func(b *Block) Value { return b.Group },
		accept:    store(checkName, func(s *Settings) *string { return &s.Group }),
	},
	{
		name:      "token",
		variables: []string{"CHAINGUARD_TOKEN"},
		fromBlock: func(b *Block) Value { return b.Token },
		accept:    store(checkToken, func(s *Settings) *string { return &s.Token }),
	},
	{
		name:      "identity",
		variables: []string{"CHAINGUARD_IDENTITY", "TF_CHAINGUARD_IDENTITY"},
		fromBlock: func(b *Block) Value { return b.Identity },
		accept:    store(checkUIDP, func(s *Settings) *string { return &s.Identity }),
	},
	{
		name:      "identity_token",
		variables: []string{"CHAINGUARD_IDENTITY_TOKEN", "TF_CHAINGUARD_IDENTITY_TOKEN"},
		fromBlock: func(b *Block) Value { return b.IdentityToken },
		accept:    store(checkIdentityToken, func(s *Settings) *string { return &s.IdentityToken }),
	},
	{
		name:      "identity_provider",
		variables: []string{"TF_CHAINGUARD_IDP", "CHAINGUARD_DEFAULT_IDENTITY_PROVIDER"},
		key:       "default.identity-provider",
		fromBlock: func(b *Block) Value { return b.IdentityProvider },
		accept:    store(checkUIDP, func(s *Settings) *string { return &s.IdentityProvider }),
	},
	{
		name:      "org_name",
		variables: []string{"TF_CHAINGUARD_ORG_NAME", "CHAINGUARD_DEFAULT_ORG_NAME"},
		key:       "default.org-name",
		fromBlock: func(b *Block) Value { return b.OrgName },
		accept:    store(checkName, func(s *Settings) *string { return &s.OrgName }),
	},
	{
		name:      "social_login",
		variables: []string{"TF_CHAINGUARD_AUTH0_CONNECTION", "CHAINGUARD_DEFAULT_SOCIAL_LOGIN"},
		key:       "default.social-login",
		fromBlock: func(b *Block) Value { return b.SocialLogin },
		accept:    store(checkSocialLogin, func(s *Settings) *string { return &s.SocialLogin }),
	},
	{
		name:      "login",
		variables: []string{"CHAINGUARD_LOGIN"},
		fallback:  LoginNever,
		fromBlock: func(b *Block) Value { return b.Login },
		accept:    store(checkLogin, func(s *Settings) *string { return &s.Login }),
	},
	{
		name:      "request_timeout",
		variables: []string{"CHAINGUARD_REQUEST_TIMEOUT"},
		fallback:  DefaultRequestTimeout.String(),
		fromBlock: func(b *Block) Value { return b.RequestTimeout },
		accept: func(text string, _ Environment, s *Settings) error {
			timeout, err := parseTimeout(text)
			s.RequestTimeout = timeout
			return err
		},
	},
}

// store makes an attribute's accept from a check of its text and the place it is kept in.
func store(check func(string) (string, error), field func(*Settings) *string) func(string, Environment, *Settings) error {
	return func(text string, _ Environment, s *Settings) error {
		value, err := check(text)
		*field(s) = value
		return err
	}
}

// signInChoices are the attributes of which at most one can be followed when signing in by browser.
var signInChoices = []string{"identity_provider", "org_name", "social_login"}

func signInField(s *Settings, attribute string) *string {
	switch attribute {
	case "identity_provider":
		return &s.IdentityProvider
	case "org_name":
		return &s.OrgName
	default:
		return &s.SocialLogin
	}
}
