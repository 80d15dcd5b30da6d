// Package switchtest is a stand-in for a telephone switch, and says so: no call
// made on it is heard by anybody. It is for tests and for trying things out
// without Asterisk.
//
// [Switch] is a switch in memory, with callers who press keys and hang up,
// phones that answer, are busy or never answer, and faults: lost, late and
// repeated events, commands that fail or stall, a connection that is cut.
// [Contract] is what every telephony.Switch must fulfil; this one and Asterisk
// both do. [Router] is the routing engine with the least around it that makes it
// live.
package switchtest
