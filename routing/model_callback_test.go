package routing_test

import (
	"slices"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// awaits tells whether a caller is to be rung.
func (m *model) awaits(c *item) bool { return c.asked && !c.here }

func (m *model) policy(c *item) routing.CallbackPolicy {
	if q := m.queue(c.home); q != nil && q.Callback != nil {
		return *q.Callback
	}
	return routing.CallbackPolicy{Attempts: 3, Spacing: 5 * minute, RingFor: 30 * second}
}

// hourIsRight tells whether callers of a queue may be rung now.
func (m *model) hourIsRight(id routing.QueueID) bool {
	q := m.queue(id)
	return q == nil || q.Callback == nil || q.Callback.Hours == nil || m.ring[id]
}

// stand has a contact wait, or be put off when it is a callback whose time has not
// come.
func (m *model) stand(c *item) {
	if c.phase != "" && c.phase != routing.PhaseDeferred {
		return
	}
	if m.awaits(c) && (c.mayRing > m.now || !m.hourIsRight(c.home)) {
		if c.phase == "" {
			c.phase, c.since = routing.PhaseDeferred, m.now
		}
		c.until = 0
		if c.mayRing > m.now {
			c.until = c.mayRing
		}
		return
	}
	if c.phase == routing.PhaseDeferred {
		c.phase, c.since, c.until = "", 0, 0
	}
}

func (m *model) offersBack(c *item, wait contact.Duration) bool {
	q := m.queue(c.home)
	return q.Callback != nil && c.channel == contact.Phone && !m.awaits(c) && c.class == 1 && !c.facts.UnsafeToCall && m.hourIsRight(c.home) && wait > q.Callback.Over
}

func (m *model) callback(ev routing.Event, no refuse) {
	switch ev := ev.(type) {
	case routing.CallbackAsked:
		c := m.find(ev.Contact)
		code := ""
		switch {
		case c == nil && !slices.Contains(m.gone, ev.Contact):
			code = "contact_unknown"
		case c == nil || c.phase == routing.PhaseWrapUp:
			code = "contact_ended"
		case c.channel != contact.Phone:
			code = "not_a_call"
		case m.awaits(c):
			code = "no_change"
		case c.phase != "":
			code = "wrong_phase"
		case m.queue(c.home).Callback == nil:
			code = "no_callback"
		case c.facts.UnsafeToCall:
			code = "unsafe_to_call"
		case c.class == 0:
			code = "risk_to_life"
		}
		if code != "" {
			no(code, "", ev.Contact, 0)
			return
		}
		c.asked, c.here, c.mayRing, c.sayAt = true, false, m.now.Add(10*second), 0
		m.stand(c)
		m.say(routing.CallbackNoted{Contact: c.id, Queue: c.queue})
	case routing.CallbackHoursChanged:
		switch {
		case m.plan == nil:
			no("no_plan", "", "", 0)
		case m.queue(ev.Queue) == nil:
			no("queue_unknown", "", "", 0)
		case m.ring[ev.Queue] == ev.Open:
			no("no_change", "", "", 0)
		default:
			m.ring[ev.Queue] = ev.Open
			all := slices.Clone(m.contacts)
			slices.SortFunc(all, func(a, b *item) int {
				if goesBefore(a, b) {
					return -1
				}
				return 1
			})
			for _, c := range all {
				if c.home != ev.Queue || !m.awaits(c) {
					continue
				}
				if c.phase == "" {
					m.stand(c)
				} else if c.phase == routing.PhaseDeferred && ev.Open && c.mayRing <= m.now {
					m.moveOn(c)
					c.fresh = true
				}
			}
		}
	case routing.CallbackFailed:
		c := m.find(ev.Contact)
		code := ""
		switch {
		case c == nil && slices.Contains(m.gone, ev.Contact):
			code = "contact_ended"
		case c == nil:
			code = "contact_unknown"
		case c.who == nil || c.who.id != ev.Agent || c.phase == routing.PhaseRinging:
			code = "contact_not_yours"
		case c.phase != routing.PhaseCalling:
			code = "wrong_phase"
		}
		if code != "" {
			no(code, ev.Agent, ev.Contact, 0)
			return
		}
		m.notReached(c, ev.Final)
	}
}

// ringUp has a caller rung.
func (m *model) ringUp(c *item) {
	ring := max(m.policy(c).RingFor, second)
	c.phase, c.until = routing.PhaseCalling, m.now.Add(ring+15*second)
	m.say(routing.CallBack{Offer: c.offer, Contact: c.id, Agent: c.who.id, Attempt: c.tries + 1, RingFor: ring})
}

func (m *model) notReached(c *item, final bool) {
	p := m.takeBack(c, routing.RetractNotReached)
	c.tries++
	if final || c.tries >= m.policy(c).Attempts {
		c.result = "not_reached"
		if final {
			c.result = "not_made"
		}
		m.say(routing.Alert{
			Code: "callback_not_reached", Contact: c.id, Queue: c.queue,
			Text: "A caller who was promised to be rung back was not reached, and is not tried again: find another way.",
		})
		m.end(c, contact.CallbackTaken, routing.ReleasedBySystem, "")
		m.drop(c)
	} else {
		c.mayRing = m.now.Add(max(m.policy(c).Spacing, 1))
		m.moveOn(c)
	}
	m.touch(p)
}

func (m *model) callbackResult(c *item, cause routing.ReleaseCause) routing.CallbackResult {
	switch {
	case c.result != "":
		return c.result
	case c.answered > 0:
		return "answered"
	case cause == routing.ReleasedByFailure:
		return "failed"
	case c.here && cause == routing.ReleasedByCaller:
		return "left"
	}
	return "cancelled"
}

// promised finds the callback whose place a call takes.
func (m *model) promised(call *item) (first *item) {
	for _, c := range m.contacts {
		if call.channel == contact.Phone && call.facts.Line != "" && m.awaits(c) && c.answered == 0 && c.facts.Line == call.facts.Line && c.home == call.home &&
			(first == nil || goesBefore(c, first)) {
			first = c
		}
	}
	return first
}

// rangIn ends a callback whose caller rang in.
func (m *model) rangIn(c *item) {
	c.result = "rang_in"
	p := c.who
	if p != nil {
		m.takeBack(c, routing.RetractCallerGone)
	}
	m.end(c, contact.CallbackTaken, routing.ReleasedByCaller, "")
	m.drop(c)
	if p != nil {
		m.touch(p)
	}
}
