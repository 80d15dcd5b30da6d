package routing

import (
	"slices"
	"strings"

	"example.org/c3i/contact"
)

// prefers is the handler the contact prefers, empty if none.
func (c *inquiry) prefers() AgentID { return AgentID(c.facts.Preferred) }

// from is the queue the contact has overflowed from, empty if it has not.
func (c *inquiry) from() QueueID {
	if c.home == c.queue {
		return ""
	}
	return c.home
}

// lineRule is the rule whose needs count: none once the contact has overflowed.
func (c *inquiry) lineRule(rule int) int {
	if c.moves > 0 {
		return noRule
	}
	return rule
}

// stage is where a contact routed to home stands at an age: the queue, how many
// overflow steps brought it there, and how many relaxation steps of that queue
// it has taken.
func (r *ruleset) stage(home *queue, age contact.Duration) (q *queue, moves, step int) {
	q = home
	for moves < len(home.Overflow) && home.Overflow[moves].After <= age {
		q = r.queueOf[home.Overflow[moves].To]
		moves++
	}
	for step < len(q.Relax) && q.Relax[step].After <= age {
		step++
	}
	return q, moves, step
}

// mature puts a contact where its age puts it and tells whether that is another
// queue. It must not stand in a line.
func (e *Engine) mature(c *inquiry) (moved bool) {
	home := e.plan.queueOf[c.home]
	q, moves, step := e.plan.stage(home, e.now.Sub(c.arrival))
	moved = q.ID != c.queue
	c.queue, c.moves, c.step = q.ID, moves, step
	c.held = c.held && !e.waitedOut(c)
	rule := noRule
	if c.rule != "" {
		rule = e.plan.ruleOf[c.rule]
	}
	c.line = e.plan.lineFor(q, c.lineRule(rule), c.channel, step, c.facts.Language)
	e.planAnnouncement(c, q)
	if !c.spent && moves+step > 0 && moves == len(home.Overflow) && step == len(q.Relax) {
		e.spent = append(e.spent, c)
	}
	return moved
}

// nextLook is when a waiting contact must be looked at again, zero if never.
func (e *Engine) nextLook(c *inquiry) contact.Instant {
	home, q := e.plan.queueOf[c.home], c.line.queue
	next := contact.Instant(0)
	soonest := func(since contact.Instant, d contact.Duration) {
		if at := since.Add(min(d, longest)); next == 0 || at < next {
			next = at
		}
	}
	if c.moves < len(home.Overflow) {
		soonest(c.arrival, home.Overflow[c.moves].After)
	}
	if c.step < len(q.Relax) {
		soonest(c.arrival, q.Relax[c.step].After)
	}
	if c.held && home.Preferred != nil {
		soonest(c.queued, home.Preferred.Wait)
	}
	if c.sayAt != 0 {
		soonest(c.sayAt, 0)
	}
	return next
}

// age takes the steps of a waiting contact that are due.
func (e *Engine) age(c *inquiry) {
	say := c.sayAt != 0 && c.sayAt <= e.now
	q, moves, step := e.plan.stage(e.plan.queueOf[c.home], e.now.Sub(c.arrival))
	if say && moves == c.moves && step == c.step && (!c.held || !e.waitedOut(c)) {
		e.planAnnouncement(c, q)
		e.setWake(c, e.nextLook(c))
		e.announce(c)
		return
	}
	e.unwait(c)
	e.waitAgain(c)
	if say && c.sayAt != 0 {
		e.announce(c)
	}
}

// waitAgain puts a contact where its age puts it, to be offered.
func (e *Engine) waitAgain(c *inquiry) {
	moved := e.mature(c)
	if e.standAgain(c) {
		e.makePending(c)
	}
	if moved {
		e.emitQueued(c, false)
	}
}

// warnSpent tells people of contacts that still wait though their last step was
// taken.
func (e *Engine) warnSpent() {
	if len(e.spent) > 1 {
		slices.SortFunc(e.spent, func(a, b *inquiry) int { return strings.Compare(string(a.id), string(b.id)) })
	}
	for i, c := range e.spent {
		e.spent[i] = nil
		if e.seats.waits(c) && !c.spent {
			c.spent = true
			e.emit(Alert{
				Code: AlertStepsSpent, Contact: c.id, Queue: c.queue,
				Text: "This contact has taken the last step of its queue and still waits: for anyone able.",
			})
		}
	}
	e.spent = e.spent[:0]
}

// preferring is the handler a contact prefers, nil when the queue the rule chose
// heeds no preference or they are not here.
func (e *Engine) preferring(c *inquiry) *handler {
	if c.facts.Preferred == "" {
		return nil
	}
	if home := e.plan.queueOf[c.home]; home == nil || home.Preferred == nil {
		return nil
	}
	return e.handlers[c.prefers()]
}

// preferredFree is the preferred handler when they can be offered the contact now.
func (e *Engine) preferredFree(c *inquiry) *handler {
	h := e.preferring(c)
	if h == nil || h.indexed.gate[c.channel] != gateOpen || c.refusedBy(h.id) {
		return nil
	}
	if _, able := h.profile.fits(c.channel, c.line.needs); !able {
		return nil
	}
	return h
}

// keptFor tells whether a waiting contact is to be kept for the handler it
// prefers as long as the wait for them goes on: they will be available, have the
// skills and did not refuse it.
func (e *Engine) keptFor(c *inquiry) bool {
	h := e.preferring(c)
	if h == nil || !h.within(c.channel) || c.refusedBy(h.id) {
		return false
	}
	_, able := h.profile.fits(c.channel, c.line.needs)
	return able
}

// waitedOut tells whether the wait for the preferred handler is over.
func (e *Engine) waitedOut(c *inquiry) bool {
	policy := e.plan.queueOf[c.home].Preferred
	return policy == nil || e.now >= c.queued.Add(min(policy.Wait, longest))
}

// endHolds lets others take contacts that are kept for nobody any more.
func (e *Engine) endHolds() {
	for i := 0; i < len(e.kept); {
		c := e.kept[i]
		if e.keptFor(c) {
			i++
			continue
		}
		c.held = false
		e.unhold(c)
		e.setWake(c, e.nextLook(c))
		e.makePending(c)
	}
}

// explainCourse tells what age and preference made of the contact; h is who gets
// it, nil if nobody yet.
func (e *Engine) explainCourse(c *inquiry, h *handler, w *Why) {
	w.From, w.Surges, w.KeptFrom = c.from(), e.plan.surges, c.keptFrom
	if c.step > 0 {
		w.Step = c.line.queue.Relax[c.step-1].Name
	}
	home := e.plan.queueOf[c.home]
	if c.facts.Preferred == "" || home == nil || home.Preferred == nil {
		return
	}
	w.Preferred = c.prefers()
	p := e.handlers[w.Preferred]
	switch {
	case h != nil && p == h:
		w.Preference = PreferenceMet
	case c.held:
		w.Preference = PreferenceWaits
	case c.refusedBy(w.Preferred):
		w.Preference = PreferenceRefused
	case p == nil || !p.within(c.channel) && p.profile.capacity[c.channel] > 0:
		w.Preference = PreferenceAway
	default:
		w.Preference = PreferenceWaited
		if _, able := p.profile.fits(c.channel, c.line.needs); !able {
			w.Preference = PreferenceUnable
		}
	}
}
