package routing

import (
	"strings"

	"example.org/c3i/contact"
)

// held finds a contact in a handler's hands, or the code to refuse with.
func (e *Engine) held(id contact.ID, agent AgentID) (c *inquiry, code string) {
	c = e.contacts[id]
	switch {
	case c == nil && e.ended.has(id):
		return nil, RefusedContactEnded
	case c == nil:
		return nil, RefusedContact
	case !c.inHand() || c.handler.id != agent:
		return nil, RefusedNotYours
	}
	return c, ""
}

func (e *Engine) connected(ev Connected) {
	c, code := e.held(ev.Contact, ev.Agent)
	if code == "" && c.phase != PhaseConnecting && c.phase != PhaseCalling {
		code = RefusedPhase
	}
	if code != "" {
		e.emit(Refused{Event: ev.Kind(), Code: code, Agent: ev.Agent, Contact: ev.Contact})
		return
	}
	e.setUntil(c, 0)
	e.talk(c)
	e.settle(c.handler)
}

// talk begins the conversation.
func (e *Engine) talk(c *inquiry) {
	c.phase, c.since, c.answered = PhaseTalking, e.now, e.now
	e.unpromise(c)
	c.handler.misses = 0
	c.refusers, c.line, c.held = nil, nil, false
}

func (e *Engine) connectFailed(ev ConnectFailed) {
	c, code := e.held(ev.Contact, ev.Agent)
	if code == "" && c.phase != PhaseConnecting && c.phase != PhaseCalling {
		code = RefusedPhase
	}
	if code != "" {
		e.emit(Refused{Event: ev.Kind(), Code: code, Agent: ev.Agent, Contact: ev.Contact})
		return
	}
	if ev.CallerHere && c.phase == PhaseCalling {
		c.back.here = true
		e.unpromise(c)
	}
	e.missed(c, RetractFailed)
}

// goesOn finds a contact that has not ended, or the code to refuse with.
func (e *Engine) goesOn(id contact.ID) (c *inquiry, code string) {
	c = e.contacts[id]
	switch {
	case c == nil && e.ended.has(id), c != nil && c.over():
		code = RefusedContactEnded
	case c == nil:
		code = RefusedContact
	}
	return c, code
}

func (e *Engine) released(ev ContactReleased) {
	c, code := e.goesOn(ev.Contact)
	if code == "" && ev.Cause == ReleasedByHandler && c.unseen(ev.Seen) {
		code = RefusedUnseen
	}
	if code != "" {
		e.emit(Refused{Event: ev.Kind(), Code: code, Contact: ev.Contact})
		return
	}
	switch c.phase {
	case "":
		e.unwait(c)
		e.keepPlace(c, ev.Cause)
		e.end(c, e.unanswered(c, ev.Cause), ev.Cause, "")
		e.forget(c)
	case PhaseDeferred:
		e.setUntil(c, 0)
		e.end(c, e.unanswered(c, ev.Cause), ev.Cause, "")
		e.forget(c)
	case PhaseRinging, PhaseConnecting, PhaseCalling:
		h := e.detach(c, RetractCallerGone)
		e.keepPlace(c, ev.Cause)
		e.end(c, e.unanswered(c, ev.Cause), ev.Cause, "")
		e.forget(c)
		e.settle(h)
	default:
		e.end(c, contact.Answered, ev.Cause, c.handler.id)
		e.wrapUp(c)
	}
}

// unanswered is the ending of a contact released before it was answered.
func (e *Engine) unanswered(c *inquiry, cause ReleaseCause) contact.Ending {
	switch {
	case cause != ReleasedByCaller:
		return contact.Failed
	case e.now.Sub(c.queued) < e.plan.plan.ShortAbandon:
		return contact.AbandonedShort
	}
	return contact.AbandonedInQueue
}

// end reports how the contact ended, once. A callback's ending is that it was
// one; its result goes beside it.
func (e *Engine) end(c *inquiry, ending contact.Ending, cause ReleaseCause, agent AgentID) {
	var result CallbackResult
	if c.back != nil {
		ending, result = contact.CallbackTaken, c.callbackResult(cause)
	}
	e.tally.count(ending)
	e.tally.countCallback(result)
	emitReused(e, &e.pad.ended, Ended{
		Contact: c.id, Queue: c.queue, Ending: ending, Cause: cause, Agent: agent, Arrival: c.arrival, Answered: c.answered, At: e.now,
		Callback: result,
	})
}

// forget drops the contact's state and remembers its id.
func (e *Engine) forget(c *inquiry) {
	e.unpromise(c)
	delete(e.contacts, c.id)
	e.ended.add(c.id)
	e.seats.free(c)
}

// wrapUp begins the work after the conversation, if the plan gives time for it.
func (e *Engine) wrapUp(c *inquiry) {
	limit := e.plan.wrapUp(c.queue).Limit
	if limit <= 0 {
		e.closeWork(c, "", false)
		return
	}
	c.phase, c.since, c.muted, c.aside = PhaseWrapUp, e.now, false, false
	e.setUntil(c, e.after(limit))
	e.settle(c.handler)
}

// closeWork ends the handler's work on a contact whose ending was reported.
func (e *Engine) closeWork(c *inquiry, outcome string, timedOut bool) {
	h := c.handler
	e.setUntil(c, 0)
	emitReused(e, &e.pad.closed, Closed{Contact: c.id, Agent: h.id, Outcome: outcome, TimedOut: timedOut})
	e.handled(c)
	h.drop(c)
	h.idleSince = e.now
	e.forget(c)
	e.unpark(h)
	e.settle(h)
}

func (e *Engine) wrapUpDone(ev WrapUpDone) {
	c, code := e.held(ev.Contact, ev.Agent)
	switch {
	case code != "":
	case (c.phase == PhaseTalking || c.phase == PhaseParked) && c.unseen(ev.Seen):
		code = RefusedUnseen
	case (c.phase == PhaseTalking || c.phase == PhaseParked) && c.channel != onPhone:
		// Written contacts have no line to hang up: closing ends them too.
		e.end(c, contact.Answered, ReleasedByHandler, ev.Agent)
	case c.phase != PhaseWrapUp:
		code = RefusedPhase
	}
	if code != "" {
		e.emit(Refused{Event: ev.Kind(), Code: code, Agent: ev.Agent, Contact: ev.Contact})
		return
	}
	e.closeWork(c, ev.Outcome, false)
}

func (e *Engine) wrapUpExtended(ev WrapUpExtended) {
	c, code := e.held(ev.Contact, ev.Agent)
	extension := contact.Duration(0)
	if code == "" {
		extension = e.plan.wrapUp(c.queue).Extension
		switch {
		case c.phase != PhaseWrapUp:
			code = RefusedPhase
		case c.extended:
			code = RefusedExtended
		case extension <= 0:
			code = RefusedNoExtension
		}
	}
	if code != "" {
		e.emit(Refused{Event: ev.Kind(), Code: code, Agent: ev.Agent, Contact: ev.Contact})
		return
	}
	c.extended = true
	e.setUntil(c, c.until.Add(min(extension, longest)))
	e.show(c.handler)
}

func (e *Engine) controlAsked(ev ControlAsked) {
	c, code := e.held(ev.Contact, ev.Agent)
	if code == "" {
		code = controlRefusal(c, ev.Verb, ev.Digits)
	}
	if code != "" {
		e.emit(Refused{Event: ev.Kind(), Code: code, Agent: ev.Agent, Contact: ev.Contact})
		return
	}
	out := Control{Contact: c.id, Agent: ev.Agent, Verb: ev.Verb}
	if ev.Verb == VerbDTMF {
		out.Digits = ev.Digits
	}
	e.emit(out)
}

func controlRefusal(c *inquiry, verb Verb, digits string) string {
	talking, onHold := c.phase == PhaseTalking, c.phase == PhaseHeld
	switch {
	case c.channel != onPhone:
		return RefusedNotCall
	case !talking && !onHold:
		return RefusedPhase
	}
	switch verb {
	case VerbHangup:
	case VerbHold:
		if onHold {
			return RefusedNoChange
		}
	case VerbResume:
		if talking {
			return RefusedNoChange
		}
	case VerbMute:
		if c.muted {
			return RefusedNoChange
		}
	case VerbUnmute:
		if !c.muted {
			return RefusedNoChange
		}
	case VerbDTMF:
		switch {
		case onHold:
			return RefusedPhase
		case len(digits) == 0 || len(digits) > 32 || strings.Trim(digits, "0123456789*#ABCD") != "":
			return RefusedDigits
		}
	default:
		return RefusedVerb
	}
	return ""
}

func (e *Engine) controlDone(ev ControlDone) {
	c, code := e.held(ev.Contact, ev.Agent)
	switch {
	case code != "":
	case c.channel != onPhone:
		code = RefusedNotCall
	case c.phase != PhaseTalking && c.phase != PhaseHeld:
		code = RefusedPhase
	case ev.Cause != "":
		code = RefusedControlFailed
	default:
		code = e.controlEffect(c, ev.Verb)
	}
	if code != "" {
		e.emit(Refused{Event: ev.Kind(), Code: code, Agent: ev.Agent, Contact: ev.Contact})
	}
}

// controlEffect takes over what the switch did.
func (e *Engine) controlEffect(c *inquiry, verb Verb) (code string) {
	phase, muted := c.phase, c.muted
	switch verb {
	case VerbHold:
		phase = PhaseHeld
	case VerbResume:
		phase = PhaseTalking
	case VerbMute:
		muted = true
	case VerbUnmute:
		muted = false
	case VerbHangup, VerbDTMF:
		return ""
	default:
		return RefusedVerb
	}
	if phase == c.phase && muted == c.muted {
		return RefusedNoChange
	}
	if phase != c.phase {
		c.phase, c.since = phase, e.now
	}
	c.muted = muted
	e.show(c.handler)
	return ""
}
