package crm

import (
	"slices"
	"time"

	"example.org/c3i/contact"
)

// Calendar tells on which civil dates the force's offices work, for clocks that
// run in working days.
type Calendar interface {
	// WorkingDay reports on the date of day, in its own location.
	WorkingDay(day time.Time) bool
}

// EnglandAndWales works Monday to Friday except on bank holidays: New Year's Day,
// Good Friday, Easter Monday, the first and last Mondays in May, the last Monday
// in August, Christmas Day and Boxing Day, moved to the next free weekday when
// they fall on a weekend.
type EnglandAndWales struct {
	// Extra are bank holidays proclaimed for one year, and Not those moved away
	// from their day, as YYYY-MM-DD.
	Extra, Not []string
}

// WorkingDay reports on a date.
func (c EnglandAndWales) WorkingDay(day time.Time) bool {
	if w := day.Weekday(); w == time.Saturday || w == time.Sunday {
		return false
	}
	date := day.Format(time.DateOnly)
	if slices.Contains(c.Extra, date) {
		return false
	}
	return slices.Contains(c.Not, date) || !bankHoliday(day)
}

func bankHoliday(day time.Time) bool {
	y, m, d := day.Date()
	monday := day.Weekday() == time.Monday
	switch {
	case m == time.January && d <= 3: // 1 January, or the Monday after it
		return d == 1 || monday
	case m == time.May && monday:
		return d <= 7 || d > 24
	case m == time.August && monday:
		return d > 24
	case m == time.December && d >= 25 && d <= 28:
		// Christmas Day and Boxing Day on a weekend are kept on the Monday and
		// Tuesday that follow.
		return d <= 26 || monday || day.Weekday() == time.Tuesday
	}
	e := easter(y)
	return sameDate(day, e.AddDate(0, 0, -2)) || sameDate(day, e.AddDate(0, 0, 1))
}

func sameDate(a, b time.Time) bool { return a.Format(time.DateOnly) == b.Format(time.DateOnly) }

// easter is the date of Easter Sunday (the Gregorian algorithm of Meeus, Jones
// and Butcher).
func easter(y int) time.Time {
	a, b, c := y%19, y/100, y%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 19*l) / 433
	month := (h + l - 7*m + 90) / 25
	day := (h + l - 7*m + 33*month + 19) % 32
	return time.Date(y, time.Month(month), day, 0, 0, 0, 0, time.UTC)
}

// workingDays is the instant n working days after at, at the same time of day. Of a
// clock that starts on a day off, the next working day is the first.
func (s *Store) workingDays(at contact.Instant, n int) contact.Instant {
	from := at.Time().In(s.zone)
	t := from
	for left, days := n, 1; left > 0; days++ {
		// Each from the first: a night on which the clocks change moves no later day.
		t = from.AddDate(0, 0, days)
		if s.calendar.WorkingDay(t) {
			left--
		}
	}
	return contact.At(t)
}
