package routing

import "slices"

// finish makes every offer that has become possible. Contacts newly offerable
// look for the best handler, in order of place; a handler newly available takes
// the most due contact; when both happened at once, all waiting contacts are
// looked at in order of place.
func (e *Engine) finish() {
	if e.recheck {
		e.recheck = false
		e.endHolds()
	}
	e.offerAll()
	e.warnSpent()
}

// offerAll makes the offers and empties the lists that asked for them.
func (e *Engine) offerAll() {
	switch {
	case len(e.pending) == 0 && len(e.freed) == 0:
		return
	case len(e.freed) == 0:
		if len(e.pending) > 1 {
			slices.SortFunc(e.pending, comparePlaces)
		}
		e.seekHandlers(e.pending)
	case len(e.pending) == 0 && len(e.freed) == 1:
		e.seekContact(e.freed[0])
	default:
		e.seekAll()
	}
	for i, c := range e.pending {
		c.fresh = false
		e.pending[i] = nil
	}
	e.pending = e.pending[:0]
	clear(e.freed)
	e.freed = e.freed[:0]
}

// seekHandlers goes through contacts in order of place, then once more for those
// left whom only handlers who refused them could take.
func (e *Engine) seekHandlers(contacts []*inquiry) {
	again := false
	for _, c := range contacts {
		e.seekHandler(c)
		again = again || len(c.refusers) > 0
	}
	if !again {
		return
	}
	for _, c := range contacts {
		e.seekRefuser(c)
	}
}

// seekHandler offers a waiting contact to the best available handler who has not
// refused it, if any.
func (e *Engine) seekHandler(c *inquiry) {
	if !e.seats.waits(c) {
		return
	}
	if h := e.bestHandler(c); h != nil {
		e.offerTo(c, h)
	}
}

// seekRefuser begins a new round for a contact if somebody who refused it is free.
func (e *Engine) seekRefuser(c *inquiry) {
	if !e.seats.waits(c) || len(c.refusers) == 0 {
		return
	}
	before := c.refusers
	c.refusers = nil
	h := e.bestHandler(c)
	if h == nil {
		c.refusers = before
		return
	}
	e.offerTo(c, h)
}

// seekContact offers an available handler the most due contact they may take and
// have not refused; if there is none, the most due they have.
func (e *Engine) seekContact(h *handler) {
	if !h.available() {
		return
	}
	c := e.mostDue(h, false)
	if c == nil {
		if c = e.mostDue(h, true); c == nil {
			return
		}
		c.refusers = nil // a new round
	}
	e.offerTo(c, h)
}

// mostDue is the most due contact the handler may take, if any: of all, or of
// those they have not refused.
func (e *Engine) mostDue(h *handler, all bool) *inquiry {
	var best *inquiry
	var at place
	for _, l := range h.profile.lines {
		if len(l.heap) == 0 || h.indexed.gate[l.channel] != gateOpen {
			continue
		}
		if best != nil && !l.heap[0].before(at) {
			continue
		}
		if c := l.first(0, h.id, all); c != nil {
			if p := placeOf(c); best == nil || p.before(at) {
				best, at = c, p
			}
		}
	}
	return best
}

// seekAll offers all that can be offered, the most due contact first.
func (e *Engine) seekAll() {
	var all []*inquiry
	for _, l := range e.plan.lines {
		if e.gates[l.channel][gateOpen] == 0 {
			continue
		}
		for _, p := range l.heap {
			all = append(all, p.c)
		}
	}
	slices.SortFunc(all, comparePlaces)
	e.seekHandlers(all)
}

// bestHandler is the available handler first in order of preference, proficiency,
// idle time and id, who has not refused the contact.
func (e *Engine) bestHandler(c *inquiry) *handler {
	l := c.line
	if e.gates[l.channel][gateOpen] == 0 {
		return nil
	}
	if h := e.preferredFree(c); h != nil {
		return h
	}
	if c.held {
		return nil
	}
	var best idleEntry
	for i, p := range l.able {
		if best.h != nil && p.fit < l.able[i-1].fit {
			break
		}
		if entry, found := p.idle[l.channel].first(c); found && (best.h == nil || entry.compare(best) < 0) {
			best = entry
		}
	}
	return best.h
}

// explain tells why the contact, still in its line, goes to the handler, who is
// still available.
func (e *Engine) explain(c *inquiry, h *handler) Why {
	l := c.line
	w := Why{PlanVersion: c.version, Rule: c.rule, Queue: c.queue, Target: c.target, Credit: c.credit, Needs: l.needs, Waiting: l.queue.waiting}
	e.explainCourse(c, h, &w)
	if e.terse {
		return w
	}
	available := e.gates[l.channel][gateOpen]
	able, refused, kept := 1, 0, 0
	if available == 1 {
		fit, _ := h.profile.fits(l.channel, l.needs)
		w.Eligible = []Candidate{{Agent: h.id, Proficiency: fit, IdleSince: h.idleSince}}
	} else {
		// The handler is the first: a freed one is the only one, because others
		// who could take the contact would have it already.
		w.Eligible, able, refused, kept = e.candidates(c)
	}
	w.EligibleCount = able - refused - kept
	w.Chosen = "most_due"
	if c.fresh {
		w.Chosen = decidedBy(w.Eligible, w.Preferred)
	}
	w.Removed = e.removed(l.channel, available-able, refused, kept)
	return w
}

// candidates lists the best who may take the contact, at most WhyListed, and
// counts those able and, among them, those who refused it and those it is kept from.
func (e *Engine) candidates(c *inquiry) (list []Candidate, able, refused, kept int) {
	l := c.line
	var tier []idleEntry
	first := e.preferredFree(c)
	if first != nil {
		fit, _ := first.profile.fits(l.channel, l.needs)
		list = append(list, Candidate{Agent: first.id, Proficiency: fit, IdleSince: first.idleSince})
	}
	for i, p := range l.able {
		set := p.idle[l.channel]
		able += len(set)
		if len(list) < WhyListed {
			taken := 0
			for _, entry := range set {
				if taken == WhyListed {
					break
				}
				if entry.h != first && !c.deniedTo(entry.h.id) {
					tier = append(tier, entry)
					taken++
				}
			}
		}
		if i+1 == len(l.able) || l.able[i+1].fit != p.fit {
			slices.SortFunc(tier, idleEntry.compare)
			for _, entry := range tier[:min(len(tier), WhyListed-len(list))] {
				list = append(list, Candidate{Agent: entry.h.id, Proficiency: p.fit, IdleSince: entry.since})
			}
			tier = tier[:0]
		}
	}
	for _, id := range c.refusers {
		if r := e.handlers[id]; r != nil && r.indexed.gate[l.channel] == gateOpen {
			if _, fits := r.profile.fits(l.channel, l.needs); fits {
				refused++
			}
		}
	}
	if c.held {
		kept = able - refused - len(list)
	}
	return list, able, refused, kept
}

func decidedBy(eligible []Candidate, preferred AgentID) string {
	switch {
	case len(eligible) == 1:
		return "only_one"
	case eligible[0].Agent == preferred && preferred != "":
		return "preferred"
	case eligible[0].Proficiency != eligible[1].Proficiency:
		return "proficiency"
	case eligible[0].IdleSince != eligible[1].IdleSince:
		return "longest_idle"
	}
	return "id"
}

// removed counts handlers by the gate that kept them out, leaving out zeros.
func (e *Engine) removed(ch, unskilled, refused, kept int) []GateCount {
	kinds := 0
	for g := gateState; g < gateAway; g++ {
		if e.gates[ch][g] > 0 {
			kinds++
		}
	}
	if kinds == 0 && unskilled == 0 && refused == 0 && kept == 0 {
		return nil
	}
	list := make([]GateCount, 0, kinds+3)
	for g := gateState; g < gateAway; g++ {
		if n := e.gates[ch][g]; n > 0 {
			list = append(list, GateCount{gateNames[g], n})
		}
	}
	if unskilled > 0 {
		list = append(list, GateCount{GateSkill, unskilled})
	}
	if refused > 0 {
		list = append(list, GateCount{GateRefused, refused})
	}
	if kept > 0 {
		list = append(list, GateCount{GateKept, kept})
	}
	return list
}
