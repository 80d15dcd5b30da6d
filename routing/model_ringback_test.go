package routing_test

import (
	"slices"

	"example.org/c3i/contact"
)

// hangsUp remembers a caller who hung up before being answered.
func (m *model) hangsUp(c *item) {
	if c.channel != contact.Phone || c.facts.Line == "" || m.awaits(c) {
		return
	}
	m.left = slices.DeleteFunc(m.left, func(o *item) bool { return m.now.Sub(o.hungUp) >= m.plan.RingBackWindow })
	if m.plan.RingBackWindow <= 0 {
		return
	}
	m.left = slices.DeleteFunc(m.left, func(o *item) bool { return o.facts.Line == c.facts.Line && o.home == c.home })
	c.hungUp = m.now
	m.left = append(m.left, c)
}

// ringsBack gives a new call the arrival of one that hung up, and tells which.
func (m *model) ringsBack(c *item) (back *item) {
	if p := m.promised(c); p != nil {
		c.keptFrom, c.arrival = p.id, min(c.arrival, p.arrival)
		c.sayAt = 0
		m.mature(c)
		return nil
	}
	for _, o := range m.left {
		if c.channel == contact.Phone && o.facts.Line == c.facts.Line && o.home == c.home && m.now.Sub(o.hungUp) < m.plan.RingBackWindow {
			back = o
		}
	}
	if back != nil {
		c.keptFrom, c.arrival = back.id, min(c.arrival, back.arrival)
		c.sayAt = 0
		m.mature(c)
	}
	return back
}
