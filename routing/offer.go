package routing

import (
	"strconv"

	"example.org/c3i/contact"
)

// Limits the plan does not set.
const (
	// RingForDefault is how long an offer stays open when the plan gives no time
	// for the channel.
	RingForDefault = 20 * contact.Second
	// RestLeast is the least rest after a decline or a failure, so that a phone
	// that refuses at once cannot bounce one contact in a tight loop.
	RestLeast = 1 * contact.Second
	// ConnectWithin is how long an accepted call may take to be connected before
	// it counts as failed and goes back to its place.
	ConnectWithin = 15 * contact.Second
)

// offerTo offers a waiting contact to an available handler.
func (e *Engine) offerTo(c *inquiry, h *handler) {
	why := e.explain(c, h)
	if e.trial != nil {
		e.trial.offering(c)
	}
	e.unwait(c)
	ring := e.plan.plan.Offer.RingFor[channelNames[c.channel]]
	if ring <= 0 {
		ring = RingForDefault
	}
	e.lastOffer++
	c.phase, c.handler, c.offer, c.since = PhaseRinging, h, e.lastOffer, e.now
	c.capacity = h.profile.capacity[c.channel]
	e.setUntil(c, e.after(ring))
	e.offers[c.offer] = c
	c.line.queue.ringing++
	e.tally.Offers++
	h.work = append(h.work, c)
	e.settle(h)
	emitReused(e, &e.pad.offers, Offer{
		Offer: c.offer, Contact: c.id, Channel: channelNames[c.channel], Agent: h.id, Queue: c.queue,
		Arrival: c.arrival, Due: c.due, Made: e.now, Deadline: c.until, Facts: c.facts, Why: why, Callback: c.awaited(),
	})
}

// detach takes an offered or connecting contact from its handler and says so.
// The caller decides what becomes of both.
func (e *Engine) detach(c *inquiry, cause RetractCause) *handler {
	h := c.handler
	emitReused(e, &e.pad.retracts, Retract{Offer: c.offer, Contact: c.id, Agent: h.id, Cause: cause})
	if c.phase == PhaseRinging {
		delete(e.offers, c.offer)
		c.line.queue.ringing--
	}
	e.setUntil(c, 0)
	h.drop(c)
	e.unpark(h)
	c.phase, c.handler, c.offer, c.since = "", nil, 0, 0
	return h
}

// withdraw puts an offered or connecting contact back in its place, to be
// offered to the next best, and leaves the handler as they are.
func (e *Engine) withdraw(c *inquiry, cause RetractCause) {
	h := e.detach(c, cause)
	e.waitAgain(c)
	e.settle(h)
}

// missed puts a contact back because its handler did not answer, declined or
// could not be reached; the handler rests and is not offered it again this round.
func (e *Engine) missed(c *inquiry, cause RetractCause) {
	h := e.detach(c, cause)
	if !c.refusedBy(h.id) {
		// A fresh slice, because views of the old one may be out.
		c.refusers = append(c.refusers[:len(c.refusers):len(c.refusers)], h.id)
	}
	c.misses++
	h.misses++
	e.waitAgain(c)
	e.restAfter(h, cause)
	e.settle(h)
	e.warn(c, h)
}

func (e *Engine) restAfter(h *handler, cause RetractCause) {
	policy := e.plan.plan.Offer
	var rest contact.Duration
	switch cause {
	case RetractNoAnswer:
		e.tally.NoAnswers++
		rest = policy.NoAnswerRest
	case RetractDeclined:
		e.tally.Declines++
		rest = max(policy.DeclineRest, RestLeast)
	default:
		e.tally.OfferFailures++
		rest = max(policy.FailedRest, RestLeast)
	}
	if !h.signedOn || !h.ready {
		return
	}
	if rest <= 0 {
		h.ready, h.reason = false, string(RetractNoAnswer)
		return
	}
	// A longer rest already running is kept.
	if until := e.after(rest); until > h.restUntil {
		e.setRest(h, until, string(cause))
	}
}

// warn alerts a supervisor each time the plan's count of misses is reached.
func (e *Engine) warn(c *inquiry, h *handler) {
	n := e.plan.plan.Offer.AlertAfter
	if n <= 0 {
		return
	}
	if c.misses%n == 0 {
		e.emit(Alert{
			Code: AlertContactMisses, Contact: c.id, Queue: c.queue,
			Text: "Offers of this contact were missed, declined or failed " + strconv.Itoa(c.misses) + " times.",
		})
	}
	if h.misses%n == 0 {
		e.emit(Alert{
			Code: AlertHandlerMisses, Contact: c.id, Agent: h.id,
			Text: "This handler missed or declined " + strconv.Itoa(h.misses) + " offers in a row, or their phone failed.",
		})
	}
}

// openOffer finds an open offer made to the handler.
func (e *Engine) openOffer(id OfferID, agent AgentID) *inquiry {
	c := e.offers[id]
	if c == nil || c.handler.id != agent {
		return nil
	}
	return c
}

func (e *Engine) accepted(ev OfferAccepted) {
	c := e.openOffer(ev.Offer, ev.Agent)
	if c == nil {
		e.emit(Refused{Event: ev.Kind(), Code: RefusedOffer, Agent: ev.Agent, Offer: ev.Offer})
		return
	}
	h := c.handler
	delete(e.offers, c.offer)
	c.line.queue.ringing--
	c.since = e.now
	h.idleSince = e.now
	if c.awaited() {
		e.park(c)
		e.callBack(c)
	} else if c.channel == onPhone {
		c.phase = PhaseConnecting
		e.setUntil(c, e.after(ConnectWithin))
		e.park(c)
		emitReused(e, &e.pad.connects, Connect{Offer: c.offer, Contact: c.id, Agent: h.id})
	} else {
		e.setUntil(c, 0)
		e.talk(c)
	}
	e.settle(h)
}

func (e *Engine) declined(ev OfferDeclined) {
	c := e.openOffer(ev.Offer, ev.Agent)
	if c == nil {
		e.emit(Refused{Event: ev.Kind(), Code: RefusedOffer, Agent: ev.Agent, Offer: ev.Offer})
		return
	}
	e.missed(c, RetractDeclined)
}

func (e *Engine) offerFailed(ev OfferFailed) {
	c := e.openOffer(ev.Offer, ev.Agent)
	if c == nil {
		e.emit(Refused{Event: ev.Kind(), Code: RefusedOffer, Agent: ev.Agent, Offer: ev.Offer})
		return
	}
	e.missed(c, RetractFailed)
}
