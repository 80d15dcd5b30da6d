package routing

import (
	"slices"
	"strings"

	"example.org/c3i/contact"
)

// planPublished puts a plan in force: contacts not yet connected are routed anew
// and keep their place (class and due time), handlers take their new profile,
// offers their handler may no longer have are withdrawn, and whatever can then
// be offered is, most due first. Rules see the queues as they were before.
func (e *Engine) planPublished(ev PlanPublished) {
	var on, gone []string
	if e.plan != nil && ev.Plan != nil {
		on, gone = ev.Plan.surviving(e.plan.surges)
	}
	next, good := prepare(ev.Version, ev.Source, ev.Plan, on)
	if !good {
		e.emit(Refused{Event: ev.Kind(), Code: RefusedPlan})
		return
	}
	for _, name := range gone {
		e.emit(Alert{Code: AlertSurgeGone, Text: "The plan no longer has the surge " + name + ", which was on: it is off now."})
	}
	e.putInForce(next)
}

// putInForce replaces the plan by one made ready.
func (e *Engine) putInForce(next *ruleset) {
	figures := e.figuresKept()
	if e.plan != nil {
		for _, q := range e.plan.queues {
			if same := next.queueOf[q.ID]; same != nil {
				same.open, same.mayRing, same.handle = q.open, q.mayRing, q.handle
			}
		}
	}
	e.plan = next
	handlers, contacts := e.sortedHandlers(), e.sortedContacts()
	slices.SortFunc(contacts, comparePlaces)
	e.kept = e.kept[:0]
	e.recheck = true
	for _, c := range contacts {
		e.reroute(c, figures[c.channel])
	}
	for _, h := range handlers {
		e.reprofile(h)
	}
	for _, c := range contacts {
		if c.phase == PhaseRinging && !e.qualifies(c.handler, c) {
			e.withdraw(c, RetractPlan)
		}
	}
}

// reroute puts a contact that may still be offered into its line under the plan
// now in force. The old plan's lines are gone with it.
func (e *Engine) reroute(c *inquiry, figures func(QueueID) QueueFigures) {
	if c.line == nil {
		return
	}
	rule, q := e.plan.route(c.channel, c.facts, c.wanted, figures)
	before := c.queue
	e.putIn(c, rule, q)
	e.mature(c)
	switch c.phase {
	case "", PhaseDeferred:
		e.seats.place[c.seat], c.heldAt = -1, -1
		e.standAgain(c)
	case PhaseRinging:
		c.line.queue.ringing++
	}
	if c.queue != before {
		e.emitQueued(c, false)
		if c.handler != nil {
			e.show(c.handler)
		}
	}
}

// reprofile gives a handler their profile of the plan now in force. It frees each
// who is available, so that finish looks at all that waits.
func (e *Engine) reprofile(h *handler) {
	name := h.profile.name
	gone := h.profile.index < 0
	h.profile = e.plan.named[name]
	if h.profile == nil {
		h.profile = unskilled(name)
		if h.signedOn && !gone {
			e.emit(Alert{Code: AlertProfileGone, Agent: h.id, Text: "The plan no longer has this handler's profile: they are offered nothing until they sign on with another."})
		}
	}
	e.index(h)
}

func (e *Engine) sortedHandlers() []*handler {
	all := make([]*handler, 0, len(e.handlers))
	for _, h := range e.handlers {
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b *handler) int { return strings.Compare(string(a.id), string(b.id)) })
	return all
}

func (e *Engine) sortedContacts() []*inquiry {
	all := make([]*inquiry, 0, len(e.contacts))
	for _, c := range e.contacts {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *inquiry) int { return strings.Compare(string(a.id), string(b.id)) })
	return all
}

// endedIDs remembers the ids of the last contacts that left, so that a contact
// sent twice is known.
type endedIDs struct {
	ring []contact.ID // oldest at next once full
	next int
	set  map[contact.ID]struct{}
}

// EndedRemembered is how many contacts that left are remembered by id: a contact
// id is refused as a duplicate while its contact is here and until that many
// others have left after it.
const EndedRemembered = 10_000

func newEndedIDs() endedIDs { return endedIDs{set: map[contact.ID]struct{}{}} }

func (s *endedIDs) has(id contact.ID) bool {
	_, found := s.set[id]
	return found
}

func (s *endedIDs) add(id contact.ID) {
	s.set[id] = struct{}{}
	if len(s.ring) < EndedRemembered {
		s.ring = append(s.ring, id)
		return
	}
	delete(s.set, s.ring[s.next])
	s.ring[s.next] = id
	s.next = (s.next + 1) % EndedRemembered
}

// oldestFirst lists what is remembered.
func (s *endedIDs) oldestFirst() []contact.ID {
	return append(append([]contact.ID{}, s.ring[s.next:]...), s.ring[:s.next]...)
}
