package routing

import "example.org/c3i/contact"

// Engine is the routing state machine. It is not safe for concurrent use: one
// goroutine owns it.
//
// After every Step no waiting contact could be offered to any available
// handler: whatever can be offered has been.
type Engine struct {
	now  contact.Instant
	plan *ruleset

	handlers map[AgentID]*handler
	contacts map[contact.ID]*inquiry
	offers   map[OfferID]*inquiry // open offers: ringing contacts only
	ended    endedIDs
	left     leavers
	timers   timerHeap
	seats    seats
	tally    Tally
	// lastOffer is the number of the newest offer.
	lastOffer OfferID

	// gates counts signed-on handlers by the first gate that keeps them out,
	// per channel; the slot gateOpen counts those available.
	gates [channels][gateCount]int
	// kept lists waiting contacts kept for the handler they prefer.
	kept []*inquiry
	// promised lists callbacks whose caller is not on the line, in no order.
	promised []*inquiry

	// What the current sub-step made possible; empty between steps.
	pending []*inquiry // contacts that became offerable
	freed   []*handler // handlers who became available
	changed []*handler // handlers whose visible state changed
	recheck bool       // holds must be looked at again
	spent   []*inquiry // contacts whose last step was taken
	actions []Action

	terse bool
	pad   pad
	trial *trial // set in a clone on which a call is tried
}

// New returns an engine that knows nothing yet; the first event is normally a
// PlanPublished.
func New() *Engine {
	return &Engine{
		handlers: map[AgentID]*handler{},
		contacts: map[contact.ID]*inquiry{},
		offers:   map[OfferID]*inquiry{},
		ended:    newEndedIDs(),
		left:     newLeavers(),
	}
}

// Step advances the engine by one event and returns what must now be done, in
// order. Instants must not go back; one that does is treated as the latest seen.
// Deadlines due at or before at are acted on first. The returned slice and what
// it points to are never touched by the engine again; maps and slices inside
// events and actions are shared and must not be changed by anyone.
//
// AgentChanged actions come last, one for each handler changed, in order of id;
// one may repeat what was known, after an offer made and withdrawn in one step.
func (e *Engine) Step(at contact.Instant, ev Event) []Action {
	e.now = max(e.now, 1, min(at, latest))
	if e.terse {
		e.actions = e.actions[:0]
		e.pad.turn()
	} else {
		e.actions = nil
	}
	for len(e.timers) > 0 && e.timers[0].at <= e.now {
		e.expire(e.timers[0])
		e.finish()
	}
	e.handle(ev)
	e.finish()
	e.report()
	e.seats.settle()
	out := e.actions
	if !e.terse {
		e.actions = nil
	}
	return out
}

// NextDeadline reports when Step(at, Tick{}) must next be called, if ever.
func (e *Engine) NextDeadline() (contact.Instant, bool) {
	if len(e.timers) == 0 {
		return 0, false
	}
	return e.timers[0].at, true
}

func (e *Engine) handle(ev Event) {
	switch ev := ev.(type) {
	case Tick:
	case PlanPublished:
		e.planPublished(ev)
	case SurgeSwitched:
		e.surgeSwitched(ev)
	case HoursChanged:
		e.hoursChanged(ev)
	case AgentSignedOn:
		e.signedOn(ev)
	case AgentReady:
		e.readyAsked(ev)
	case AgentNotReady:
		e.notReadyAsked(ev)
	case AgentSignedOff:
		e.signedOff(ev)
	case AgentPresence:
		e.presenceChanged(ev)
	case DeviceChanged:
		e.deviceChanged(ev)
	case ContactArrived:
		e.arrived(ev)
	case OfferAccepted:
		e.accepted(ev)
	case OfferDeclined:
		e.declined(ev)
	case OfferFailed:
		e.offerFailed(ev)
	case Connected:
		e.connected(ev)
	case ConnectFailed:
		e.connectFailed(ev)
	case ContactReleased:
		e.released(ev)
	case CallbackAsked:
		e.callbackAsked(ev)
	case CallbackFailed:
		e.callbackFailed(ev)
	case CallbackHoursChanged:
		e.callbackHoursChanged(ev)
	case WrapUpDone:
		e.wrapUpDone(ev)
	case WrapUpExtended:
		e.wrapUpExtended(ev)
	case ControlAsked:
		e.controlAsked(ev)
	case ControlDone:
		e.controlDone(ev)
	case ContactParked:
		e.parkAsked(ev)
	case ContactResumed:
		e.resumeAsked(ev)
	case ContactForwarded:
		e.forwarded(ev)
	case MessageJoined:
		e.messageJoined(ev)
	default:
		kind := ""
		if ev != nil {
			kind = ev.Kind()
		}
		e.emit(Refused{Event: kind, Code: RefusedEvent})
	}
}

func (e *Engine) emit(a Action) {
	if e.actions == nil {
		e.actions = make([]Action, 0, 4)
	}
	e.actions = append(e.actions, a)
}

// Bounds that keep sums of instants and durations from overflowing: the year
// 2116, and 36 years.
const (
	latest  contact.Instant  = 1 << 62
	longest contact.Duration = 1 << 60
)

// after is the instant d from now, with d made sane.
func (e *Engine) after(d contact.Duration) contact.Instant {
	return e.now.Add(min(max(d, 1), longest))
}
