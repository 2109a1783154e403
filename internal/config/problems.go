package config

import (
	"fmt"
	"strings"
)

// Problem is something to tell the user about a setting.
type Problem struct {
	Attribute string // the attribute at fault, empty where there is none
	Warning   bool
	Summary   string
	Detail    string
}

// invalid is the problem that a setting cannot be what some place says. The one setting that is no attribute of the
// provider block has none.
func invalid(attribute string, from level, origin string, err error) Problem {
	switch from {
	case levelFile:
		return Problem{
			Warning: true,
			Summary: "Setting in chainctl's Config File Ignored",
			Detail:  fmt.Sprintf("%s: %s. The default is used instead.", origin, err),
		}
	case levelEnvironment:
		if attribute != "" {
			origin += ", which sets the provider's " + attribute
		}
		return Problem{
			Attribute: attribute,
			Summary:   "Invalid Environment Variable",
			Detail:    fmt.Sprintf("%s: %s.", origin, err),
		}
	default:
		return Problem{
			Attribute: attribute,
			Summary:   "Invalid Provider Configuration",
			Detail:    fmt.Sprintf("The provider's %s: %s.", attribute, err),
		}
	}
}

func contradiction(attributes []string) Problem {
	return Problem{
		Attribute: attributes[len(attributes)-1],
		Summary:   "Contradicting Ways to Sign In",
		Detail: fmt.Sprintf("%s are set together, but each of them chooses the identity provider for signing in by browser. "+
			"Keep one of them.", strings.Join(attributes, " and ")),
	}
}
