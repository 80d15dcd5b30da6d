package routing

// park sets aside the written contacts that a call accepted interrupts.
func (e *Engine) park(call *inquiry) {
	h := call.handler
	for _, c := range h.work {
		if c.phase == PhaseTalking && h.profile.parks[c.channel] {
			c.phase, c.since = PhaseParked, e.now
			e.emit(Parked{Contact: c.id, Agent: h.id, For: call.id})
		}
	}
}

// unpark gives a handler back what a call interrupted, once no call is left. The
// same handler has it before anything else is offered to them.
func (e *Engine) unpark(h *handler) {
	if h.hasCall() {
		return
	}
	for _, c := range h.work {
		if c.phase == PhaseParked && !c.aside {
			c.phase, c.since = PhaseTalking, e.now
			e.emit(Resumed{Contact: c.id, Agent: h.id})
		}
	}
}
