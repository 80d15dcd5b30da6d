package plan_test

import (
	"strings"
	"testing"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing/plan"
)

// hoursOf compiles one queue's hours, given as YAML lines.
func hoursOf(t *testing.T, lines ...string) func(contact.Local) bool {
	t.Helper()
	src := strings.Replace(small, "queues: {desk: {}}", "queues:\n  desk:\n    closed_announcement: closed\n    hours:\n      "+strings.Join(lines, "\n      "), 1) +
		"holidays: {2026-12-25: closed, 2026-12-31: \"10:00-14:00\", 2027-02-28: \"23:00-01:00\"}\n"
	p, problems := plan.Compile("p", 1, []byte(src))
	if len(problems) > 0 {
		t.Fatalf("%s", problems)
	}
	return p.Queues[0].Hours
}

func TestHours(t *testing.T) {
	office := []string{"mon-fri: 08:00-12:00, 13:00-18:00", "sat: 09:00-13:00"}
	nights := []string{"fri-sat: 22:00-02:00"}
	for _, c := range []struct {
		hours []string
		at    string
		open  bool
	}{
		{office, "2026-11-23 07:59", false}, // a Monday
		{office, "2026-11-23 08:00", true},
		{office, "2026-11-23 11:59", true},
		{office, "2026-11-23 12:00", false},
		{office, "2026-11-23 13:00", true},
		{office, "2026-11-23 17:59", true},
		{office, "2026-11-23 18:00", false},
		{office, "2026-11-28 12:59", true}, // Saturday
		{office, "2026-11-28 13:00", false},
		{office, "2026-11-29 10:00", false}, // Sunday
		{office, "2026-12-25 10:00", false}, // holiday on a Friday
		{office, "2026-12-31 09:00", false}, // other hours on a Thursday
		{office, "2026-12-31 13:59", true},
		{office, "2026-12-31 15:00", false},
		{nights, "2026-11-27 21:59", false}, // Friday
		{nights, "2026-11-27 22:00", true},
		{nights, "2026-11-28 00:00", true},
		{nights, "2026-11-28 01:59", true},
		{nights, "2026-11-28 02:00", false},
		{nights, "2026-11-29 01:00", true}, // Saturday night
		{nights, "2026-11-29 22:30", false},
		{nights, "2026-12-26 00:30", false}, // the night of a holiday, a Friday, is closed
		{nights, "2027-03-01 00:30", true},  // Sunday's special night, over the end of February
		{nights, "2027-03-01 01:00", false},
		{[]string{"mon-sun: 00:00-24:00"}, "2026-11-23 00:00", true},
		{[]string{"mon-sun: 00:00-24:00"}, "2026-11-29 23:59", true},
		{[]string{"sat-mon: 10:00-11:00"}, "2026-11-29 10:30", true}, // over the week's end
		{[]string{"sat-mon: 10:00-11:00"}, "2026-11-24 10:30", false},
		{[]string{"mon: closed", "tue: 10:00-11:00"}, "2026-11-23 10:30", false},
		{[]string{"fri: 09:00-10:00", "holidays: {2026-12-25: \"11:00-12:00\"}"}, "2026-12-25 11:30", true}, // the queue's own
	} {
		when, err := time.Parse("2006-01-02 15:04", c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := hoursOf(t, c.hours...)(contact.Zone{}.Local(contact.At(when))); got != c.open {
			t.Errorf("%v at %s: open %v, want %v", c.hours, c.at, got, c.open)
		}
	}
}

// The calendar agrees with plain reckoning in time.Time over every quarter of an
// hour of some years, leap day included.
func TestHoursAgreeWithACalendar(t *testing.T) {
	open := hoursOf(t, "mon-thu: 06:30-09:15", "fri: 20:00-05:45", "sun: 12:00-24:00")
	for at := time.Date(2027, 12, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2029; at = at.Add(15 * time.Minute) {
		minute := at.Hour()*60 + at.Minute()
		want := false
		switch at.Weekday() {
		case time.Monday, time.Tuesday, time.Wednesday, time.Thursday:
			want = minute >= 390 && minute < 555
		case time.Friday:
			want = minute >= 1200
		case time.Saturday:
			want = minute < 345
		case time.Sunday:
			want = minute >= 720
		}
		if got := open((contact.Zone{}).Local(contact.At(at))); got != want {
			t.Fatalf("%s: open %v, want %v", at.Format("Mon 2006-01-02 15:04"), got, want)
		}
	}
}

func TestHoursAreTotal(t *testing.T) {
	open := hoursOf(t, "mon-sun: 00:00-24:00")
	for _, at := range []contact.Local{{}, {Weekday: -1}, {Weekday: 9}, {Date: "soon", Minute: -5}, {Date: "0000-01-01", Weekday: 3, Minute: 1 << 30}} {
		_ = open(at) // must not panic
	}
	if open(contact.Local{Date: "2026-11-23", Weekday: 7}) {
		t.Error("open on a weekday that does not exist")
	}
}

// Summer time: the hour that comes twice is open twice, the one that never comes
// opens nothing.
func TestHoursFollowTheZone(t *testing.T) {
	zone, err := plan.Zone(small)
	if err != nil {
		t.Fatal(err)
	}
	open := hoursOf(t, "sun: 01:00-02:00")
	count := func(day time.Time) (minutes int) {
		for m := range 26 * 60 {
			if open(zone.Local(contact.At(day.Add(time.Duration(m) * time.Minute)))) {
				minutes++
			}
		}
		return minutes
	}
	for _, c := range []struct {
		day  string
		want int
	}{{"2026-10-25", 120}, {"2026-03-29", 0}, {"2026-11-22", 60}} {
		day, err := time.Parse("2006-01-02", c.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := count(day.Add(-time.Hour)); got != c.want {
			t.Errorf("%s is open for %d minutes, want %d", c.day, got, c.want)
		}
	}
}
