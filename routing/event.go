package routing

import "example.org/c3i/contact"

// AgentID identifies a handler: the user's sign-on name.
type AgentID string

// QueueID names a queue of the plan.
type QueueID string

// OfferID numbers offers from 1, never reused within a journal.
type OfferID uint64

// Event is something that happened. Events are plain data and marshal to JSON;
// Kind names the type in the journal and never changes once released.
//
// An event that does not fit the state (an answer to an offer already
// withdrawn, a handler who is not signed on) changes nothing and yields a
// Refused action: late and duplicate events are normal and must be harmless.
type Event interface{ Kind() string }

// Tick says only that time has passed; the engine acts on deadlines now due.
type Tick struct{}

// PlanPublished puts a plan in force. Waiting contacts are routed anew under
// it and keep their due time; handlers take their new profile at once.
type PlanPublished struct {
	Version int `json:"version"`
	// Source is the plan as text, so that the journal is the whole truth.
	Source string `json:"source"`
	// Plan is Source compiled; the journal's decoder fills it.
	Plan *Plan `json:"-"`
}

// SurgeSwitched switches one of the plan's surges on or off. Waiting contacts are
// routed anew under the changed plan and keep their due time, as when a plan is
// published; switching it back undoes that.
type SurgeSwitched struct {
	Name string `json:"name"`
	On   bool   `json:"on"`
	// By is who switched it, for the record.
	By string `json:"by,omitempty"`
}

// HoursChanged opens or closes a queue. The driver works out opening hours from
// the plan's calendar, because the engine knows no time zones. A queue is closed
// until it is said to be open; written contacts come to a closed one all the same.
type HoursChanged struct {
	Queue QueueID `json:"queue"`
	Open  bool    `json:"open"`
}

// AgentSignedOn brings a handler in, not ready. Signing on again replaces
// profile and device and keeps contacts in hand.
type AgentSignedOn struct {
	Agent AgentID `json:"agent"`
	// Profile names the plan's profile that gives skills and capacities.
	Profile string `json:"profile"`
	// DeviceUp tells whether the handler's phone can ring.
	DeviceUp bool `json:"device_up"`
}

// AgentReady asks for contacts. A handler with a contact in hand becomes ready
// when it is closed.
type AgentReady struct {
	Agent AgentID `json:"agent"`
}

// AgentNotReady stops offers, with one of the plan's reasons. With a contact in
// hand it takes effect when that is closed; an outstanding offer is withdrawn.
type AgentNotReady struct {
	Agent  AgentID `json:"agent"`
	Reason string  `json:"reason"`
}

// AgentSignedOff removes a handler. Offers are withdrawn; contacts in hand stay
// connected and end on their own.
type AgentSignedOff struct {
	Agent AgentID `json:"agent"`
}

// AgentPresence tells that a desk's lease expired (Up false: no offers, an
// outstanding offer is withdrawn and the contact put back, contacts in hand stay)
// or that the desk came back. A desk that comes back keeps the state it had.
type AgentPresence struct {
	Agent AgentID `json:"agent"`
	Up    bool    `json:"up"`
}

// DeviceChanged tells whether the handler's phone can ring.
type DeviceChanged struct {
	Agent AgentID `json:"agent"`
	Up    bool    `json:"up"`
}

// ContactArrived asks for a handler. Rules choose the queue unless Queue names
// one. Arrival is when the contact reached us, before any IVR; it is kept for
// life. A call from a line that hung up waiting for the same queue, within the
// plan's window, has the earlier call's arrival. A contact id seen before is refused.
type ContactArrived struct {
	Contact contact.ID      `json:"contact"`
	Channel contact.Channel `json:"channel"`
	Arrival contact.Instant `json:"arrival"`
	Facts   contact.Facts   `json:"facts"`
	Queue   QueueID         `json:"queue,omitempty"`
}

// OfferAccepted says the handler took the offer (the phone was answered). The
// engine answers with Connect, or Refused when the offer is no longer theirs.
type OfferAccepted struct {
	Offer OfferID `json:"offer"`
	Agent AgentID `json:"agent"`
}

// OfferDeclined says the handler refused; they rest as the plan says and the
// contact goes back to its original place.
type OfferDeclined struct {
	Offer OfferID `json:"offer"`
	Agent AgentID `json:"agent"`
	// Reason is one of the plan's decline reasons, or empty.
	Reason string `json:"reason,omitempty"`
}

// OfferFailed says the handler could not be reached (busy, unreachable, dial
// error). Treated as a decline that is not the handler's doing.
type OfferFailed struct {
	Offer OfferID `json:"offer"`
	Agent AgentID `json:"agent"`
	Cause string  `json:"cause"`
}

// Connected says caller and handler hear each other.
type Connected struct {
	Contact contact.ID `json:"contact"`
	Agent   AgentID    `json:"agent"`
}

// ConnectFailed says the bridge could not be made or the handler's leg was lost
// before it was; the contact goes back to its original place.
type ConnectFailed struct {
	Contact contact.ID `json:"contact"`
	Agent   AgentID    `json:"agent"`
	Cause   string     `json:"cause"`
	// CallerHere tells, of a callback, that the caller answered and is on the line
	// again: they wait like any caller from now on.
	CallerHere bool `json:"caller_here,omitempty"`
}

// CallbackAsked says that a waiting caller would rather be rung back than hold
// the line. The contact keeps its place; the engine answers with CallbackNoted, or
// Refused, and then the caller waits on. The number is not here: telephony keeps it
// under the contact's id.
type CallbackAsked struct {
	Contact contact.ID `json:"contact"`
}

// CallbackFailed says that a CallBack did not reach the caller. The next attempt
// follows after the plan's spacing.
type CallbackFailed struct {
	Contact contact.ID `json:"contact"`
	Agent   AgentID    `json:"agent"`
	// Cause is a code, for example "busy".
	Cause string `json:"cause"`
	// Final tells that no further attempt may be made: no number is known, or it is
	// not safe to ring.
	Final bool `json:"final,omitempty"`
}

// CallbackHoursChanged says whether callers of a queue may be rung back now, where
// its policy has hours. The driver works it out, as opening hours; they may not
// until it says so.
type CallbackHoursChanged struct {
	Queue QueueID `json:"queue"`
	Open  bool    `json:"open"`
}

// ReleaseCause says who or what ended a contact's conversation or wait.
type ReleaseCause string

// Causes of release.
const (
	ReleasedByCaller  ReleaseCause = "caller"  // the caller hung up
	ReleasedByHandler ReleaseCause = "handler" // the handler hung up
	ReleasedByFailure ReleaseCause = "failure" // a channel or the switch failed
	ReleasedBySystem  ReleaseCause = "system"  // for example after a closed announcement
)

// ContactReleased says the contact is gone from the switch. Waiting, it was
// abandoned; offered, the offer is withdrawn; connected, wrap-up begins.
type ContactReleased struct {
	Contact contact.ID   `json:"contact"`
	Cause   ReleaseCause `json:"cause"`
	// Seen counts the messages joined that a handler who ends it has seen; with
	// fewer than there are, ending it is refused.
	Seen int `json:"seen,omitempty"`
}

// WrapUpDone closes the handler's work on a contact.
type WrapUpDone struct {
	Contact contact.ID `json:"contact"`
	Agent   AgentID    `json:"agent"`
	// Outcome is the disposition's code.
	Outcome string `json:"outcome"`
	// Seen is as in ContactReleased, for one that has not ended.
	Seen int `json:"seen,omitempty"`
}

// WrapUpExtended asks for more wrap-up time, granted once per contact up to the
// plan's extension.
type WrapUpExtended struct {
	Contact contact.ID `json:"contact"`
	Agent   AgentID    `json:"agent"`
}

// Verb is a call-control request.
type Verb string

// Verbs a handler may use on a connected call.
const (
	VerbHold   Verb = "hold"
	VerbResume Verb = "resume"
	VerbMute   Verb = "mute"
	VerbUnmute Verb = "unmute"
	VerbHangup Verb = "hangup"
	VerbDTMF   Verb = "dtmf"
)

// ControlAsked is a handler's request about the call in hand. The engine checks
// that it is theirs and answers with Control, or Refused.
type ControlAsked struct {
	Contact contact.ID `json:"contact"`
	Agent   AgentID    `json:"agent"`
	Verb    Verb       `json:"verb"`
	// Digits are for VerbDTMF: 0-9, *, #, A-D, at most 32.
	Digits string `json:"digits,omitempty"`
}

// ControlDone reports what the switch did with a Control.
type ControlDone struct {
	Contact contact.ID `json:"contact"`
	Agent   AgentID    `json:"agent"`
	Verb    Verb       `json:"verb"`
	// Cause is empty on success, else a short code.
	Cause string `json:"cause,omitempty"`
}

// ContactParked puts a written contact aside, in the same handler's hands, until
// ContactResumed. It still counts for the capacity of its channel.
type ContactParked struct {
	Contact contact.ID `json:"contact"`
	Agent   AgentID    `json:"agent"`
}

// ContactResumed takes up again a contact that its handler put aside. It is
// refused while they have a call; what a call interrupted comes back by itself.
type ContactResumed struct {
	Contact contact.ID `json:"contact"`
	Agent   AgentID    `json:"agent"`
}

// ContactForwarded gives a written contact in hand to another queue, or back to
// its own. It keeps arrival, class and credit; the due time counts the queue's
// target from the arrival.
type ContactForwarded struct {
	Contact contact.ID `json:"contact"`
	Agent   AgentID    `json:"agent"`
	Queue   QueueID    `json:"queue"`
}

// MessageJoined says that one more message belongs to a written contact that has
// not ended. Refused, it joins nothing: the message must arrive as a contact of its
// own. Taken, the contact does not end before its handler has seen it (Seen). Who
// sends it has put the message where handlers read it. It may be sent twice.
type MessageJoined struct {
	Contact contact.ID `json:"contact"`
}

// Kind implementations: the names in the journal.
func (Tick) Kind() string             { return "tick" }
func (PlanPublished) Kind() string    { return "plan_published" }
func (SurgeSwitched) Kind() string    { return "surge_switched" }
func (HoursChanged) Kind() string     { return "hours_changed" }
func (AgentSignedOn) Kind() string    { return "agent_signed_on" }
func (AgentReady) Kind() string       { return "agent_ready" }
func (AgentNotReady) Kind() string    { return "agent_not_ready" }
func (AgentSignedOff) Kind() string   { return "agent_signed_off" }
func (AgentPresence) Kind() string    { return "agent_presence" }
func (DeviceChanged) Kind() string    { return "device_changed" }
func (ContactArrived) Kind() string   { return "contact_arrived" }
func (OfferAccepted) Kind() string    { return "offer_accepted" }
func (OfferDeclined) Kind() string    { return "offer_declined" }
func (OfferFailed) Kind() string      { return "offer_failed" }
func (Connected) Kind() string        { return "connected" }
func (ConnectFailed) Kind() string    { return "connect_failed" }
func (ContactReleased) Kind() string  { return "contact_released" }
func (WrapUpDone) Kind() string       { return "wrap_up_done" }
func (WrapUpExtended) Kind() string   { return "wrap_up_extended" }
func (ControlAsked) Kind() string     { return "control_asked" }
func (ControlDone) Kind() string      { return "control_done" }
func (ContactParked) Kind() string    { return "contact_parked" }
func (ContactResumed) Kind() string   { return "contact_resumed" }
func (ContactForwarded) Kind() string { return "contact_forwarded" }
func (MessageJoined) Kind() string    { return "message_joined" }

func (CallbackAsked) Kind() string        { return "callback_asked" }
func (CallbackFailed) Kind() string       { return "callback_failed" }
func (CallbackHoursChanged) Kind() string { return "callback_hours_changed" }
