package config

import "fmt"

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

// Value is one attribute of the provider block as Terraform hands it over; the zero Value is one that is not set. It
// never prints its text, which may be a token.
type Value struct {
	Text    string
	Set     bool
	Unknown bool // set, to something that is known after apply only
}

// known reports whether the attribute is set, to a text that is known.
func (v Value) known() bool { return v.Set && !v.Unknown }

// Format says of what kind the value is, whatever the verb.
func (v Value) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(v.String())) }

// MarshalText says of what kind the value is: Terraform's log, whose lines are JSON, asks for this.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

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
