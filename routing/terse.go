package routing

// pad holds the actions of a terse engine's last step, to be used again.
type pad struct {
	queued    []Queued
	offers    []Offer
	retracts  []Retract
	connects  []Connect
	announces []Announce
	ended     []Ended
	closed    []Closed
}

// Terse makes the engine leave out of what Step returns whatever only people read,
// for programs that run millions of events: AgentChanged, and of the Why of offers
// who else could have taken them.
// The actions listed in Reused come as pointers and, like the slice itself, are
// valid until the next Step only. What the engine decides is the same. A clone is
// not terse unless made so itself.
func (e *Engine) Terse() { e.terse = true }

// Reused is an action to which a terse engine gives a pointer.
type Reused interface {
	Queued | Offer | Retract | Connect | Announce | Ended | Closed
	Action
}

// emitReused emits an action, for a terse engine as a pointer into the pad.
func emitReused[A Reused](e *Engine, used *[]A, a A) {
	if !e.terse {
		e.emit(a)
		return
	}
	*used = append(*used, a)
	e.emit(any(&(*used)[len(*used)-1]).(Action)) //nolint:errcheck // a pointer to a Reused is an Action
}

// turn forgets what the step before returned.
func (p *pad) turn() {
	p.queued, p.offers, p.retracts, p.connects = p.queued[:0], p.offers[:0], p.retracts[:0], p.connects[:0]
	p.announces, p.ended, p.closed = p.announces[:0], p.ended[:0], p.closed[:0]
}
