package routing

import "example.org/c3i/contact"

// written finds a written contact that its handler is at or has parked, or the
// code to refuse with.
func (e *Engine) written(id contact.ID, agent AgentID) (c *inquiry, code string) {
	c, code = e.held(id, agent)
	switch {
	case code != "":
	case c.channel == onPhone:
		code = RefusedNotWritten
	case c.phase != PhaseTalking && c.phase != PhaseParked:
		code = RefusedPhase
	}
	return c, code
}

// parkAsked puts a written contact aside until its handler takes it up again. It
// still counts for its channel, and keeps no call away.
func (e *Engine) parkAsked(ev ContactParked) {
	c, code := e.written(ev.Contact, ev.Agent)
	if code == "" && c.aside {
		code = RefusedNoChange
	}
	if code != "" {
		e.emit(Refused{Event: ev.Kind(), Code: code, Agent: ev.Agent, Contact: ev.Contact})
		return
	}
	if c.phase != PhaseParked {
		c.phase, c.since = PhaseParked, e.now
	}
	c.aside = true
	e.emit(Parked{Contact: c.id, Agent: ev.Agent})
	e.settle(c.handler)
}

// resumeAsked takes up again what was put aside, unless a call is there first.
func (e *Engine) resumeAsked(ev ContactResumed) {
	c, code := e.written(ev.Contact, ev.Agent)
	switch {
	case code != "":
	case c.phase == PhaseTalking:
		code = RefusedNoChange
	case !c.aside || c.handler.hasCall():
		code = RefusedPhase
	}
	if code != "" {
		e.emit(Refused{Event: ev.Kind(), Code: code, Agent: ev.Agent, Contact: ev.Contact})
		return
	}
	c.phase, c.since, c.aside = PhaseTalking, e.now, false
	e.emit(Resumed{Contact: c.id, Agent: ev.Agent})
	e.settle(c.handler)
}

// forwarded gives a written contact to another queue, to wait there in the place
// its arrival gives it. Who forwards it counts as having refused it this round.
func (e *Engine) forwarded(ev ContactForwarded) {
	c, code := e.written(ev.Contact, ev.Agent)
	if code == "" && e.plan.queueOf[ev.Queue] == nil {
		code = RefusedQueue
	}
	if code != "" {
		e.emit(Refused{Event: ev.Kind(), Code: code, Agent: ev.Agent, Contact: ev.Contact})
		return
	}
	h := c.handler
	h.drop(c)
	h.idleSince = e.now
	e.emit(Forwarded{Contact: c.id, Agent: h.id, From: c.queue, To: ev.Queue})
	c.phase, c.handler, c.offer, c.since, c.answered, c.aside = "", nil, 0, 0, 0, false
	c.wanted, c.spent, c.refusers = ev.Queue, false, []AgentID{h.id}
	rule, q := e.plan.route(c.channel, c.facts, c.wanted, e.figuresNow(c.channel))
	e.putIn(c, rule, q)
	// Class and credit are kept: what made it urgent still does.
	c.target = min(max(q.AnswerWithin[channelNames[c.channel]], 0), longest)
	c.due = c.arrival.Add(c.target - c.credit)
	e.mature(c)
	c.held = e.keptFor(c) && !e.waitedOut(c)
	e.emitQueued(c, false)
	e.wait(c)
	e.makePending(c)
	e.settle(h)
}

// messageJoined counts one more message of a written contact that has not ended,
// and shows its handler that there is one.
func (e *Engine) messageJoined(ev MessageJoined) {
	c, code := e.goesOn(ev.Contact)
	if code == "" && c.channel == onPhone {
		code = RefusedNotWritten
	}
	if code != "" {
		e.emit(Refused{Event: ev.Kind(), Code: code, Contact: ev.Contact})
		return
	}
	c.joined++
	if c.handler != nil {
		e.show(c.handler)
	}
}
