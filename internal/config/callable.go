package config

import (
	"fmt"
	"strings"
)

// CheckCallable returns an error if a setting that calls need is still unknown, because the provider block refers to a
// value known only after apply. The error names the unknown attributes.
func (s Settings) CheckCallable() error {
	needed := neededSignIn
	switch {
	case s.Token != "":
		needed = neededAlways // With a token, the other ways to sign in do not matter.
	case s.Login == LoginBrowser, s.Login == LoginHeadless:
		needed = neededBrowser
	}
	for _, setting := range Table {
		if setting.needed != neededNever && setting.needed <= needed && s.IsUnknown(setting.Name) {
			return fmt.Errorf("the provider must call the Chainguard API, but these of its settings are not known yet: %s. "+
				"They depend on something that has not been applied. Apply that first (for example with -target), "+
				"or give the provider values that are known when planning",
				strings.Join(s.pending, ", "))
		}
	}
	return nil
}
