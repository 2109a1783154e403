package config

import (
	"fmt"
	"strings"
)

// CheckCallable returns an error if a setting without which the platform cannot be called is not known yet, as while
// the provider block refers to something that is known only after apply. The error names the attributes of the provider
// block that are unknown.
func (s Settings) CheckCallable() error {
	needed := neededSignIn
	switch {
	case s.Token != "":
		needed = neededAlways // A token makes all other ways to sign in irrelevant.
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
