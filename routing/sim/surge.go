package sim

import (
	"fmt"
	"slices"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// SurgeSpan is when a surge of the plan is on: every day from one minute to another,
// in the plan's zone, or all the time when they are the same.
type SurgeSpan struct {
	Name string
	// Since and Until are minutes after midnight; Until is not in it. Until before
	// Since spans midnight.
	Since, Until int
}

// ParseSurge reads "NAME" or "NAME@18:00-22:00".
func ParseSurge(s string) (SurgeSpan, error) {
	name, span, timed := strings.Cut(s, "@")
	out := SurgeSpan{Name: name}
	if name == "" {
		return out, fmt.Errorf("%q names no surge: write it as NAME or NAME@18:00-22:00", s)
	}
	if !timed {
		return out, nil
	}
	since, until, is := strings.Cut(span, "-")
	var ok [2]bool
	out.Since, ok[0] = minuteOf(since)
	out.Until, ok[1] = minuteOf(until)
	if !is || !ok[0] || !ok[1] || out.Since == out.Until {
		return out, fmt.Errorf("%q is not a time of the day for a surge: write it as %s@18:00-22:00", span, name)
	}
	return out, nil
}

// minuteOf reads 18:00 strictly.
func minuteOf(s string) (minute int, ok bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	for _, i := range []int{0, 1, 3, 4} {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	hour, past := int(s[0]-'0')*10+int(s[1]-'0'), int(s[3]-'0')*10+int(s[4]-'0')
	return hour*60 + past, hour < 24 && past < 60
}

func (s SurgeSpan) on(minute int) bool {
	switch {
	case s.Since == s.Until:
		return true
	case s.Since < s.Until:
		return minute >= s.Since && minute < s.Until
	}
	return minute >= s.Since || minute < s.Until
}

func (s SurgeSpan) String() string {
	if s.Since == s.Until {
		return s.Name + " all the time"
	}
	return fmt.Sprintf("%s from %02d:%02d to %02d:%02d", s.Name, s.Since/60, s.Since%60, s.Until/60, s.Until%60)
}

// surgeChanges lists when the spans' surges that the plan has are switched.
func surgeChanges(spans []SurgeSpan, p *routing.Plan, zone contact.Zone, from, to contact.Instant) []surgeChange {
	var list []surgeChange
	for _, s := range spans {
		if !hasSurge(p, s.Name) {
			continue
		}
		on := false
		for at := from; at < to; at += contact.Instant(contact.Minute) - at%contact.Instant(contact.Minute) {
			if now := s.on(zone.Local(at).Minute); now != on {
				on = now
				list = append(list, surgeChange{at, s.Name, now})
			}
			if s.Since == s.Until {
				break
			}
		}
	}
	slices.SortStableFunc(list, func(a, b surgeChange) int { return int(max(-1, min(1, int64(a.at-b.at)))) })
	return list
}

func hasSurge(p *routing.Plan, name string) bool {
	return slices.ContainsFunc(p.Surges, func(s routing.Surge) bool { return s.Name == name })
}

// checkSurges refuses a surge no plan has, or that is asked for twice, and notes for
// people which plan has which.
func checkSurges(spans []SurgeSpan, plans []*prepared) (notes []string, err error) {
	for i, s := range spans {
		if slices.ContainsFunc(spans[:i], func(o SurgeSpan) bool { return o.Name == s.Name }) {
			return nil, fmt.Errorf("sim: the surge %q is asked for twice", s.Name)
		}
		var have, lack []string
		for _, p := range plans {
			if hasSurge(p.plan, s.Name) {
				have = append(have, p.name)
			} else {
				lack = append(lack, p.name)
			}
		}
		if len(have) == 0 {
			return nil, fmt.Errorf("sim: no plan has a surge %q", s.Name)
		}
		note := "Surge on: " + s.String() + "."
		if len(lack) > 0 {
			note += " These plans do not have it: " + strings.Join(lack, ", ") + "."
		}
		notes = append(notes, note)
	}
	return notes, nil
}
