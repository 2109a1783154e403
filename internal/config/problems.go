package config

import (
	"fmt"
	"strings"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// These are the summaries of problems. A test checks that the troubleshooting guide has an entry for each.
const (
	summaryInvalidBlock      = "Invalid Provider Configuration"
	summaryInvalidVariable   = "Invalid Environment Variable"
	summaryVariableNotUsed   = "Environment Variable Not Used"
	summaryConflict          = "Conflicting Sign-In Configuration"
	summaryReadFile          = "Unable to Read chainctl Configuration File"
	summaryFileIgnored       = "chainctl Configuration File Ignored"
	summarySettingIgnored    = "chainctl Configuration Setting Ignored"
	summaryDeprecatedSetting = "Deprecated chainctl Configuration Setting"
)

// Problem is an error or a warning about a setting.
type Problem struct {
	Attribute string // of the provider block, empty if the value is from elsewhere
	Warning   bool
	Summary   string
	Detail    string
}

// Deferrable reports whether the problem is an error outside of the provider block. Report it when the setting is first
// used: if configuring the provider fails, Terraform suggests adding a provider block.
func (p Problem) Deferrable() bool { return p.Attribute == "" && !p.Warning }

// invalid returns the problem of an invalid value.
func invalid(s Setting, text string, o origin, err error) Problem {
	value := ""
	if !s.silent && strings.TrimSpace(text) != "" {
		value = " " + redact.Quote(text)
	}
	switch o.level {
	case levelFile:
		return Problem{
			Warning: true,
			Summary: summarySettingIgnored,
			Detail:  fmt.Sprintf("The value%s of %s %s. It is ignored.", value, o.text, err),
		}
	case levelEnvironment:
		which := ""
		if s.Name != "" {
			which = fmt.Sprintf(", which sets the provider's `%s`,", s.Name)
		}
		return Problem{
			Summary: summaryInvalidVariable,
			Detail:  fmt.Sprintf("The value%s of the environment variable %s%s %s.", value, o.text, which, err),
		}
	default:
		return Problem{
			Attribute: s.Name,
			Summary:   summaryInvalidBlock,
			Detail:    fmt.Sprintf("The value%s of the provider's `%s` %s.", value, s.Name, err),
		}
	}
}

// conflict returns the problem of several attributes that choose the identity provider.
func conflict(names []string, from level) Problem {
	p := Problem{
		Summary: summaryConflict,
		Detail: fmt.Sprintf("Only one of %s can be set, because each chooses the identity provider to sign in with in the "+
			"browser. Remove the others.", strings.Join(names, " and ")),
	}
	if from == levelBlock {
		p.Attribute = names[len(names)-1]
	}
	return p
}

// notUsed returns the warning that an attribute of the provider block overrules an environment variable.
func notUsed(variable, attribute string) Problem {
	return Problem{
		Attribute: attribute,
		Warning:   true,
		Summary:   summaryVariableNotUsed,
		Detail: fmt.Sprintf("%s is set, but the provider block sets `%s`, which takes precedence. To sign in with the token, "+
			"remove `%s` from the provider block; otherwise unset the variable.", variable, attribute, attribute),
	}
}
