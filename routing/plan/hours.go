package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"example.org/c3i/contact"
)

const dayMinutes = 24 * 60

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// interval is opening time in minutes since midnight of the day it begins on.
// An end past 24:00 reaches into the next day.
type interval struct{ from, to int }

// calendar is one queue's opening hours. Intervals belong to the day they begin
// on: 22:00-02:00 on Friday covers the small hours of Saturday, whatever is
// said of Saturday.
type calendar struct {
	week [7][]interval
	// dates replace the weekday's intervals on one date; empty is closed.
	dates map[string][]interval
}

// open reports whether the queue is open in that civil minute.
func (c *calendar) open(at contact.Local) bool {
	if at.Weekday < 0 || at.Weekday > 6 {
		return false
	}
	for _, i := range c.on(at.Date, at.Weekday) {
		if at.Minute >= i.from && at.Minute < i.to {
			return true
		}
	}
	for _, i := range c.on(dayBefore(at.Date), (at.Weekday+6)%7) {
		if at.Minute+dayMinutes < i.to {
			return true
		}
	}
	return false
}

func (c *calendar) on(date string, weekday int) []interval {
	if special, is := c.dates[date]; is {
		return special
	}
	return c.week[weekday]
}

// calendarOf reads a queue's hours; nil is always open.
func (r *reader) calendarOf(v value, shared map[string][]interval) *calendar {
	if s, is := v.node.(*ast.StringNode); is {
		if s.Value == "always" {
			return nil
		}
		r.errorf(v.at, "bad_hours", "%q is not opening hours: write always, or days such as \"mon-fri: 08:00-20:00\" on lines of their own", clip(s.Value))
		return nil
	}
	list, ok := r.entries(v)
	if !ok {
		return nil
	}
	c := &calendar{dates: map[string][]interval{}}
	for date, is := range shared {
		c.dates[date] = is
	}
	from := map[int]string{}
	places := [7]place{}
	days := 0
	for _, e := range list {
		if e.key == "holidays" {
			for date, is := range r.dates(e.value) {
				c.dates[date] = is
			}
			continue
		}
		first, last, ok := r.days(e)
		if !ok {
			continue
		}
		intervals := r.intervals(e.value)
		days++
		for d := first; ; d = (d + 1) % 7 {
			if earlier, again := from[d]; again {
				r.errorf(e.keyAt, "overlapping_hours", "%s is already covered by %q", weekdays[d], earlier)
			} else {
				from[d], places[d] = e.key, e.value.at
				c.week[d] = intervals
			}
			if d == last {
				break
			}
		}
	}
	if days == 0 {
		r.warnf(v.at, "never_open", "no weekday is given: the queue is closed except on its holidays")
	}
	for d := range 7 {
		next := c.week[(d+1)%7]
		for _, i := range c.week[d] {
			if i.to > dayMinutes && len(next) > 0 && next[0].from < i.to-dayMinutes {
				r.errorf(places[d], "overlapping_hours", "the night of %s runs until %s, but %s opens at %s",
					weekdays[d], clock(i.to-dayMinutes), weekdays[(d+1)%7], clock(next[0].from))
			}
		}
	}
	return c
}

// days reads "mon", "mon-fri" or "fri-mon".
func (r *reader) days(e entry) (first, last int, ok bool) {
	known := append(slices.Clone(weekdays[1:]), "sun", "holidays")
	a, b, ranged := strings.Cut(e.key, "-")
	if !ranged {
		b = a
	}
	first, last = slices.Index(weekdays, a), slices.Index(weekdays, b)
	if first < 0 || last < 0 {
		wrong := a
		if first >= 0 {
			wrong = b
		}
		r.unknown(e.keyAt, "unknown_day", "day", wrong, known)
		return 0, 0, false
	}
	if ranged && first == last {
		r.errorf(e.keyAt, "bad_hours", "%q begins and ends on the same day", e.key)
		return 0, 0, false
	}
	return first, last, true
}

// dates reads special days: a mapping from date to "closed" or opening hours.
func (r *reader) dates(v value) map[string][]interval {
	list, _ := r.entries(v)
	m := make(map[string][]interval, len(list))
	for _, e := range list {
		if !isDate(e.key) {
			r.errorf(e.keyAt, "bad_date", "%q is not a date: write it as 2026-12-25", e.key)
			continue
		}
		m[e.key] = r.intervals(e.value)
	}
	return m
}

// intervals reads "closed", "08:00-20:00" or "09:00-12:00, 13:00-17:00".
func (r *reader) intervals(v value) []interval {
	s, ok := v.node.(*ast.StringNode)
	if !ok {
		r.errorf(v.at, "bad_hours", "expected hours such as 08:00-20:00, or closed, found %s", describe(v.node))
		return nil
	}
	if s.Value == "closed" {
		return nil
	}
	var list []interval
	for _, part := range strings.Split(s.Value, ",") {
		i, err := parseInterval(strings.TrimSpace(part))
		if err != nil {
			r.errorf(v.at, "bad_hours", "%s", err)
			return nil
		}
		list = append(list, i)
	}
	slices.SortFunc(list, func(a, b interval) int { return a.from - b.from })
	for n := 1; n < len(list); n++ {
		if list[n].from < list[n-1].to {
			r.errorf(v.at, "overlapping_hours", "%s-%s overlaps %s-%s", clock(list[n-1].from), clock(list[n-1].to%dayMinutes),
				clock(list[n].from), clock(list[n].to%dayMinutes))
		}
	}
	return list
}

func parseInterval(s string) (interval, error) {
	bad := fmt.Errorf("%q is not opening hours: write them as 08:00-20:00, or closed", clip(s))
	a, b, ok := strings.Cut(s, "-")
	if !ok {
		return interval{}, bad
	}
	from, okFrom := parseClock(strings.TrimSpace(a))
	to, okTo := parseClock(strings.TrimSpace(b))
	if !okFrom || !okTo || from == dayMinutes {
		return interval{}, bad
	}
	if from == to {
		return interval{}, fmt.Errorf("%q begins and ends at the same minute: write 00:00-24:00 for a whole day", clip(s))
	}
	if to < from {
		to += dayMinutes
	}
	return interval{from, to}, nil
}

func parseClock(s string) (int, bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	h, errH := strconv.ParseUint(s[:2], 10, 8)
	m, errM := strconv.ParseUint(s[3:], 10, 8)
	if errH != nil || errM != nil || m > 59 || h > 24 || (h == 24 && m > 0) {
		return 0, false
	}
	return int(h)*60 + int(m), true
}

func clock(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

func isDate(s string) bool {
	y, m, d, ok := splitDate(s)
	return ok && m >= 1 && m <= 12 && d >= 1 && d <= monthDays(y, m)
}

func splitDate(s string) (y, m, d int, ok bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return 0, 0, 0, false
	}
	var n [3]int
	for i, part := range []string{s[:4], s[5:7], s[8:]} {
		v, err := strconv.ParseUint(part, 10, 16)
		if err != nil {
			return 0, 0, 0, false
		}
		n[i] = int(v)
	}
	return n[0], n[1], n[2], true
}

func monthDays(y, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// dayBefore gives the previous civil date, or nothing for what is no date.
func dayBefore(date string) string {
	y, m, d, ok := splitDate(date)
	if !ok {
		return ""
	}
	if d--; d == 0 {
		if m--; m == 0 {
			y, m = y-1, 12
		}
		d = monthDays(y, m)
	}
	return fmt.Sprintf("%04d-%02d-%02d", y, m, d)
}
