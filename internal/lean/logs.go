package lean

import "strings"

// silenceUnreadLogs switches the logs of Terraform's libraries off unless someone reads logs. They write several lines
// for each attribute of each resource, as JSON, and leave it to Terraform to throw away what it was not asked for, which
// it does after it has parsed each line: together a third of the CPU of a big plan.
//
// Who reads logs has set one of TF_LOG, TF_LOG_PROVIDER and more of that kind, which we get from Terraform. What a panic
// prints is no log, and stays.
func silenceUnreadLogs(environment []string, setenv func(name, value string) error) error {
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		if value != "" && (strings.HasPrefix(name, "TF_LOG") || strings.HasPrefix(name, "TOFU_LOG")) {
			return nil
		}
	}
	return setenv("TF_LOG_SDK", "off")
}
