package routing

import (
	"maps"
	"slices"

	"example.org/c3i/contact"
)

// Clone makes an independent engine in the same state: it shares only what
// never changes (the plan, facts, lists of needs).
func (e *Engine) Clone() *Engine {
	t := &Engine{
		now: e.now, tally: e.tally, lastOffer: e.lastOffer, gates: e.gates,
		handlers: make(map[AgentID]*handler, len(e.handlers)),
		contacts: make(map[contact.ID]*inquiry, len(e.contacts)),
		offers:   make(map[OfferID]*inquiry, len(e.offers)),
		ended:    endedIDs{ring: slices.Clone(e.ended.ring), next: e.ended.next, set: maps.Clone(e.ended.set)},
		left:     leavers{list: slices.Clone(e.left.list), lines: maps.Clone(e.left.lines)},
	}
	if e.plan == nil {
		return t
	}
	k := copier{from: e, to: t}
	k.rules()
	k.everyone()
	k.indexes()
	return t
}

// copier copies an engine. Queues, profiles and lines are found by their number
// in the plan's lists, contacts by their seat, handlers by id.
type copier struct {
	from, to *Engine
	lines    map[*line]*line
	// twins are the copies of contacts, by the seat of what was copied.
	twins []*inquiry
}

// rules copies the plan's queues, profiles and lines.
func (c *copier) rules() {
	old := c.from.plan
	r := *old
	c.to.plan = &r
	r.queues, r.queueOf = make([]*queue, len(old.queues)), make(map[QueueID]*queue, len(old.queues))
	for i, q := range old.queues {
		twin := *q
		twin.lines = nil
		r.queues[i], r.queueOf[q.ID] = &twin, &twin
	}
	r.profiles, r.named = make([]*profile, len(old.profiles)), make(map[string]*profile, len(old.profiles))
	for i, p := range old.profiles {
		twin := *p
		twin.lines = nil
		r.profiles[i], r.named[p.name] = &twin, &twin
	}
	for _, q := range r.queues {
		for ch := range channels {
			q.able[ch] = slices.Clone(q.able[ch])
			for i, p := range q.able[ch] {
				q.able[ch][i] = r.profiles[p.index]
			}
		}
	}
	r.lines, c.lines = make([]*line, len(old.lines)), make(map[*line]*line, len(old.lines))
	for i, l := range old.lines {
		twin := &line{queue: r.queues[l.queue.index], channel: l.channel, needs: l.needs, heap: slices.Clone(l.heap), able: make([]ableProfile, len(l.able))}
		for j, p := range l.able {
			twin.able[j] = ableProfile{r.profiles[p.index], p.fit}
		}
		twin.queue.lines = append(twin.queue.lines, twin)
		r.lines[i], c.lines[l] = twin, twin
	}
	for i, p := range old.profiles {
		for _, l := range p.lines {
			r.profiles[i].lines = append(r.profiles[i].lines, c.lines[l])
		}
	}
	r.lineOf, r.lineLike = make(map[lineKey]*line, len(old.lineOf)), make(map[string]*line, len(old.lineLike))
	for k, l := range old.lineOf {
		r.lineOf[k] = c.lines[l]
	}
	for k, l := range old.lineLike {
		r.lineLike[k] = c.lines[l]
	}
}

// everyone copies contacts and handlers, and what they hold of each other.
func (c *copier) everyone() {
	contacts := make([]inquiry, 0, len(c.from.contacts))
	c.twins = make([]*inquiry, len(c.from.seats.place))
	c.to.seats.place, c.to.seats.timer = make([]int32, 0, cap(contacts)), make([]int32, 0, cap(contacts))
	for id, old := range c.from.contacts {
		contacts = append(contacts, *old)
		twin := &contacts[len(contacts)-1]
		c.twins[old.seat] = twin
		twin.seat = int32(len(contacts) - 1)
		c.to.seats.place = append(c.to.seats.place, c.from.seats.place[old.seat])
		c.to.seats.timer = append(c.to.seats.timer, c.from.seats.timer[old.seat])
		twin.refusers = slices.Clone(old.refusers)
		if old.back != nil {
			back := *old.back
			twin.back = &back
		}
		if old.line != nil {
			twin.line = c.lines[old.line]
		}
		c.to.contacts[id] = twin
	}
	for id, old := range c.from.handlers {
		twin := *old
		twin.profile = c.profile(old.profile)
		twin.indexed.profile = c.profile(old.indexed.profile)
		twin.indexed.idle.h = &twin
		twin.work = make([]*inquiry, len(old.work))
		for i, w := range old.work {
			twin.work[i] = c.twins[w.seat]
			twin.work[i].handler = &twin
		}
		c.to.handlers[id] = &twin
	}
}

func (c *copier) profile(p *profile) *profile {
	if p.index < 0 {
		return unskilled(p.name)
	}
	return c.to.plan.profiles[p.index]
}

// indexes copies heaps and lists that point to contacts and handlers.
func (c *copier) indexes() {
	for _, l := range c.to.plan.lines {
		for i := range l.heap {
			l.heap[i] = placeOf(c.twins[l.heap[i].seat])
		}
	}
	for _, p := range c.to.plan.profiles {
		for ch := range channels {
			p.idle[ch] = slices.Clone(p.idle[ch])
			for i := range p.idle[ch] {
				p.idle[ch][i].h = c.to.handlers[p.idle[ch][i].h.id]
			}
		}
	}
	c.to.timers = slices.Clone(c.from.timers)
	for i, t := range c.to.timers {
		if t.c != nil {
			c.to.timers[i] = c.twins[t.seat].timerAt(t.at)
		} else {
			c.to.timers[i].h = c.to.handlers[t.h.id]
		}
	}
	for id, o := range c.from.offers {
		c.to.offers[id] = c.twins[o.seat]
	}
	for _, p := range c.from.promised {
		c.to.promised = append(c.to.promised, c.to.contacts[p.id])
	}
	for _, h := range c.from.kept {
		c.to.kept = append(c.to.kept, c.twins[h.seat])
	}
}
