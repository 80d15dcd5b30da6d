package telephony

import (
	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// State is where a call stands.
type State string

// States of a call, in the order a call goes through them.
const (
	StateArriving    State = "arriving"
	StateIVR         State = "ivr"
	StateIdentifying State = "identifying" // who may this be, and to which queue
	StateWaiting     State = "waiting"
	StateOffered     State = "offered" // a handler's phone rings
	StateCalling     State = "calling" // a handler holds the line, the caller is rung back
	StateConnecting  State = "connecting"
	StateTalking     State = "talking"
	StateHeld        State = "held"
	StateClosing     State = "closing" // hears that the queue is closed
	StateParting     State = "parting" // hears that they will be rung back
	StateEnded       State = "ended"
)

// States lists every state in order.
func States() []State {
	return []State{StateArriving, StateIVR, StateIdentifying, StateWaiting, StateOffered, StateCalling, StateConnecting, StateTalking, StateHeld, StateClosing, StateParting, StateEnded}
}

// Reason is the immediate reason a call ended.
type Reason string

// Reasons.
const (
	ReasonCallerGone   Reason = "caller_gone"   // the caller's leg ended
	ReasonHandlerGone  Reason = "handler_gone"  // the handler's leg ended in the conversation
	ReasonHandlerAsked Reason = "handler_asked" // the handler pressed hang up
	ReasonFlowDone     Reason = "flow_done"     // the IVR hung up
	ReasonTransferred  Reason = "transferred"   // the IVR sent the call elsewhere
	ReasonQueueClosed  Reason = "queue_closed"  // after the announcement
	ReasonNotRouted    Reason = "not_routed"    // routing could not take the contact
	ReasonSwitchFailed Reason = "switch_failed" // a command the call depends on failed
	ReasonVanished     Reason = "vanished"      // gone when the switch was asked
	ReasonDrained      Reason = "drained"       // we are stopping
	ReasonCallback     Reason = "callback"      // the caller is to be rung back
	ReasonRetracted    Reason = "retracted"     // the offer of a callback was withdrawn
)

// Reasons lists every reason in order.
func Reasons() []Reason {
	return []Reason{
		ReasonCallerGone, ReasonHandlerGone, ReasonHandlerAsked, ReasonFlowDone, ReasonTransferred, ReasonQueueClosed,
		ReasonNotRouted, ReasonSwitchFailed, ReasonVanished, ReasonDrained, ReasonCallback, ReasonRetracted,
	}
}

// Fault says whose doing an ending was.
type Fault string

// Faults. FaultNobody is an ending as it should be.
const (
	FaultNobody  Fault = "nobody"
	FaultHandler Fault = "handler"
	FaultSwitch  Fault = "switch"
	FaultUs      Fault = "us"
)

// Heard says what the caller hears at the end.
type Heard string

// What callers hear.
const (
	HeardNothing      Heard = "nothing"      // they hung up themselves
	HeardHangup       Heard = "hang_up"      // the line is cleared
	HeardAnnouncement Heard = "announcement" // then the line is cleared
	HeardFallback     Heard = "fallback"     // the dialplan's announcement, music and ring group
	HeardDestination  Heard = "destination"  // whoever the call was sent to
)

// Verdict is what a call's ending amounts to.
type Verdict struct {
	// Code names the verdict for machines and metrics.
	Code  string
	Fault Fault
	Heard Heard
	// Release is what routing is told, if it knows the contact.
	Release routing.ReleaseCause
	// Ledger is how the contact ended if routing never knew it.
	Ledger contact.Ending
}

// Judge gives the verdict on a call that ended in a state for a reason. Every
// pair has one: a pair that cannot happen is judged our own failure.
func Judge(s State, r Reason) Verdict {
	if s == StateParting && (r == ReasonCallerGone || r == ReasonSwitchFailed || r == ReasonVanished || r == ReasonDrained) {
		r = ReasonCallback // they have heard it, or will be rung none the less
	}
	switch r {
	case ReasonCallback:
		switch s {
		case StateWaiting, StateOffered, StateParting:
			return Verdict{"callback_taken", FaultNobody, HeardAnnouncement, routing.ReleasedBySystem, contact.CallbackTaken}
		}
	case ReasonRetracted:
		switch s {
		case StateWaiting, StateOffered, StateCalling, StateConnecting:
			return Verdict{"callback_off", FaultNobody, HeardHangup, routing.ReleasedBySystem, contact.CallbackTaken}
		}
	case ReasonCallerGone:
		switch s {
		case StateArriving, StateIVR:
			return Verdict{"left_in_ivr", FaultNobody, HeardNothing, routing.ReleasedByCaller, contact.LeftInIVR}
		case StateIdentifying, StateWaiting, StateOffered:
			return Verdict{"abandoned", FaultUs, HeardNothing, routing.ReleasedByCaller, contact.AbandonedInQueue}
		case StateConnecting:
			return Verdict{"abandoned_connecting", FaultUs, HeardNothing, routing.ReleasedByCaller, contact.AbandonedInQueue}
		case StateTalking:
			return Verdict{"caller_hung_up", FaultNobody, HeardNothing, routing.ReleasedByCaller, contact.Answered}
		case StateHeld:
			return Verdict{"abandoned_held", FaultHandler, HeardNothing, routing.ReleasedByCaller, contact.Answered}
		case StateClosing:
			return Verdict{"left_in_announcement", FaultNobody, HeardNothing, routing.ReleasedByCaller, contact.AbandonedAfterMessage}
		}
	case ReasonHandlerGone:
		if s == StateTalking || s == StateHeld {
			return Verdict{"handler_hung_up", FaultNobody, HeardHangup, routing.ReleasedByHandler, contact.Answered}
		}
	case ReasonHandlerAsked:
		if s == StateTalking || s == StateHeld {
			return Verdict{"handler_asked", FaultNobody, HeardHangup, routing.ReleasedByHandler, contact.Answered}
		}
	case ReasonFlowDone:
		if s == StateIVR {
			return Verdict{"ivr_contained", FaultNobody, HeardAnnouncement, routing.ReleasedBySystem, contact.IVRContained}
		}
	case ReasonTransferred:
		if s == StateIVR {
			return Verdict{"transferred", FaultNobody, HeardDestination, routing.ReleasedBySystem, contact.IVRContained}
		}
	case ReasonQueueClosed:
		if s == StateClosing {
			return Verdict{"queue_closed", FaultNobody, HeardAnnouncement, routing.ReleasedBySystem, contact.AbandonedAfterMessage}
		}
	case ReasonNotRouted:
		if s == StateIdentifying || s == StateWaiting || s == StateOffered {
			return Verdict{"not_routed", FaultUs, HeardFallback, routing.ReleasedByFailure, contact.Failed}
		}
	case ReasonSwitchFailed:
		switch s {
		case StateArriving, StateIVR, StateIdentifying, StateWaiting, StateOffered, StateCalling, StateConnecting, StateClosing:
			return Verdict{"switch_failed", FaultSwitch, HeardFallback, routing.ReleasedByFailure, contact.Failed}
		case StateTalking, StateHeld:
			return Verdict{"switch_failed_talking", FaultSwitch, HeardHangup, routing.ReleasedByFailure, contact.Answered}
		}
	case ReasonVanished:
		switch s {
		case StateTalking, StateHeld:
			return Verdict{"vanished_talking", FaultSwitch, HeardHangup, routing.ReleasedByFailure, contact.Answered}
		case StateArriving, StateIVR, StateIdentifying, StateWaiting, StateOffered, StateCalling, StateConnecting, StateClosing:
			return Verdict{"vanished", FaultSwitch, HeardHangup, routing.ReleasedByFailure, contact.Failed}
		}
	case ReasonDrained:
		switch s {
		case StateArriving, StateIVR, StateIdentifying, StateWaiting, StateOffered, StateCalling, StateConnecting, StateClosing:
			return Verdict{"drained", FaultUs, HeardFallback, routing.ReleasedBySystem, contact.Failed}
		}
	}
	return Verdict{"impossible", FaultUs, HeardFallback, routing.ReleasedByFailure, contact.Failed}
}

// LegVerdict is what became of ringing a handler's phone.
type LegVerdict struct {
	// Code is a cause for machines, for example "busy".
	Code string
	// Declined tells that it was the handler's doing; else the phone or the
	// network failed.
	Declined bool
}

// JudgeLeg gives the verdict on a leg that ended before it was answered, from
// its hang-up cause and, where that is unspecific, its last dial status. SIP
// answers reach us as Q.850 causes (RFC 3398 section 8.2.6.1): 486 and 600 as 17,
// 603 as 21, 480 as 19, 408 as 18, 404 as 1.
func JudgeLeg(c Cause, dialStatus string) LegVerdict {
	switch c {
	case CauseUserBusy:
		return LegVerdict{"busy", true}
	case CauseRejected:
		return LegVerdict{"rejected", true}
	case CauseNoAnswer:
		return LegVerdict{"no_answer", false}
	case CauseNoResponse:
		return LegVerdict{"no_response", false}
	case CauseUnallocated:
		return LegVerdict{"unknown_phone", false}
	case CauseAbsent:
		return LegVerdict{"absent", false}
	case CauseOutOfOrder:
		return LegVerdict{"out_of_order", false}
	case CauseCongestion, CauseTemporary, CauseFailure, CauseSwitchTrouble:
		return LegVerdict{"network", false}
	}
	switch dialStatus {
	case "BUSY":
		return LegVerdict{"busy", true}
	case "NOANSWER", "CANCEL":
		return LegVerdict{"no_answer", false}
	case "CHANUNAVAIL":
		return LegVerdict{"absent", false}
	case "CONGESTION":
		return LegVerdict{"network", false}
	}
	return LegVerdict{"lost", false}
}
