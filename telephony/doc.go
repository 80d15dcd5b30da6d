// Package telephony carries phone calls: it takes each call from the switch
// through the IVR, the queue, a handler's phone and the conversation to exactly
// one ending.
//
// [Switch] is what it needs of a telephone switch; telephony/ariswitch is
// Asterisk, telephony/switchtest a scripted stand-in. [Controller] owns the
// calls. Each call has one mailbox, consumed by one goroutine that never waits
// for the switch: commands run in lanes beside it and report back by mail. It
// is a sink of routing actions and a source of routing events, and knows
// neither the engine nor the desks.
package telephony
