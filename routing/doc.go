// Package routing decides which handler gets which contact. It is a pure,
// deterministic state machine: it reads no clock, does no I/O, starts no
// goroutine, draws no random number and never orders by a map. Everything it
// knows arrived as an Event; everything it wants done leaves as an Action.
// For the same events at the same instants it makes the same decisions, live,
// in replay and in simulation.
package routing
