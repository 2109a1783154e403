package lean

import "testing"

func TestLogsAreSilencedWhereNobodyReadsThem(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		environment []string
		silenced    bool
	}{
		"nobody":               {[]string{"PATH=/bin"}, true},
		"an empty setting":     {[]string{"TF_LOG="}, true},
		"all logs":             {[]string{"TF_LOG=debug"}, false},
		"those of providers":   {[]string{"TF_LOG_PROVIDER=info"}, false},
		"those of this one":    {[]string{"TF_LOG_PROVIDER_CHAINGUARD=trace"}, false},
		"those of a library":   {[]string{"TF_LOG_SDK_FRAMEWORK=warn"}, false},
		"as OpenTofu calls it": {[]string{"TOFU_LOG=debug"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := map[string]string{}
			err := silenceUnreadLogs(test.environment, func(name, value string) error {
				set[name] = value
				return nil
			})
			if err != nil || (set["TF_LOG_SDK"] == "off") != test.silenced {
				t.Errorf("set %v, error %v", set, err)
			}
		})
	}
}
