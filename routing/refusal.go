package routing

// Codes of Refused actions. They are stable: senders and metrics may rely on
// them.
const (
	RefusedEvent         = "event_unknown"     // not an event of this package
	RefusedNoPlan        = "no_plan"           // no plan is in force yet
	RefusedPlan          = "plan_invalid"      // the plan is missing or contradicts itself
	RefusedQueue         = "queue_unknown"     // the plan has no such queue
	RefusedChannel       = "channel_unknown"   // not one of contact.Channels
	RefusedProfile       = "profile_unknown"   // the plan has no such profile
	RefusedAgent         = "agent_unknown"     // the handler is not signed on
	RefusedAgentID       = "agent_id_missing"  // the handler's id is empty
	RefusedNoChange      = "no_change"         // it is so already
	RefusedNoCallback    = "no_callback"       // the queue rings nobody back
	RefusedUnsafe        = "unsafe_to_call"    // the line must not be rung
	RefusedRisk          = "risk_to_life"      // whoever is in danger stays on the line
	RefusedContactID     = "contact_id_empty"  // the contact's id is empty
	RefusedDuplicate     = "contact_duplicate" // a contact of that id is or was here
	RefusedContact       = "contact_unknown"   // no contact of that id was seen
	RefusedContactEnded  = "contact_ended"     // the contact is gone already
	RefusedOffer         = "offer_not_open"    // never made to this handler, taken, or withdrawn
	RefusedNotYours      = "contact_not_yours" // another handler has it, or nobody
	RefusedPhase         = "wrong_phase"       // not now: see the contact's phase
	RefusedNotCall       = "not_a_call"        // call control on an e-mail or web contact
	RefusedNotWritten    = "not_written"       // a call cannot be parked or forwarded
	RefusedUnseen        = "message_unseen"    // a message joined that the handler has not seen
	RefusedVerb          = "verb_unknown"      // not one of the verbs
	RefusedDigits        = "digits_invalid"    // not 1 to 32 of 0-9 * # A-D
	RefusedExtended      = "already_extended"  // the one extension was used
	RefusedSurge         = "surge_unknown"     // the plan has no such surge
	RefusedNoExtension   = "no_extension"      // the plan allows none
	RefusedControlFailed = "control_failed"    // the switch could not do it
)

// Codes of Alert actions.
const (
	// AlertRisk: a contact came that its rule marks as a risk to life.
	AlertRisk = "risk_to_life"
	// AlertHandlerMisses: a handler missed or declined AlertAfter offers in a row.
	AlertHandlerMisses = "repeated_no_answer"
	// AlertContactMisses: AlertAfter offers of one contact were missed or declined.
	AlertContactMisses = "contact_not_taken"
	// AlertProfileGone: a published plan lacks a signed-on handler's profile; they
	// are offered nothing until they sign on with another.
	AlertProfileGone = "profile_gone"
	// AlertQueueGone: a contact named a queue the plan lacks; rules chose instead.
	AlertQueueGone = "queue_unknown"
	// AlertSurgeGone: a published plan lacks a surge that was on; it is off now.
	AlertSurgeGone = "surge_gone"
	// AlertStepsSpent: a contact still waits after the last step of relaxation and
	// overflow its queue has: nothing more widens, it waits for anyone able.
	AlertStepsSpent = "waits_for_anyone_able"
	// AlertCallbackMissed: a callback ended without the caller having been reached:
	// somebody should find another way.
	AlertCallbackMissed = "callback_not_reached"
)
