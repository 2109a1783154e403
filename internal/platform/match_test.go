package platform

import (
	"slices"
	"testing"
	"time"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	const mark = 123 * time.Millisecond
	spec := InviteSpec{GroupID: "g", RoleID: "r", Email: "kim@acme.example", TTL: week}
	invite := func(change func(*Invite)) *Invite {
		i := &Invite{ID: "i", GroupID: "g", RoleID: "r", Email: "kim@acme.example", CreatedAt: begin}
		i.ExpiresAt = begin.Add(week - mark)
		change(i)
		return i
	}
	lasting := func(d time.Duration) func(*Invite) {
		return func(i *Invite) { i.ExpiresAt = i.CreatedAt.Add(d) }
	}
	moved := func(by time.Duration, d time.Duration) func(*Invite) {
		return func(i *Invite) {
			i.CreatedAt = begin.Add(by)
			i.ExpiresAt = i.CreatedAt.Add(d)
		}
	}
	const own, possible, none = "own", "possible", "none"
	for name, test := range map[string]struct {
		invite   *Invite
		unmarked bool
		want     [2]string // with trusted and untrusted marks
	}{
		"marked":                        {invite(func(*Invite) {}), false, [2]string{own, possible}},
		"marked, address in upper case": {invite(func(i *Invite) { i.Email = "KIM@ACME.EXAMPLE" }), false, [2]string{own, possible}},
		"marked, a quarter hour before": {invite(moved(-nearby, week-mark)), false, [2]string{own, possible}},
		"marked, a quarter hour after":  {invite(moved(nearby, week-mark)), false, [2]string{own, possible}},
		"marked, of another time":       {invite(moved(-nearby-1, week-mark)), false, [2]string{possible, possible}},
		"a millisecond off":             {invite(lasting(week - mark + time.Millisecond)), false, [2]string{possible, possible}},
		"a nanosecond off":              {invite(lasting(week - mark + 1)), false, [2]string{possible, possible}},
		"unmarked lifetime":             {invite(lasting(week)), false, [2]string{possible, possible}},
		"another lifetime":              {invite(lasting(time.Hour)), false, [2]string{possible, possible}},
		"another lifetime and time":     {invite(moved(time.Hour, time.Hour)), false, [2]string{none, none}},
		"no mark was sent":              {invite(lasting(week)), true, [2]string{possible, possible}},
		"another group":                 {invite(func(i *Invite) { i.GroupID = "h" }), false, [2]string{none, none}},
		"another role":                  {invite(func(i *Invite) { i.RoleID = "s" }), false, [2]string{none, none}},
		"another address":               {invite(func(i *Invite) { i.Email = "jo@acme.example" }), false, [2]string{none, none}},
		"address with a Kelvin sign":    {invite(func(i *Invite) { i.Email = "\u212aim@acme.example" }), false, [2]string{none, none}},
		"no address":                    {invite(func(i *Invite) { i.Email = "" }), false, [2]string{none, none}},
		"single use":                    {invite(func(i *Invite) { i.SingleUse = true }), false, [2]string{none, none}},
	} {
		for i, want := range test.want {
			a := attempt{spec: spec, mark: mark}
			if test.unmarked {
				a.mark = 0
			}
			gotOwn, gotPossible := match(a, []*Invite{test.invite}, begin, i == 0)
			got := none
			switch {
			case gotOwn != nil:
				got = own
			case len(gotPossible) > 0:
				got = possible
			}
			if got != want {
				t.Errorf("%s, trusted %t: %s, want %s", name, i == 0, got, want)
			}
		}
	}
}

// Of two invites with the mark, at least one belongs to another process, unless a proxy repeated the request.
func TestMatch_severalWithTheMark(t *testing.T) {
	t.Parallel()
	a := attempt{spec: InviteSpec{GroupID: "g", RoleID: "r", TTL: week}, mark: 123 * time.Millisecond}
	invite := &Invite{ID: "i", GroupID: "g", RoleID: "r", CreatedAt: begin, ExpiresAt: begin.Add(a.lifetime())}
	if own, possible := match(a, []*Invite{invite, invite}, begin, true); own != nil || len(possible) != 2 {
		t.Errorf("own is %v, possible are %v", own, possible)
	}
}

func TestAttempts_marksDiffer(t *testing.T) {
	t.Parallel()
	for _, ttl := range []time.Duration{week, 36*time.Hour + 250*time.Millisecond, 1001 * time.Millisecond} {
		var s attempts
		spec := InviteSpec{GroupID: "g", TTL: ttl}
		var marks []time.Duration
		for {
			a := s.begin(spec, nil)
			if a.mark == 0 {
				break // All marks are in use.
			}
			if a.mark < time.Millisecond || a.mark > maxMark || a.mark%time.Millisecond != 0 || slices.Contains(marks, a.mark) {
				t.Fatalf("the mark of attempt %d is %s", len(marks), a.mark)
			}
			if a.lifetime()%time.Second == 0 {
				t.Errorf("the mark %s leaves whole seconds of %s", a.mark, ttl)
			}
			if a.lifetime().Round(time.Second) != ttl.Round(time.Second) && ttl%time.Second == 0 {
				t.Errorf("the mark %s makes %s round to another lifetime", a.mark, ttl)
			}
			marks = append(marks, a.mark)
		}
		if len(marks) < 498 {
			t.Errorf("%s: %d marks, want at least 498", ttl, len(marks))
		}
		other := spec
		other.Email = "kim@acme.example"
		if s.begin(other, nil).mark == 0 {
			t.Error("other inputs share the marks")
		}
		s.release(attempt{spec: spec, mark: marks[7]})
		if got := s.begin(spec, nil).mark; got != marks[7] {
			t.Errorf("the mark that was released is %s, and the next %s", marks[7], got)
		}
	}
}

func TestAttempts_lifetimeTooShortForAMark(t *testing.T) {
	t.Parallel()
	var s attempts
	for _, ttl := range []time.Duration{time.Millisecond, time.Second} {
		if a := s.begin(InviteSpec{TTL: ttl}, nil); a.mark != 0 {
			t.Errorf("%s is marked with %s", ttl, a.mark)
		}
	}
}

func TestAttempts_mismatchEndsTrustInMarks(t *testing.T) {
	t.Parallel()
	var s attempts
	a := attempt{spec: InviteSpec{TTL: week}, mark: time.Millisecond}
	for i, test := range []struct {
		given time.Duration
		want  bool
	}{{a.lifetime(), true}, {week, false}, {a.lifetime(), false}} {
		s.learn(a, test.given)
		if got := s.trustsMark(a); got != test.want {
			t.Errorf("after answer %d the mark is trusted: %t, want %t", i+1, got, test.want)
		}
	}
	if !s.trustsMark(attempt{spec: InviteSpec{TTL: time.Hour}, mark: time.Millisecond}) {
		t.Error("marks on another TTL are not trusted")
	}
}
