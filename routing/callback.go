package routing

import (
	"slices"

	"example.org/c3i/contact"
)

// CallbackPause is how long nobody is rung back after they asked: time to hang up.
const CallbackPause = 10 * contact.Second

// PhaseDeferred is the phase of a callback that may not be made yet. It stands in
// no line, so that nobody is kept waiting for it; its place it keeps.
const PhaseDeferred Phase = "deferred"

// callback is what a contact carries whose caller asked to be rung back.
type callback struct {
	asked contact.Instant
	// tries counts the attempts that failed.
	tries int
	// after is when the caller may be rung at the earliest.
	after contact.Instant
	// here tells that the caller answered and is on the line again.
	here bool
	// result is set by what ends it before a conversation; see callbackResult.
	result CallbackResult
}

// CallbackStatus is where a callback stands.
type CallbackStatus struct {
	// Asked is when the caller asked for it.
	Asked contact.Instant `json:"asked"`
	// Tries counts the attempts that failed.
	Tries int `json:"tries"`
	// After is when the caller may be rung at the earliest.
	After contact.Instant `json:"after"`
	// CallerHere tells that the caller answered and is on the line again.
	CallerHere bool `json:"caller_here,omitempty"`
}

func (b *callback) status() *CallbackStatus {
	if b == nil {
		return nil
	}
	return &CallbackStatus{Asked: b.asked, Tries: b.tries, After: b.after, CallerHere: b.here}
}

// awaited tells whether the contact's caller is to be rung: they asked for it and
// are not on the line.
func (c *inquiry) awaited() bool { return c.back != nil && !c.back.here }

// callbackPolicy is the policy that counts for a contact.
func (e *Engine) callbackPolicy(c *inquiry) CallbackPolicy {
	if home := e.plan.queueOf[c.home]; home != nil && home.Callback != nil {
		return *home.Callback
	}
	return CallbackDefault()
}

// ringable tells whether callers of the queue may be rung at this hour.
func (q *queue) ringable() bool {
	return q == nil || q.Callback == nil || q.Callback.Hours == nil || q.mayRing
}

// early tells whether a callback may not be made yet.
func (e *Engine) early(c *inquiry) bool {
	return c.awaited() && (c.back.after > e.now || !e.plan.queueOf[c.home].ringable())
}

// offersCallback tells whether a caller who may expect a wait is to be offered to be
// rung back. Whoever is in danger stays on the line.
func (e *Engine) offersCallback(c *inquiry, wait contact.Duration) bool {
	home := e.plan.queueOf[c.home]
	return home != nil && home.Callback != nil && c.channel == onPhone && !c.awaited() && c.class != 0 && !c.facts.UnsafeToCall &&
		home.ringable() && wait > home.Callback.Over
}

func (e *Engine) callbackAsked(ev CallbackAsked) {
	c, code := e.goesOn(ev.Contact)
	switch {
	case code != "":
	case c.channel != onPhone:
		code = RefusedNotCall
	case c.awaited():
		code = RefusedNoChange
	case c.phase != "":
		code = RefusedPhase
	case e.plan.queueOf[c.home].Callback == nil:
		code = RefusedNoCallback
	case c.facts.UnsafeToCall:
		code = RefusedUnsafe
	case c.class == 0:
		code = RefusedRisk
	}
	if code != "" {
		e.emit(Refused{Event: ev.Kind(), Code: code, Contact: ev.Contact})
		return
	}
	e.unwait(c)
	if c.back == nil {
		c.back = &callback{asked: e.now}
	}
	c.back.here, c.back.after = false, e.after(CallbackPause)
	c.sayAt = 0
	e.promised = append(e.promised, c)
	e.putOff(c)
	e.emit(CallbackNoted{Contact: c.id, Queue: c.queue})
}

// putOff keeps a callback out of its line until it may be made.
func (e *Engine) putOff(c *inquiry) {
	if c.phase != PhaseDeferred {
		c.phase, c.since = PhaseDeferred, e.now
	}
	until := c.back.after
	if until <= e.now {
		until = 0 // the hours open it
	}
	e.setUntil(c, until)
}

// standAgain puts a contact in its line, or puts it off when it is a callback that
// may not be made yet; it tells which.
func (e *Engine) standAgain(c *inquiry) (waits bool) {
	if e.early(c) {
		e.setWake(c, 0)
		e.putOff(c)
		return false
	}
	if c.phase == PhaseDeferred {
		e.setUntil(c, 0)
		c.phase, c.since = "", 0
	}
	e.wait(c)
	return true
}

func (e *Engine) callbackHoursChanged(ev CallbackHoursChanged) {
	code := ""
	switch {
	case e.plan == nil:
		code = RefusedNoPlan
	case e.plan.queueOf[ev.Queue] == nil:
		code = RefusedQueue
	case e.plan.queueOf[ev.Queue].mayRing == ev.Open:
		code = RefusedNoChange
	}
	if code != "" {
		e.emit(Refused{Event: ev.Kind(), Code: code})
		return
	}
	e.plan.queueOf[ev.Queue].mayRing = ev.Open
	var theirs []*inquiry
	for _, c := range e.promised {
		if c.home == ev.Queue {
			theirs = append(theirs, c)
		}
	}
	slices.SortFunc(theirs, comparePlaces)
	// One that rings at a handler, or is being made, is not broken off.
	for _, c := range theirs {
		switch {
		case c.phase == "" && e.early(c):
			e.unwait(c)
			e.putOff(c)
		case c.phase == PhaseDeferred && !e.early(c):
			e.waitAgain(c)
		}
	}
}

// callBack has the caller rung for the handler who accepted.
func (e *Engine) callBack(c *inquiry) {
	ring := min(max(e.callbackPolicy(c).RingFor, contact.Second), longest)
	c.phase = PhaseCalling
	e.setUntil(c, e.after(ring+ConnectWithin))
	e.emit(CallBack{Offer: c.offer, Contact: c.id, Agent: c.handler.id, Attempt: c.back.tries + 1, RingFor: ring})
}

func (e *Engine) callbackFailed(ev CallbackFailed) {
	c, code := e.held(ev.Contact, ev.Agent)
	if code == "" && c.phase != PhaseCalling {
		code = RefusedPhase
	}
	if code != "" {
		e.emit(Refused{Event: ev.Kind(), Code: code, Agent: ev.Agent, Contact: ev.Contact})
		return
	}
	e.notReached(c, ev.Final)
}

// notReached counts an attempt that failed: the handler is free, and the contact has
// its place for the next attempt, or ends after the last.
func (e *Engine) notReached(c *inquiry, final bool) {
	h := e.detach(c, RetractNotReached)
	c.back.tries++
	policy := e.callbackPolicy(c)
	if final || c.back.tries >= policy.Attempts {
		c.back.result = CallbackNotReached
		if final {
			c.back.result = CallbackNotMade
		}
		e.emit(Alert{
			Code: AlertCallbackMissed, Contact: c.id, Queue: c.queue,
			Text: "A caller who was promised to be rung back was not reached, and is not tried again: find another way.",
		})
		e.end(c, contact.CallbackTaken, ReleasedBySystem, "")
		e.forget(c)
	} else {
		c.back.after = e.after(policy.Spacing)
		e.waitAgain(c)
	}
	e.settle(h)
}

// callbackResult is what became of a callback that ends now.
func (c *inquiry) callbackResult(cause ReleaseCause) CallbackResult {
	switch {
	case c.back.result != "":
		return c.back.result
	case c.answered != 0:
		return CallbackAnswered
	case cause == ReleasedByFailure:
		return CallbackBroken
	case cause == ReleasedByCaller && c.back.here:
		return CallbackLeft
	}
	return CallbackCancelled
}

// promisedTo finds the callback whose place a call takes over: of the same line, for
// the same queue, the first in order of place.
func (e *Engine) promisedTo(call *inquiry) (first *inquiry) {
	if call.facts.Line == "" {
		return nil
	}
	for _, c := range e.promised {
		if c.facts.Line == call.facts.Line && c.home == call.home && (first == nil || comparePlaces(c, first) < 0) {
			first = c
		}
	}
	return first
}

// rangIn ends a callback whose caller rang in: the call has its place.
func (e *Engine) rangIn(c *inquiry) {
	c.back.result = CallbackRangIn
	var h *handler
	switch c.phase {
	case "":
		e.unwait(c)
	case PhaseDeferred:
		e.setUntil(c, 0)
	default:
		h = e.detach(c, RetractCallerGone)
	}
	e.end(c, contact.CallbackTaken, ReleasedByCaller, "")
	e.forget(c)
	if h != nil {
		e.settle(h)
	}
}

// unpromise takes a contact off the list of those to be rung back.
func (e *Engine) unpromise(c *inquiry) {
	if c.back == nil {
		return
	}
	if i := slices.Index(e.promised, c); i >= 0 {
		last := len(e.promised) - 1
		e.promised[i] = e.promised[last]
		e.promised[last] = nil
		e.promised = e.promised[:last]
	}
}

// Callbacks lists the callers who are to be rung back, in order of place.
func (e *Engine) Callbacks() []ContactStatus {
	all := slices.Clone(e.promised)
	slices.SortFunc(all, comparePlaces)
	out := make([]ContactStatus, len(all))
	for i, c := range all {
		out[i] = c.status()
	}
	return out
}
