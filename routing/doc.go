// Package routing decides which handler gets which contact. It is a pure,
// deterministic state machine: it reads no clock, does no I/O, starts no
// goroutine, draws no random number and never orders by a map. Everything it
// knows arrived as an Event; everything it wants done leaves as an Action.
// For the same events at the same instants it makes the same decisions, live,
// in replay and in simulation.
//
// # Place
//
// A contact's place is (class, due, arrival, id); due = arrival + target −
// credit, worked out once, on arrival, and kept through offers that come back,
// failed connections and published plans. Nothing is re-sorted as time runs, and
// age wins in the end: whoever arrives later than a contact's due time plus the
// largest credit cannot go before it (class 0, risk to life, excepted).
//
// # Choice
//
// The gates of why.go come first, then proficiency over the needs, longest idle,
// id. Idle time starts when a handler becomes ready, ends a rest, accepts or
// closes a contact; an offer whose caller hung up does not change it. A handler
// who becomes available is offered the most due contact they may take. After
// every Step, whatever can be offered is.
//
// One offer at a time is open to a handler. While an offer, a call or wrap-up is
// theirs, nothing more is offered on any channel; e-mails and web contacts in
// hand leave room for a call, and for others up to the profile's capacity.
//
// # Refusals
//
// A handler who missed, declined or could not be reached with a contact is passed
// over for it while somebody else could take it at once, and rests. When nobody
// else can, the refusals are forgotten: the contact goes to whoever is free first,
// which may be the same handler after their rest. So no contact bounces while
// there is somebody else, and none waits for the end of somebody's conversation
// while a handler is free.
//
// # Endings
//
// Every ContactArrived that is not refused has exactly one Ended:
//
//	answered                 released after caller and handler were connected
//	abandoned_short          the caller left before that, under ShortAbandon in the queue
//	abandoned_in_queue       the caller left before that, later
//	abandoned_after_message  the queue was closed (after QueueClosed; cause system)
//	failed                   anything but the caller released it before that
//
// Contacts that wait when their queue closes are still served.
//
// # Written contacts
//
// E-mail and web contacts need no switch: OfferAccepted is followed by no
// Connect, the handler has them at once. WrapUpDone ends and closes them; or
// ContactReleased begins wrap-up as for a call.
//
// # Handlers
//
// A handler who signs off, or whose desk is lost, in a call keeps it; wrap-up
// ends by its limit. AgentReady ends a rest. Signing on again replaces profile
// and device, keeps readiness unless they had signed off, and is always answered
// with AgentChanged. Reasons and outcomes are not checked against the plan: the
// desk does that, and a break asked for with an old code is still a break.
package routing
