// Package sim answers "what if": a modelled world of callers, handlers and
// shifts on a virtual clock around the very engine that routes live contacts.
//
// What comes from outside (arrivals, patience, handling times, shifts) is the
// same for every plan compared: each number is drawn by seed, replication,
// contact and purpose. What follows from routing (who answers whom and when, who
// gives up) depends on the plan.
//
// # What is modelled
//
// A caller gives up when their patience ends before somebody answers. A handler
// accepts an offer after a delay, or misses it, and the offer's deadline then
// ends it. A call is talked through, then wrapped up, at most for as long as the
// plan lets it. Written contacts are worked on one at a time, oldest in hand
// first, and rest while there is a call. Handlers sign on and off by shift and
// finish what they have in hand. Queues open and close by the plan's hours.
//
// # What is not
//
// Callers who give up do not ring again; handlers work as fast under pressure as
// at ease; nobody's report is handled better by a more proficient handler.
// docs/simulation.md tells what that means for the figures.
package sim
