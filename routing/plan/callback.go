package plan

import (
	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// callback reads when callers of a queue are offered to be rung back, and how they
// are. All of it may be left out: an empty mapping rings back whoever has to wait.
func (b *builder) callback(v value) *routing.CallbackPolicy {
	m := b.r.fields(v, "over", "attempts", "spacing", "ring", "hours")
	p := routing.CallbackDefault()
	if f, is := m["over"]; is {
		p.Over = b.r.span(f.value, 0, contact.Day)
	}
	if f, is := m["attempts"]; is {
		if n, ok := b.r.whole(f.value, 1, 10, "attempts"); ok {
			p.Attempts = n
		}
	}
	if f, is := m["spacing"]; is {
		p.Spacing = b.r.span(f.value, contact.Minute, contact.Day)
	}
	if f, is := m["ring"]; is {
		p.RingFor = b.r.span(f.value, 10*contact.Second, 2*contact.Minute)
	}
	if f, is := m["hours"]; is {
		if c := b.r.calendarOf(f.value, b.holidays); c != nil {
			p.Hours = c.open
		}
	}
	return &p
}
