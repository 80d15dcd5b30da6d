package ivr

import "example.org/c3i/contact"

// Options say what is known of the call when the session begins. Branch steps
// may use it.
type Options struct {
	// Dialled is the service number that was rung.
	Dialled string
	// CLI is how the calling number was presented.
	CLI contact.CLI
}

// Session is one caller's way through a flow. It is not safe for concurrent
// use: one mailbox per call owns it.
type Session struct {
	flow  *Flow
	opts  Options
	state State
	out   []Effect
}

// NewSession makes a session that waits for Start.
func NewSession(flow *Flow, opts Options) *Session {
	return &Session{flow: flow, opts: opts}
}

// Step tells the session what happened and returns what must be done, in order.
// It never fails and never panics: an input that does not fit the state (a key
// after the end, the end of a playback that was stopped) has no effects.
// Between steps a session that has begun and not ended awaits at least one
// playback or timer.
func (s *Session) Step(in Input) []Effect { return nil }

// Ending is how the session ended.
type Ending string

// The endings of a session. LeftInIVR and IVRContained are endings of the
// contact as well (contact.Ending); Routed and Transferred contacts go on.
const (
	// Open is a session that has not ended.
	Open Ending = ""
	// LeftInIVR: the caller hung up before anything was settled.
	LeftInIVR Ending = Ending(contact.LeftInIVR)
	// IVRContained: the flow ended the call, or the caller hung up during the
	// message of a hangup step.
	IVRContained Ending = Ending(contact.IVRContained)
	// Routed: a Route was sent.
	Routed Ending = "routed"
	// Transferred: a Transfer was sent and has not failed.
	Transferred Ending = "transferred"
)

// Ending tells how the session ended, Open while it has not. Transferred may
// still turn into another after TransferFailed; all others are final.
func (s *Session) Ending() Ending { return s.state.Ending }

// Path lists the steps the caller went through, in order, for the ledger. It
// holds no collected digits.
func (s *Session) Path() []Visit { return append([]Visit(nil), s.state.Path...) }
