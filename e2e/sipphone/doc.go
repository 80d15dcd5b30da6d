// Package sipphone is a SIP telephone that is driven from Go: it registers,
// rings, answers, holds, presses keys, sends tones and listens for them. It
// exists for end-to-end tests and benchmarks, where a real telephone cannot be
// told what to do and when it did it.
//
// One [Phone] is one SIP user agent on one UDP socket (RFC 3261) and carries
// any number of identities and calls. [Phone.Call] places a call;
// [Options.OnInvite] or [Phone.Incoming] receives them. A [Call] reports its
// progress by channels that close once and by the time of each event.
//
// Audio is G.711 in 20 ms RTP packets (RFC 3550, RFC 3551) on a port of the
// call's own, keys are telephone events (RFC 4733). A call made or answered
// with NoMedia offers the address of a socket nobody reads and sends nothing,
// so thousands of them cost signalling only.
//
// What it leaves out: TCP, TLS, SRTP, ICE, reliable provisional responses
// (RFC 3262), transfers and session timers of its own. Those are refused the
// way their RFC says, not ignored.
//
// Every method is safe for concurrent use, and every wait ends when its
// context does.
package sipphone
