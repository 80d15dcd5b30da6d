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
// # Course
//
// A contact's age, counted from its arrival, moves it along the course its queue
// has in the plan: relaxation steps replace what it needs, overflow steps move it
// to other queues. The course of the queue the rule chose is the whole course; the
// overflow of queues on the way does not apply. Where a contact stands is a
// function of plan and age alone, so a published plan or a restart changes nothing
// else. While it rings somewhere the clock goes on and the step is taken when it
// comes back. After the last step an alert stands and it waits for anyone able.
//
// # Surges
//
// A surge is an overlay of the plan a supervisor switches on and off. Switching
// does what publishing the changed plan would: contacts not yet connected are
// routed anew and keep their place, and switching back brings them back. It
// survives a publish where the new plan has a surge of its name.
//
// # Figures
//
// Rules may look at the queues as they are when a contact is routed, and before a
// plan is published when it moves waiting contacts. The estimated wait is position
// × mean handling time ÷ handlers staffed; the mean is a moving average, by
// eighths, from answer to the end of wrap-up. Announcements never raise what they
// said.
//
// # Choice
//
// The gates of why.go come first, then the preferred handler (Facts.Preferred,
// where the queue heeds it), proficiency over the needs, longest idle, id. A
// contact is kept for its preferred handler as long as the plan says from joining
// the queue, but only while they are within reach, have the skills and have not
// refused it. Idle time starts when a handler becomes ready, ends a rest, accepts or
// closes a contact; an offer whose caller hung up does not change it. A handler
// who becomes available is offered the most due contact they may take. After
// every Step, whatever can be offered is.
//
// One offer at a time is open to a handler. While an offer, a call or wrap-up is
// theirs, nothing more is offered on any channel; e-mails and web contacts in
// hand leave room for a call, and for others up to the profile's capacity.
//
// Explain and ExplainContact tell all this of a contact that waits, or of one that
// would arrive now, and change nothing.
//
// # Ringing back
//
// A caller who hangs up before being answered and rings back from the same line,
// for the same queue and within the plan's window, has the arrival they had. A
// place is taken over once. At most LeaversRemembered places are kept.
//
// # Callbacks
//
// A caller who waits may ask to be rung back where their queue's plan allows. The
// contact keeps its place (class, due, arrival) and is offered like any other, so
// callbacks and callers on the line neither overtake nor starve each other; when the
// handler accepts, the caller is rung (CallBack) while the handler holds. One attempt
// is under way at most; one that fails frees the handler, who does not rest, and the
// contact is put off (PhaseDeferred) for the plan's spacing. While put off, for the
// first CallbackPause and outside the hours, it stands in no line. After the last
// attempt it ends and people are alerted.
//
// A call from the same line for the same queue takes over the place and ends the
// callback. A handler lost while the caller is rung is no attempt of the caller's;
// a caller who has answered by then waits on the line again, in their place. What was
// promised is kept under a plan that rings nobody back, by CallbackDefault, and after
// the queue has closed. Nobody is rung whose line is unsafe (Facts.UnsafeToCall) or
// who is in danger (class 0). Numbers are not known here.
//
// # Refusals
//
// A handler who missed, declined or could not be reached with a contact rests, and
// is passed over for it while somebody else could take it at once. They are offered
// it again only when they are free, nothing they have not refused waits for them,
// and nobody else is free. So no contact bounces while there is somebody else, and
// none waits for the end of somebody's conversation while a handler is idle.
//
// # Endings
//
// Every ContactArrived that is not refused has exactly one Ended:
//
//	answered                 released after caller and handler were connected
//	abandoned_short          the caller left before that, under ShortAbandon in the queue
//	abandoned_in_queue       the caller left before that, later
//	abandoned_after_message  the queue was closed (after QueueClosed; cause system)
//	callback_taken           the caller asked to be rung back, whatever came of it: see
//	                         CallbackResult
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
// A profile may say on which written channels a call may interrupt: what is in hand
// there is parked when the call is accepted and resumed, by the same handler and
// before anything else is offered to them, when the call leaves their hands. A
// parked contact may be ended or closed like any other.
//
// # Handlers
//
// A handler who signs off, or whose desk is lost, in a call keeps it; wrap-up
// ends by its limit. AgentReady ends a rest. Signing on again replaces profile
// and device, keeps readiness unless they had signed off, and is always answered
// with AgentChanged. Reasons and outcomes are not checked against the plan: the
// desk does that, and a break asked for with an old code is still a break.
package routing
