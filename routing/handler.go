package routing

import (
	"slices"
	"strings"

	"example.org/c3i/contact"
)

// handler is a call-handler who is signed on, or signed off with a contact still
// in hand.
type handler struct {
	id      AgentID
	profile *profile

	signedOn bool
	present  bool
	deviceUp bool
	// ready is what the handler asked for; reason goes with not ready.
	ready  bool
	reason string
	// Resting until restUntil, zero if not.
	restUntil  contact.Instant
	restReason string
	// idleSince is when the handler last became ready, took or closed a contact.
	idleSince contact.Instant
	// misses counts offers missed or declined in a row.
	misses int
	// work lists contacts offered or in hand, oldest first.
	work []*inquiry

	// shown is the state last worked out, with its reason, and since when.
	shown       AgentState
	shownReason string
	since       contact.Instant

	timer   int // position in the timer heap, -1 outside
	changed bool
	indexed indexed
}

// indexed is how the handler stands in the engine's indexes.
type indexed struct {
	profile *profile
	gate    [channels]gate
	reach   [channels]bool
	idle    idleEntry
}

// gate is a Gate as a number: 0 keeps nobody out.
type gate uint8

const (
	gateOpen gate = iota
	gateState
	gatePresence
	gateDevice
	gateResting
	gateCapacity
	gateAway // signed off: not counted at all
	gateCount
)

var gateNames = [...]Gate{gateState: GateState, gatePresence: GatePresence, gateDevice: GateDevice, gateResting: GateResting, gateCapacity: GateCapacity}

// gateFor is the first gate that keeps the handler from a contact on the
// channel, whatever skills it needs.
func (h *handler) gateFor(ch int) gate {
	switch {
	case !h.signedOn:
		return gateAway
	case !h.ready:
		return gateState
	case !h.present:
		return gatePresence
	case ch == onPhone && !h.deviceUp:
		return gateDevice
	case h.restUntil != 0:
		return gateResting
	case !h.room(ch):
		return gateCapacity
	}
	return gateOpen
}

// room tells whether one more contact of the channel fits. While an offer is
// open, a call is up or wrap-up goes on, nothing more is offered on any channel;
// e-mails and web contacts in hand leave room for a call where the profile lets
// them be interrupted or the handler put them aside.
func (h *handler) room(ch int) bool {
	held := 0
	for _, c := range h.work {
		if c.channel == onPhone || c.phase == PhaseRinging || c.phase == PhaseWrapUp || ch == onPhone && h.profile.blocks[c.channel] && !c.aside {
			return false
		}
		if c.channel == ch {
			held++
		}
	}
	return held < h.profile.capacity[ch]
}

// within tells whether the handler will become available on the channel without
// doing anything.
func (h *handler) within(ch int) bool {
	return h.signedOn && h.ready && h.present && (ch != onPhone || h.deviceUp) && h.profile.capacity[ch] > 0
}

// state works out what desks show.
func (h *handler) state() (AgentState, string) {
	switch {
	case !h.signedOn:
		return StateOffline, ""
	case len(h.work) > 0:
		return StateBusy, h.restReason
	case !h.ready:
		return StateNotReady, h.reason
	case h.restUntil != 0:
		return StateResting, h.restReason
	}
	return StateReady, ""
}

// view is the handler as desks see it.
func (h *handler) view() AgentChanged {
	v := AgentChanged{Agent: h.id, State: h.shown, Reason: h.shownReason, Since: h.since, Until: h.restUntil, DeviceUp: h.deviceUp, Present: h.present}
	if h.shown == StateBusy {
		v.Next = StateReady
		if !h.ready {
			v.Next, v.NextReason = StateNotReady, h.reason
		}
	}
	if len(h.work) > 0 {
		v.Work = make([]Work, len(h.work))
		for i, c := range h.work {
			v.Work[i] = Work{Contact: c.id, Channel: channelNames[c.channel], Queue: c.queue, Offer: c.offer, Phase: c.phase, Muted: c.muted, Since: c.since, Until: c.until, Extended: c.extended, Aside: c.aside, Joined: c.joined, Due: c.due, Callback: c.back != nil}
		}
	}
	return v
}

// ringing is the contact offered to the handler, nil if none.
func (h *handler) ringing() *inquiry {
	for _, c := range h.work {
		if c.phase == PhaseRinging {
			return c
		}
	}
	return nil
}

// hasCall tells whether a call is offered to the handler or in their hands.
func (h *handler) hasCall() bool {
	return slices.ContainsFunc(h.work, func(c *inquiry) bool { return c.channel == onPhone })
}

func (h *handler) drop(c *inquiry) {
	if i := slices.Index(h.work, c); i >= 0 {
		h.work = slices.Delete(h.work, i, i+1)
	}
}

// settle brings the indexes and the shown state up to date after any change to
// the handler, and has the change reported at the end of the step.
func (e *Engine) settle(h *handler) {
	if state, reason := h.state(); state != h.shown || reason != h.shownReason {
		h.shown, h.shownReason, h.since = state, reason, e.now
	}
	e.index(h)
	e.show(h)
	if !h.signedOn && len(h.work) == 0 {
		delete(e.handlers, h.id)
	}
}

// show has the handler reported at the end of the step.
func (e *Engine) show(h *handler) {
	if !h.changed {
		h.changed = true
		e.changed = append(e.changed, h)
	}
}

func (e *Engine) index(h *handler) {
	old := h.indexed
	entry := idleEntry{h.idleSince, h}
	moved := old.profile != h.profile || old.idle.since != entry.since
	gained := false
	for ch := range channels {
		g, reach := h.gateFor(ch), h.within(ch)
		was, reached := old.gate[ch], old.reach[ch]
		if g != was {
			e.gates[ch][was]--
			e.gates[ch][g]++
			gained = gained || g == gateOpen
		}
		if g != was || moved {
			if was == gateOpen && old.profile != nil {
				old.profile.idle[ch].remove(old.idle)
			}
			if g == gateOpen {
				h.profile.idle[ch].add(entry)
			}
		}
		if reached != reach || old.profile != h.profile {
			if reached && old.profile != nil {
				old.profile.reach[ch]--
				e.recheck = true
			}
			if reach {
				h.profile.reach[ch]++
			}
		}
		h.indexed.gate[ch], h.indexed.reach[ch] = g, reach
	}
	if (gained || old.profile != h.profile) && h.available() {
		e.freed = append(e.freed, h)
	}
	h.indexed.profile, h.indexed.idle = h.profile, entry
}

// available tells whether the handler may be offered anything at all.
func (h *handler) available() bool {
	return h.indexed.gate[onPhone] == gateOpen || h.indexed.gate[onEmail] == gateOpen || h.indexed.gate[onWeb] == gateOpen
}

// newHandler makes a handler who stands in no index yet.
func (e *Engine) newHandler(id AgentID) *handler {
	h := &handler{id: id, timer: -1, shown: StateOffline}
	for ch := range channels {
		h.indexed.gate[ch] = gateAway
		e.gates[ch][gateAway]++
	}
	return h
}

// report emits AgentChanged for all handlers changed, in order of id.
func (e *Engine) report() {
	if len(e.changed) > 1 && !e.terse {
		slices.SortFunc(e.changed, func(a, b *handler) int { return strings.Compare(string(a.id), string(b.id)) })
	}
	for i, h := range e.changed {
		if !e.terse {
			e.emit(h.view())
		}
		h.changed = false
		e.changed[i] = nil
	}
	e.changed = e.changed[:0]
}
