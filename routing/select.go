package routing

import "slices"

// finish makes every offer that has become possible. Contacts newly offerable
// look for the best handler, in order of place; a handler newly available takes
// the most due contact; when both happened at once, all waiting contacts are
// looked at in order of place.
func (e *Engine) finish() {
	switch {
	case len(e.pending) == 0 && len(e.freed) == 0:
		return
	case len(e.freed) == 0:
		if len(e.pending) > 1 {
			slices.SortFunc(e.pending, comparePlaces)
		}
		for _, c := range e.pending {
			e.seekHandler(c)
		}
	case len(e.pending) == 0 && len(e.freed) == 1:
		e.seekContact(e.freed[0])
	default:
		e.seekAll()
	}
	for i, c := range e.pending {
		c.fresh = false
		if c.place >= 0 {
			c.refusers = nil // nobody else was there: the next round begins
		}
		e.pending[i] = nil
	}
	e.pending = e.pending[:0]
	clear(e.freed)
	e.freed = e.freed[:0]
}

// seekHandler offers a waiting contact to the best available handler, if any: to
// one who refused it only when there is nobody else.
func (e *Engine) seekHandler(c *inquiry) {
	if c.place < 0 {
		return
	}
	h := e.bestHandler(c)
	if h == nil && len(c.refusers) > 0 {
		c.refusers = nil
		h = e.bestHandler(c)
	}
	if h != nil {
		e.offerTo(c, h)
	}
}

// seekContact offers an available handler the most due contact they may take.
func (e *Engine) seekContact(h *handler) {
	if !h.available() {
		return
	}
	var best *inquiry
	var at place
	for _, l := range h.profile.lines {
		if len(l.heap) == 0 || h.indexed.gate[l.channel] != gateOpen {
			continue
		}
		if best != nil && !l.heap[0].before(at) {
			continue
		}
		best, at = l.heap[0].c, l.heap[0]
	}
	if best != nil {
		e.offerTo(best, h)
	}
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
	for _, c := range all {
		e.seekHandler(c)
	}
}

// bestHandler is the available handler first in order of proficiency, idle time
// and id, who has not refused the contact.
func (e *Engine) bestHandler(c *inquiry) *handler {
	l := c.line
	if e.gates[l.channel][gateOpen] == 0 {
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
	available := e.gates[l.channel][gateOpen]
	able, refused := 1, 0
	if available == 1 {
		fit, _ := h.profile.fits(l.channel, l.needs)
		w.Eligible = []Candidate{{Agent: h.id, Proficiency: fit, IdleSince: h.idleSince}}
	} else {
		// The handler is the first: a freed one is the only one, because others
		// who could take the contact would have it already.
		w.Eligible, able, refused = e.candidates(c)
	}
	w.EligibleCount = able - refused
	w.Chosen = "most_due"
	if c.fresh {
		w.Chosen = decidedBy(w.Eligible)
	}
	w.Removed = e.removed(l.channel, available-able, refused)
	return w
}

// candidates lists the best who may take the contact, at most WhyListed, and
// counts those able and, among them, those who refused it.
func (e *Engine) candidates(c *inquiry) (list []Candidate, able, refused int) {
	l := c.line
	var tier []idleEntry
	for i, p := range l.able {
		set := p.idle[l.channel]
		able += len(set)
		if len(list) < WhyListed {
			taken := 0
			for _, entry := range set {
				if taken == WhyListed {
					break
				}
				if !c.refusedBy(entry.h.id) {
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
	return list, able, refused
}

func decidedBy(eligible []Candidate) string {
	switch {
	case len(eligible) == 1:
		return "only_one"
	case eligible[0].Proficiency != eligible[1].Proficiency:
		return "proficiency"
	case eligible[0].IdleSince != eligible[1].IdleSince:
		return "longest_idle"
	}
	return "id"
}

// removed counts handlers by the gate that kept them out, leaving out zeros.
func (e *Engine) removed(ch, unskilled, refused int) []GateCount {
	kinds := 0
	for g := gateState; g < gateAway; g++ {
		if e.gates[ch][g] > 0 {
			kinds++
		}
	}
	if kinds == 0 && unskilled == 0 && refused == 0 {
		return nil
	}
	list := make([]GateCount, 0, kinds+2)
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
	return list
}
