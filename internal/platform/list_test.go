package platform

import (
	"testing"
	"time"
)

func TestListedInviteExpiresByThePlatformsClockOrElseByOurs(t *testing.T) {
	t.Parallel()
	ours := time.Date(2030, time.January, 2, 3, 4, 5, 0, time.UTC)
	for name, test := range map[string]struct {
		date string // that the platform tells, empty where it tells none
		want bool
	}{
		"no date":          {"", true},
		"no date at all":   {"yesterday", true},
		"the same":         {"Wed, 02 Jan 2030 03:04:05 GMT", true},
		"a second behind":  {"Wed, 02 Jan 2030 03:04:04 GMT", false},
		"an hour ahead":    {"Wed, 02 Jan 2030 04:04:05 GMT", true},
		"a century behind": {"Wed, 02 Jan 1930 03:04:05 GMT", false},
	} {
		answer := new(exchange)
		if test.date != "" {
			answer.date.Store(&test.date)
		}
		listed := Listed{Invite: &Invite{ExpiresAt: ours}, AsOf: answer.timeOr(ours)}
		if got := listed.Expired(); got != test.want {
			t.Errorf("%s: expired is %t, want %t", name, got, test.want)
		}
	}
}
