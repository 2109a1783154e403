package config

import "slices"

// attribute describes one attribute of the provider block and all other places its value can come from.
type attribute struct {
	name      string
	variables []string // environment variables, the first that is set wins
	key       string   // in chainctl's config file, empty if it has none
	fallback  string   // the default, empty if it has none or depends on another setting
	fromBlock func(*Block) Value
	signIn    bool // whether it is one of the three ways to choose the identity provider

	// check puts the attribute's text into its canonical form, or says what is wrong with it. The error never quotes a
	// value that may be a secret. field is where the settings keep that form. Both are nil for request_timeout, which
	// they keep as a duration.
	check func(text string) (string, error)
	field func(*Settings) *string
}

// accept stores what the attribute is set to, or says what is wrong with it.
func (a attribute) accept(text string, s *Settings) (err error) {
	if a.field == nil {
		s.RequestTimeout, err = parseTimeout(text)
		return err
	}
	*a.field(s), err = a.check(text)
	return err
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
		check:     checkURL,
		field:     func(s *Settings) *string { return &s.API },
	},
	{
		name:      "audience",
		variables: []string{"CHAINGUARD_PLATFORM_AUDIENCE", "CHAINGUARD_AUDIENCE"},
		key:       "platform.audience",
		fromBlock: func(b *Block) Value { return b.Audience },
		check:     checkAudience,
		field:     func(s *Settings) *string { return &s.Audience },
	},
	{
		name:      "issuer",
		variables: []string{"CHAINGUARD_PLATFORM_ISSUER"},
		key:       "platform.issuer",
		fromBlock: func(b *Block) Value { return b.Issuer },
		check:     checkURL,
		field:     func(s *Settings) *string { return &s.Issuer },
	},
	{
		name:      "group",
		variables: []string{"CHAINGUARD_DEFAULT_GROUP"},
		key:       "default.group",
		fromBlock: func(b *Block) Value { return b.Group },
		check:     checkGroup,
		field:     func(s *Settings) *string { return &s.Group },
	},
	{
		name:      "token",
		variables: []string{"CHAINGUARD_TOKEN"},
		fromBlock: func(b *Block) Value { return b.Token },
		check:     checkToken,
		field:     func(s *Settings) *string { return &s.Token },
	},
	{
		name:      "identity",
		variables: []string{"CHAINGUARD_IDENTITY", "TF_CHAINGUARD_IDENTITY"},
		fromBlock: func(b *Block) Value { return b.Identity },
		check:     checkUIDP,
		field:     func(s *Settings) *string { return &s.Identity },
	},
	{
		name:      "identity_token",
		variables: []string{"CHAINGUARD_IDENTITY_TOKEN", "TF_CHAINGUARD_IDENTITY_TOKEN"},
		fromBlock: func(b *Block) Value { return b.IdentityToken },
		check:     checkIdentityToken,
		field:     func(s *Settings) *string { return &s.IdentityToken },
	},
	{
		name:      "identity_provider",
		variables: []string{"TF_CHAINGUARD_IDP", "CHAINGUARD_DEFAULT_IDENTITY_PROVIDER"},
		key:       "default.identity-provider",
		fromBlock: func(b *Block) Value { return b.IdentityProvider },
		signIn:    true,
		check:     checkUIDP,
		field:     func(s *Settings) *string { return &s.IdentityProvider },
	},
	{
		name:      "org_name",
		variables: []string{"TF_CHAINGUARD_ORG_NAME", "CHAINGUARD_DEFAULT_ORG_NAME"},
		key:       "default.org-name",
		fromBlock: func(b *Block) Value { return b.OrgName },
		signIn:    true,
		check:     checkOrgName,
		field:     func(s *Settings) *string { return &s.OrgName },
	},
	{
		name:      "social_login",
		variables: []string{"TF_CHAINGUARD_AUTH0_CONNECTION", "CHAINGUARD_DEFAULT_SOCIAL_LOGIN"},
		key:       "default.social-login",
		fromBlock: func(b *Block) Value { return b.SocialLogin },
		signIn:    true,
		check:     checkSocialLogin,
		field:     func(s *Settings) *string { return &s.SocialLogin },
	},
	{
		name:      "login",
		variables: []string{"CHAINGUARD_LOGIN"},
		fallback:  LoginNever,
		fromBlock: func(b *Block) Value { return b.Login },
		check:     checkLogin,
		field:     func(s *Settings) *string { return &s.Login },
	},
	{
		name:      "request_timeout",
		variables: []string{"CHAINGUARD_REQUEST_TIMEOUT"},
		fallback:  DefaultRequestTimeout.String(),
		fromBlock: func(b *Block) Value { return b.RequestTimeout },
	},
}

// signInChoices are the ways to choose the identity provider. Signing in by browser can follow one of them only.
var signInChoices = slices.DeleteFunc(slices.Clone(attributes), func(a attribute) bool { return !a.signIn })
