package routing

import "slices"

func (e *Engine) signedOn(ev AgentSignedOn) {
	code := ""
	switch {
	case e.plan == nil:
		code = RefusedNoPlan
	case ev.Agent == "":
		code = RefusedAgentID
	case e.plan.named[ev.Profile] == nil:
		code = RefusedProfile
	}
	if code != "" {
		e.emit(Refused{Event: ev.Kind(), Code: code, Agent: ev.Agent})
		return
	}
	h := e.handlers[ev.Agent]
	if h == nil {
		// One who left earlier in this step is not reported twice.
		e.changed = slices.DeleteFunc(e.changed, func(gone *handler) bool { return gone.id == ev.Agent })
		h = e.newHandler(ev.Agent)
		e.handlers[ev.Agent] = h
	}
	if !h.signedOn {
		h.signedOn, h.ready, h.reason, h.misses = true, false, "", 0
	}
	h.present, h.deviceUp, h.profile = true, ev.DeviceUp, e.plan.named[ev.Profile]
	if c := h.ringing(); c != nil && !e.qualifies(h, c) {
		e.withdraw(c, RetractHandler)
	}
	e.settle(h)
}

// qualifies tells whether a handler may keep an offer they have.
func (e *Engine) qualifies(h *handler, c *inquiry) bool {
	_, able := h.profile.fits(c.channel, c.line.needs)
	return able && (c.channel != onPhone || h.deviceUp)
}

// agent finds a handler who is signed on, or refuses the event.
func (e *Engine) agent(kind string, id AgentID) *handler {
	h := e.handlers[id]
	if h == nil || !h.signedOn {
		e.emit(Refused{Event: kind, Code: RefusedAgent, Agent: id})
		return nil
	}
	return h
}

func (e *Engine) noChange(kind string, id AgentID) {
	e.emit(Refused{Event: kind, Code: RefusedNoChange, Agent: id})
}

func (e *Engine) readyAsked(ev AgentReady) {
	h := e.agent(ev.Kind(), ev.Agent)
	switch {
	case h == nil:
	case h.ready && h.restUntil == 0:
		e.noChange(ev.Kind(), ev.Agent)
	default:
		h.ready, h.reason, h.idleSince = true, "", e.now
		// Asking for contacts ends a rest: they are there.
		e.setRest(h, 0, "")
		e.settle(h)
	}
}

func (e *Engine) notReadyAsked(ev AgentNotReady) {
	h := e.agent(ev.Kind(), ev.Agent)
	switch {
	case h == nil:
	case !h.ready && h.reason == ev.Reason:
		e.noChange(ev.Kind(), ev.Agent)
	default:
		h.ready, h.reason = false, ev.Reason
		e.setRest(h, 0, "")
		e.leave(h)
	}
}

// leave withdraws the offer of a handler who no longer takes any.
func (e *Engine) leave(h *handler) {
	if c := h.ringing(); c != nil {
		e.withdraw(c, RetractHandler)
		return
	}
	e.settle(h)
}

func (e *Engine) signedOff(ev AgentSignedOff) {
	h := e.agent(ev.Kind(), ev.Agent)
	if h == nil {
		return
	}
	h.signedOn, h.ready, h.reason, h.present, h.deviceUp = false, false, "", false, false
	e.setRest(h, 0, "")
	e.leave(h)
}

func (e *Engine) presenceChanged(ev AgentPresence) {
	h := e.agent(ev.Kind(), ev.Agent)
	switch {
	case h == nil:
	case h.present == ev.Up:
		e.noChange(ev.Kind(), ev.Agent)
	default:
		h.present = ev.Up
		if ev.Up {
			e.settle(h)
		} else {
			e.leave(h)
		}
	}
}

func (e *Engine) deviceChanged(ev DeviceChanged) {
	h := e.agent(ev.Kind(), ev.Agent)
	switch {
	case h == nil:
	case h.deviceUp == ev.Up:
		e.noChange(ev.Kind(), ev.Agent)
	default:
		h.deviceUp = ev.Up
		if c := h.ringing(); c != nil && c.channel == onPhone && !ev.Up {
			e.withdraw(c, RetractHandler)
			return
		}
		e.settle(h)
	}
}
