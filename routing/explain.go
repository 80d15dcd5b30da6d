package routing

import (
	"cmp"
	"slices"

	"example.org/c3i/contact"
)

// Explanation tells where a contact stands, or would stand, and why.
type Explanation struct {
	// Contact is empty for a hypothetical one.
	Contact contact.ID `json:"contact,omitempty"`
	Phase   Phase      `json:"phase"`
	// Agent has it, or was chosen for a hypothetical one that would be offered at
	// once.
	Agent   AgentID         `json:"agent,omitempty"`
	Channel contact.Channel `json:"channel"`
	Class   int             `json:"class"`
	Arrival contact.Instant `json:"arrival"`
	Due     contact.Instant `json:"due"`
	// At is the instant the explanation holds for.
	At contact.Instant `json:"at"`
	// Open tells whether the queue the rule chose is open. A call that came to a
	// closed one would hear its announcement and be gone; what was written waits.
	Open bool `json:"open"`
	// Position counts from 1 all that wait in the queue in order of place; 0 unless
	// it waits.
	Position int `json:"position,omitempty"`
	// EstimatedWait is for a contact that waits; EstimateUnknown when nobody within
	// reach has what the queue needs.
	EstimatedWait contact.Duration `json:"estimated_wait"`
	// Why is as an Offer's made now would be: Chosen is empty when nobody can be
	// offered it. For a contact in hand it tells the routing only.
	Why Why `json:"why"`
	// Callback is set once the caller asked to be rung back.
	Callback *CallbackStatus `json:"callback,omitempty"`
	// Next lists what will change by age alone, the next of each kind, soonest first.
	Next []Change `json:"next,omitempty"`
}

// Change is something that will happen to a waiting contact by its age alone.
type Change struct {
	At   contact.Instant `json:"at"`
	What ChangeKind      `json:"what"`
	// Step names the relaxation step, To the queue of an overflow step.
	Step string  `json:"step,omitempty"`
	To   QueueID `json:"to,omitempty"`
}

// ChangeKind says what will happen.
type ChangeKind string

// What may happen to a waiting contact as it ages.
const (
	ChangeRelaxed    ChangeKind = "relaxed"      // a relaxation step widens who may take it
	ChangeOverflowed ChangeKind = "overflowed"   // it moves to another queue
	ChangeLetGo      ChangeKind = "let_go"       // it is kept for its preferred handler no longer
	ChangeAnnounced  ChangeKind = "announcement" // the caller is told position and wait
	ChangeRingable   ChangeKind = "ringable"     // the caller may be rung back
)

// ExplainContact tells where a contact that is here stands and why. The engine
// is not changed. It looks at all that waits in the contact's queue.
func (e *Engine) ExplainContact(id contact.ID) (Explanation, bool) {
	c := e.contacts[id]
	if c == nil {
		return Explanation{}, false
	}
	return e.explanation(c), true
}

// Explain tells what would become of a contact that arrived at the instant of the
// last Step:
// its queue and rule, its place among those waiting, who could take it, which gate
// keeps out the others, and what will change as it ages. Arrival, when set, is kept
// as for an arrival. False when no plan is in force or the channel is not known.
// The engine is not changed.
func (e *Engine) Explain(ev ContactArrived) (Explanation, bool) {
	ch, known := channelIndex(ev.Channel)
	if e.plan == nil || !known {
		return Explanation{}, false
	}
	// What routing one contact writes is put back: a line it alone would stand in
	// stays, which neither Hash nor any decision sees.
	c := &inquiry{seat: unseated, heldAt: -1}
	home := e.take(c, ev, ch)
	if home.open && e.contacts[c.keptFrom] != nil {
		e.spent = e.spent[:0]
		return e.tryTakingOver(ev, c).explanation(), true
	}
	x := e.explanation(c)
	x.Contact = ""
	e.spent = e.spent[:0]
	return x, true
}

func (e *Engine) explanation(c *inquiry) Explanation {
	x := Explanation{Contact: c.id, Phase: c.phase, Channel: channelNames[c.channel], Class: int(c.class), Arrival: c.arrival, Due: c.due, At: e.now, Callback: c.back.status()}
	if home := e.plan.queueOf[c.home]; home != nil {
		x.Open = home.open
	}
	x.Why = Why{PlanVersion: c.version, Rule: c.rule, Queue: c.queue, Target: c.target, Credit: c.credit}
	if c.handler != nil {
		x.Agent = c.handler.id
	}
	if c.line == nil {
		x.Why.From, x.Why.KeptFrom = c.from(), c.keptFrom
		return x
	}
	x.Why.Needs = c.line.needs
	e.explainCourse(c, c.handler, &x.Why)
	if c.phase == PhaseDeferred && c.until != 0 {
		x.Next = []Change{{At: c.until, What: ChangeRingable}}
	}
	if c.phase != "" {
		return x
	}
	x.Phase = PhaseWaiting
	q := c.line.queue
	x.Why.Waiting = q.waiting
	at := placeOf(c)
	x.Position = 1
	for _, l := range q.lines {
		x.Position += l.ahead(0, at, q.waiting)
	}
	h := e.bestHandler(c)
	if !e.seats.waits(c) {
		x.Why.Waiting++
	}
	staffed, _ := q.staff(c.channel)
	x.EstimatedWait = q.estimate(c.channel, x.Position, staffed)
	var able, refused, kept int
	x.Why.Eligible, able, refused, kept = e.candidates(c)
	x.Why.EligibleCount = able - refused - kept
	x.Why.Removed = e.removed(c.channel, e.gates[c.channel][gateOpen]-able, refused, kept)
	if h != nil {
		x.Agent, x.EstimatedWait = h.id, 0
		x.Why.Chosen = decidedBy(x.Why.Eligible, x.Why.Preferred)
		e.explainCourse(c, h, &x.Why)
	}
	x.Next = e.changes(c)
	return x
}

// changes lists the next of each kind of change, soonest first.
func (e *Engine) changes(c *inquiry) []Change {
	home, q := e.plan.queueOf[c.home], c.line.queue
	var list []Change
	if c.step < len(q.Relax) {
		s := q.Relax[c.step]
		list = append(list, Change{At: c.arrival.Add(min(s.After, longest)), What: ChangeRelaxed, Step: s.Name})
	}
	if c.moves < len(home.Overflow) {
		o := home.Overflow[c.moves]
		list = append(list, Change{At: c.arrival.Add(min(o.After, longest)), What: ChangeOverflowed, To: o.To})
	}
	if c.held {
		list = append(list, Change{At: c.queued.Add(min(home.Preferred.Wait, longest)), What: ChangeLetGo})
	}
	if c.sayAt != 0 {
		list = append(list, Change{At: c.sayAt, What: ChangeAnnounced})
	}
	slices.SortStableFunc(list, func(a, b Change) int { return cmp.Compare(a.At, b.At) })
	return list
}
