package routing

import "example.org/c3i/contact"

// Action is something the engine wants done or known. Step returns actions in
// the order they must happen; the driver hands each to the sinks that care.
type Action interface{ ActionKind() string }

// Queued says a contact now waits in a queue. Telephony plays hold music; desks
// count it. Sent again when a published plan or overflow moves it.
type Queued struct {
	Contact contact.ID      `json:"contact"`
	Channel contact.Channel `json:"channel"`
	Queue   QueueID         `json:"queue"`
	Arrival contact.Instant `json:"arrival"`
	Due     contact.Instant `json:"due"`
	Facts   contact.Facts   `json:"facts"`
	// Rule and PlanVersion tell which rule of which plan chose the queue.
	Rule        string `json:"rule"`
	PlanVersion int    `json:"plan_version"`
	// From is the queue the rule chose when the contact has overflowed from it.
	From QueueID `json:"from,omitempty"`
	// KeptFrom is the contact whose arrival this one has: see Why.KeptFrom.
	KeptFrom contact.ID `json:"kept_from,omitempty"`
	// Callback tells, of a call that has just arrived, that the caller may be offered
	// to be rung back; RingBack that they asked for it and are not on the line.
	Callback bool `json:"callback,omitempty"`
	RingBack bool `json:"ring_back,omitempty"`
}

// QueueClosed says the contact came to a queue that is closed: telephony plays
// the queue's closed announcement and hangs up. The contact has ended.
type QueueClosed struct {
	Contact contact.ID `json:"contact"`
	Queue   QueueID    `json:"queue"`
	// Announcement is a prompt name.
	Announcement string `json:"announcement"`
}

// Offer proposes one contact to one handler until Deadline. It is accepted at
// most once, and withdrawn (Retract) before the contact is offered to another.
type Offer struct {
	Offer    OfferID         `json:"offer"`
	Contact  contact.ID      `json:"contact"`
	Channel  contact.Channel `json:"channel"`
	Agent    AgentID         `json:"agent"`
	Queue    QueueID         `json:"queue"`
	Arrival  contact.Instant `json:"arrival"`
	Due      contact.Instant `json:"due"`
	Made     contact.Instant `json:"made"`
	Deadline contact.Instant `json:"deadline"`
	Facts    contact.Facts   `json:"facts"`
	Why      Why             `json:"why"`
	// Callback tells that the caller is not on the line: once the handler has
	// accepted, they are rung.
	Callback bool `json:"callback,omitempty"`
}

// RetractCause says why an offer was withdrawn.
type RetractCause string

// Causes of withdrawal.
const (
	RetractNoAnswer   RetractCause = "no_answer"
	RetractDeclined   RetractCause = "declined"
	RetractFailed     RetractCause = "failed"
	RetractCallerGone RetractCause = "caller_gone"
	RetractHandler    RetractCause = "handler_left" // not ready, signed off or lost
	RetractPlan       RetractCause = "plan_changed"
	// RetractNotReached: the caller who wanted to be rung back did not answer. It is
	// not the handler's doing: they do not rest.
	RetractNotReached RetractCause = "caller_not_reached"
)

// Retract withdraws an offer: the handler's phone stops ringing.
type Retract struct {
	Offer   OfferID      `json:"offer"`
	Contact contact.ID   `json:"contact"`
	Agent   AgentID      `json:"agent"`
	Cause   RetractCause `json:"cause"`
}

// Connect asks telephony to join caller and handler; it reports Connected or
// ConnectFailed.
type Connect struct {
	Offer   OfferID    `json:"offer"`
	Contact contact.ID `json:"contact"`
	Agent   AgentID    `json:"agent"`
}

// CallbackNoted says that a waiting contact is now to be rung back: telephony tells
// the caller so and hangs up. That is not the contact's end.
type CallbackNoted struct {
	Contact contact.ID `json:"contact"`
	Queue   QueueID    `json:"queue"`
}

// CallBack asks telephony to ring the caller for a handler who has accepted and
// holds the line; it reports Connected, CallbackFailed or ConnectFailed.
type CallBack struct {
	Offer   OfferID    `json:"offer"`
	Contact contact.ID `json:"contact"`
	Agent   AgentID    `json:"agent"`
	// Attempt counts from 1. One the handler broke off is made again.
	Attempt int `json:"attempt"`
	// RingFor is how long to let it ring.
	RingFor contact.Duration `json:"ring_for"`
}

// Control carries out a handler's request on a connected call.
type Control struct {
	Contact contact.ID `json:"contact"`
	Agent   AgentID    `json:"agent"`
	Verb    Verb       `json:"verb"`
	Digits  string     `json:"digits,omitempty"`
}

// Parked says that a written contact waits in its handler's hands: a call
// interrupted it, or they put it aside. Resumed follows when the handler is back
// at it, unless it ends or is forwarded before.
type Parked struct {
	Contact contact.ID `json:"contact"`
	Agent   AgentID    `json:"agent"`
	// For is the call, empty when the handler put the contact aside.
	For contact.ID `json:"for,omitempty"`
}

// Resumed says that the handler is back at a parked contact.
type Resumed struct {
	Contact contact.ID `json:"contact"`
	Agent   AgentID    `json:"agent"`
}

// Forwarded says that a handler gave a written contact away; Queued follows, with
// the queue its age puts it in.
type Forwarded struct {
	Contact contact.ID `json:"contact"`
	Agent   AgentID    `json:"agent"`
	From    QueueID    `json:"from"`
	To      QueueID    `json:"to"`
}

// SurgeChanged says that a surge is now on or off.
type SurgeChanged struct {
	Name string `json:"name"`
	On   bool   `json:"on"`
	By   string `json:"by,omitempty"`
}

// Announce asks telephony to tell a waiting caller their position and how long it
// may take. Neither ever grows from one announcement to the next: what was said
// is kept to, and Longer owns up.
type Announce struct {
	Contact contact.ID `json:"contact"`
	Queue   QueueID    `json:"queue"`
	// Position counts from 1 among the calls waiting in the queue, up to
	// PositionMost, which stands for itself and all beyond, with Longer.
	Position int `json:"position"`
	// Wait is rounded up to whole minutes; 0 when nothing can be said of it.
	Wait contact.Duration `json:"wait"`
	// Longer tells that it is likely to take longer than Wait.
	Longer bool `json:"longer,omitempty"`
	// Callback tells that the caller may be offered to be rung back.
	Callback bool `json:"callback,omitempty"`
}

// Phase is where a handler's work on one contact stands.
type Phase string

// Phases of a contact in hand.
const (
	PhaseRinging    Phase = "ringing"
	PhaseConnecting Phase = "connecting"
	PhaseTalking    Phase = "talking"
	PhaseHeld       Phase = "held"
	PhaseWrapUp     Phase = "wrap_up"
	// PhaseParked: a written contact waits, in the same hands, for a call to end or
	// to be taken up again.
	PhaseParked Phase = "parked"
	// PhaseCalling: the handler holds the line while the caller is rung back.
	PhaseCalling Phase = "calling"
)

// Work is one contact in a handler's hands.
type Work struct {
	Contact contact.ID      `json:"contact"`
	Channel contact.Channel `json:"channel"`
	Queue   QueueID         `json:"queue"`
	Offer   OfferID         `json:"offer"`
	Phase   Phase           `json:"phase"`
	Muted   bool            `json:"muted,omitempty"`
	// Since is when the phase began; Until when it ends by itself, zero if never.
	Since contact.Instant `json:"since"`
	Until contact.Instant `json:"until,omitempty"`
	// Extended tells that the one extension of wrap-up was used.
	Extended bool `json:"extended,omitempty"`
	// Aside tells that the handler parked it, so that it stays until they resume it.
	Aside bool `json:"aside,omitempty"`
	// Joined counts the messages that joined a written contact after it arrived.
	Joined int `json:"joined,omitempty"`
	// Due is when the contact is to be answered by.
	Due contact.Instant `json:"due,omitempty"`
	// Callback tells that the caller asked to be rung back and was not on the line.
	Callback bool `json:"callback,omitempty"`
}

// AgentState is what a handler is doing, as shown on desks and wallboards.
type AgentState string

// States of a handler.
const (
	StateNotReady AgentState = "not_ready"
	StateReady    AgentState = "ready"   // idle, may be offered a contact
	StateBusy     AgentState = "busy"    // a contact in hand, wrap-up included
	StateResting  AgentState = "resting" // after no answer or a decline, until Until
	StateOffline  AgentState = "offline" // signed off
)

// AgentChanged says what a handler is doing now. It is complete: a desk needs
// no earlier AgentChanged to show it.
type AgentChanged struct {
	Agent AgentID    `json:"agent"`
	State AgentState `json:"state"`
	// Reason explains not ready ("lunch") or resting ("no_answer", "declined").
	Reason string `json:"reason,omitempty"`
	// Next is the state asked for that takes effect once the contact in hand is
	// closed: empty, ready or not_ready.
	Next AgentState `json:"next,omitempty"`
	// NextReason goes with Next not_ready.
	NextReason string          `json:"next_reason,omitempty"`
	Since      contact.Instant `json:"since"`
	Until      contact.Instant `json:"until,omitempty"`
	// DeviceUp and Present are the gates other than state.
	DeviceUp bool `json:"device_up"`
	Present  bool `json:"present"`
	// Work lists contacts in hand, oldest first.
	Work []Work `json:"work,omitempty"`
}

// Ended says how a contact ended; sent exactly once for each ContactArrived.
// For an answered contact it is sent when the conversation is over, and wrap-up
// may still be going on.
type Ended struct {
	Contact contact.ID      `json:"contact"`
	Queue   QueueID         `json:"queue"`
	Ending  contact.Ending  `json:"ending"`
	Cause   ReleaseCause    `json:"cause"`
	Agent   AgentID         `json:"agent,omitempty"`
	Arrival contact.Instant `json:"arrival"`
	// Answered is when caller and handler first heard each other, zero if never.
	Answered contact.Instant `json:"answered,omitempty"`
	At       contact.Instant `json:"at"`
	// Callback is the result of a callback; its Ending is contact.CallbackTaken.
	Callback CallbackResult `json:"callback,omitempty"`
}

// CallbackResult says what became of a callback.
type CallbackResult string

// Results of callbacks.
const (
	CallbackAnswered   CallbackResult = "answered"    // the caller was rung and spoke to a handler
	CallbackNotReached CallbackResult = "not_reached" // the last attempt failed
	CallbackNotMade    CallbackResult = "not_made"    // no number is known, or it is not safe to ring
	CallbackRangIn     CallbackResult = "rang_in"     // the caller rang in and has their place
	CallbackLeft       CallbackResult = "left"        // the caller answered, had to wait and hung up
	CallbackCancelled  CallbackResult = "cancelled"   // nobody wants it any more
	CallbackBroken     CallbackResult = "failed"      // a channel or the switch failed
)

// Closed says wrap-up is over and the handler's work on the contact finished.
// Outcome is empty when the limit ran out first: the desk may still save one.
type Closed struct {
	Contact contact.ID `json:"contact"`
	Agent   AgentID    `json:"agent"`
	Outcome string     `json:"outcome,omitempty"`
	// TimedOut tells that the wrap-up limit ended it.
	TimedOut bool `json:"timed_out,omitempty"`
}

// Alert asks for a person's attention.
type Alert struct {
	Code    string     `json:"code"` // for example "repeated_no_answer"
	Contact contact.ID `json:"contact,omitempty"`
	Agent   AgentID    `json:"agent,omitempty"`
	Queue   QueueID    `json:"queue,omitempty"`
	Text    string     `json:"text"`
}

// Refused says an event changed nothing, and why. It is for the sender and for
// counting; it is not an error.
type Refused struct {
	Event   string     `json:"event"` // the event's Kind
	Code    string     `json:"code"`  // for example "offer_not_open"
	Agent   AgentID    `json:"agent,omitempty"`
	Contact contact.ID `json:"contact,omitempty"`
	Offer   OfferID    `json:"offer,omitempty"`
}

// ActionKind implementations.
func (Queued) ActionKind() string        { return "queued" }
func (QueueClosed) ActionKind() string   { return "queue_closed" }
func (Offer) ActionKind() string         { return "offer" }
func (Retract) ActionKind() string       { return "retract" }
func (Connect) ActionKind() string       { return "connect" }
func (Parked) ActionKind() string        { return "parked" }
func (Resumed) ActionKind() string       { return "resumed" }
func (Forwarded) ActionKind() string     { return "forwarded" }
func (SurgeChanged) ActionKind() string  { return "surge_changed" }
func (Announce) ActionKind() string      { return "announce" }
func (CallbackNoted) ActionKind() string { return "callback_noted" }
func (CallBack) ActionKind() string      { return "call_back" }
func (Control) ActionKind() string       { return "control" }
func (AgentChanged) ActionKind() string  { return "agent_changed" }
func (Ended) ActionKind() string         { return "ended" }
func (Closed) ActionKind() string        { return "closed" }
func (Alert) ActionKind() string         { return "alert" }
func (Refused) ActionKind() string       { return "refused" }
