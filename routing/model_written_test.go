package routing_test

import (
	"slices"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// written applies what a handler does with a written contact of theirs, or gives
// the code to refuse it with.
func (m *model) written(c *item, ev routing.Event) (code string) {
	p := c.who
	switch {
	case c.channel == contact.Phone:
		return "not_written"
	case c.phase != routing.PhaseTalking && c.phase != routing.PhaseParked:
		return "wrong_phase"
	}
	switch ev := ev.(type) {
	case routing.ContactParked:
		if c.aside {
			return "no_change"
		}
		if c.phase == routing.PhaseTalking {
			c.phase, c.since = routing.PhaseParked, m.now
		}
		c.aside = true
		m.say(routing.Parked{Contact: c.id, Agent: p.id})
	case routing.ContactResumed:
		call := slices.ContainsFunc(p.work, func(o *item) bool { return o.channel == contact.Phone })
		switch {
		case c.phase == routing.PhaseTalking:
			return "no_change"
		case call || !c.aside:
			return "wrong_phase"
		}
		c.phase, c.since, c.aside = routing.PhaseTalking, m.now, false
		m.say(routing.Resumed{Contact: c.id, Agent: p.id})
	case routing.ContactForwarded:
		q := m.queue(ev.Queue)
		if q == nil {
			return "queue_unknown"
		}
		m.say(routing.Forwarded{Contact: c.id, Agent: p.id, From: c.queue, To: ev.Queue})
		p.work = slices.DeleteFunc(p.work, func(o *item) bool { return o == c })
		p.idleSince = m.now
		c.wanted, c.spent, c.fresh = ev.Queue, false, true
		c.refused = map[routing.AgentID]bool{p.id: true}
		m.route(c) // by what waits without it
		c.phase, c.who, c.offer, c.since, c.answered, c.aside = "", nil, 0, 0, 0, false
		c.target = q.AnswerWithin[c.channel]
		c.due = c.arrival.Add(c.target).Add(-c.credit)
		c.held = m.keeps(c) && !m.waited(c)
		m.queuedAction(c)
		m.touch(p)
	}
	return ""
}

// join counts a message that joins a contact which has not ended.
func (m *model) join(ev routing.MessageJoined, no refuse) {
	c := m.find(ev.Contact)
	switch {
	case c == nil && !slices.Contains(m.gone, ev.Contact):
		no("contact_unknown", "", ev.Contact, 0)
	case c == nil || c.phase == routing.PhaseWrapUp:
		no("contact_ended", "", ev.Contact, 0)
	case c.channel == contact.Phone:
		no("not_written", "", ev.Contact, 0)
	default:
		c.joined++
		if c.who != nil {
			m.touch(c.who)
		}
	}
}
