package routing

import "example.org/c3i/contact"

// trial is a call that takes the place of a callback, tried on a clone: ending the
// callback may free a handler, for the call or for somebody before it.
type trial struct {
	id     contact.ID
	engine *Engine
	// offer is set when the call was offered at once; before is how the handlers
	// stood to it just before.
	offer  *Offer
	before []HandlerStanding
}

func (e *Engine) tryTakingOver(ev ContactArrived, like *inquiry) *trial {
	if ev.Contact == "" || e.contacts[ev.Contact] != nil || e.ended.has(ev.Contact) {
		ev.Contact = like.keptFrom + "~" // the next in order of id
	}
	t := &trial{id: ev.Contact, engine: e.Clone()}
	t.engine.trial = t
	for _, a := range t.engine.Step(e.now, ev) {
		if o, is := a.(Offer); is && o.Contact == t.id {
			t.offer = &o
		}
	}
	return t
}

// offering notes how the handlers stand to a contact about to be offered.
func (t *trial) offering(c *inquiry) {
	if c.id == t.id {
		t.before = t.engine.standings(c)
	}
}

func (t *trial) explanation() Explanation {
	c := t.engine.contacts[t.id]
	x := t.engine.explanation(c)
	x.Contact = ""
	if o := t.offer; o != nil {
		x.Phase, x.Agent, x.Position, x.EstimatedWait = PhaseWaiting, o.Agent, 1, 0
		x.Why, x.Next = o.Why, t.engine.changes(c)
	}
	return x
}

func (t *trial) standings() []HandlerStanding {
	if t.offer != nil {
		return t.before
	}
	return t.engine.standings(t.engine.contacts[t.id])
}
