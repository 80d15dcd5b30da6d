package routing

import "example.org/c3i/contact"

func (e *Engine) hoursChanged(ev HoursChanged) {
	code := ""
	switch {
	case e.plan == nil:
		code = RefusedNoPlan
	case e.plan.queueOf[ev.Queue] == nil:
		code = RefusedQueue
	case e.plan.queueOf[ev.Queue].open == ev.Open:
		code = RefusedNoChange
	}
	if code != "" {
		e.emit(Refused{Event: ev.Kind(), Code: code})
		return
	}
	// Contacts that wait when a queue closes are still served.
	e.plan.queueOf[ev.Queue].open = ev.Open
}

func (e *Engine) arrived(ev ContactArrived) {
	ch, known := channelIndex(ev.Channel)
	code := ""
	switch {
	case e.plan == nil:
		code = RefusedNoPlan
	case ev.Contact == "":
		code = RefusedContactID
	case !known:
		code = RefusedChannel
	case e.contacts[ev.Contact] != nil || e.ended.has(ev.Contact):
		code = RefusedDuplicate
	}
	if code != "" {
		e.emit(Refused{Event: ev.Kind(), Code: code, Contact: ev.Contact})
		return
	}
	e.tally.Arrived++
	c := e.seats.next()
	q := e.take(c, ev, ch)
	if c.wanted != "" && e.plan.queueOf[c.wanted] == nil {
		e.emit(Alert{Code: AlertQueueGone, Contact: c.id, Queue: c.wanted, Text: "A contact asked for a queue the plan does not have; the rules chose another."})
	}
	if c.class == 0 {
		e.emit(Alert{Code: AlertRisk, Contact: c.id, Queue: c.home, Text: "Somebody may be at risk: the rule “" + c.rule + "” put this contact before everything else."})
	}
	if !q.open && ch == onPhone { // what was written waits for the queue to open
		e.emit(QueueClosed{Contact: c.id, Queue: q.ID, Announcement: q.ClosedAnnouncement})
		c.queue = q.ID
		e.end(c, contact.AbandonedAfterMessage, ReleasedBySystem, "")
		e.ended.add(c.id)
		e.seats.free(c)
		return
	}
	e.contacts[c.id] = c
	e.backAgain(c)
	e.emitQueued(c, q.Callback != nil && e.offersCallback(c, c.line.queue.figures(ch).EstimatedWait))
	e.wait(c)
	e.makePending(c)
}

// take makes an empty contact one of an arrival, routed to a queue and put where
// its age puts it. Nothing of the engine points to it yet.
func (e *Engine) take(c *inquiry, ev ContactArrived, ch int) (home *queue) {
	c.id, c.channel, c.facts, c.wanted, c.queued = ev.Contact, ch, ev.Facts, ev.Queue, e.now
	c.arrival = ev.Arrival
	if c.arrival <= 0 || c.arrival > e.now {
		c.arrival = e.now
	}
	rule, q := e.plan.route(ch, c.facts, c.wanted, e.figuresNow(ch))
	e.putIn(c, rule, q)
	e.ringBack(c)
	c.class, c.target = 1, min(max(q.AnswerWithin[ev.Channel], 0), longest)
	if rule != noRule {
		r := &e.plan.plan.Rules[rule]
		c.credit = min(max(r.Credit, 0), longest)
		if r.Class0 {
			c.class = 0
		}
	}
	c.due = c.arrival.Add(c.target - c.credit)
	e.mature(c)
	c.held = e.keptFor(c) && !e.waitedOut(c)
	return q
}

// putIn stamps the contact with the queue and what chose it.
func (e *Engine) putIn(c *inquiry, rule int, q *queue) {
	c.queue, c.home, c.moves, c.step = q.ID, q.ID, 0, 0
	c.rule, c.version = e.plan.ruleName(rule), e.plan.version
}

func (e *Engine) emitQueued(c *inquiry, callback bool) {
	from := c.from()
	emitReused(e, &e.pad.queued, Queued{
		Contact: c.id, Channel: channelNames[c.channel], Queue: c.queue, Arrival: c.arrival, Due: c.due,
		Facts: c.facts, Rule: c.rule, PlanVersion: c.version,
		From: from, KeptFrom: c.keptFrom, Callback: callback, RingBack: c.awaited(),
	})
}
