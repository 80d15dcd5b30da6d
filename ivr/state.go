package ivr

import (
	"fmt"
	"slices"
)

// State is all a session knows, as plain data that survives a JSON round trip,
// so that a call can be taken over by another process.
type State struct {
	// Flow is the hash of the flow the state belongs to.
	Flow    string `json:"flow"`
	Started bool   `json:"started,omitempty"`
	// Gone tells that the caller hung up.
	Gone   bool   `json:"gone,omitempty"`
	Ending Ending `json:"ending,omitempty"`
	Step   string `json:"step,omitempty"`
	// Play and Timer are what is awaited, 0 for none; Plays and Timers count
	// those made.
	Play   PlayID  `json:"play,omitempty"`
	Timer  TimerID `json:"timer,omitempty"`
	Plays  PlayID  `json:"plays,omitempty"`
	Timers TimerID `json:"timers,omitempty"`
	// Leaving tells that the caller has run out of tries and hears so.
	Leaving bool `json:"leaving,omitempty"`
	// Language is chosen or remembered, or the flow's; Remembered tells that a
	// language step may be passed over.
	Language   string `json:"language,omitempty"`
	Remembered bool   `json:"remembered,omitempty"`
	// Keyed is the number being keyed: personal data at times, like Answers.
	Keyed string `json:"keyed,omitempty"`
	// Ahead holds keys pressed ahead of the step that will take them.
	Ahead string `json:"ahead,omitempty"`
	// Decided tells that the last key decided a step, so that a # after it is
	// the caller's way of saying "enter".
	Decided bool `json:"decided,omitempty"`
	Tries   int  `json:"tries,omitempty"`
	// Turns counts steps entered and prompts repeated, against maxTurns.
	Turns   int               `json:"turns,omitempty"`
	Answers map[string]string `json:"answers,omitempty"`
	Path    []Visit           `json:"path,omitempty"`
}

// Visit is one step of the way.
type Visit struct {
	Step string `json:"step"`
	// Left tells how the step was left, one of the Left constants; for a key
	// followed by a space and the key ("key 1", "global 9"). Empty while the
	// caller is in it.
	Left string `json:"left,omitempty"`
}

// How steps are left.
const (
	LeftDone     = "done"     // said, or passed through
	LeftSkipped  = "skipped"  // a message the caller keyed past
	LeftKey      = "key"      // a key of the step
	LeftGlobal   = "global"   // a key of the whole flow
	LeftKeyed    = "keyed"    // a number was collected
	LeftEmpty    = "empty"    // the end key without a number
	LeftTooMany  = "too_many" // tries ran out
	LeftFailed   = "failed"   // the transfer failed
	LeftHungUp   = "hung_up"  // the caller hung up
	LeftTooLong  = "too_long" // the session had too many turns
	LeftFinished = "finished" // the session ended here
)

// State returns a copy that shares no memory with the session.
func (s *Session) State() State {
	st := s.state
	st.Path = slices.Clone(st.Path)
	st.Answers = cloneAnswers(st.Answers)
	return st
}

// Restore makes a session that goes on from a state. The error says when the
// state was taken under another flow or makes no sense. The playback the state
// awaits may be gone with the process that began it: if so, tell the session
// PlayFailed for State.Play. A timer it awaits must be started anew, or
// TimerFired told at once.
func Restore(flow *Flow, opts Options, st State) (*Session, error) {
	if st.Flow != flow.hash {
		return nil, fmt.Errorf("the session's state is of flow %q, not of %q (flow %s)", st.Flow, flow.hash, flow.name)
	}
	if !st.fits(flow.steps[st.Step]) {
		return nil, fmt.Errorf("the session's state is damaged: it is in step %q of flow %s and awaits playback %d and timer %d",
			st.Step, flow.name, st.Play, st.Timer)
	}
	if _, known := flow.spoken.Language(st.Language); st.Started && !known {
		return nil, fmt.Errorf("the session's state is damaged: flow %s has no language %q", flow.name, st.Language)
	}
	s := &Session{flow: flow, opts: opts, state: st}
	s.state = s.State()
	return s, nil
}

// fits tells whether a session can be in this state in the step.
func (st State) fits(in *step) bool {
	switch {
	case !st.Started || st.Ending != Open && st.Ending != Transferred:
		return true
	case in == nil:
		return false
	case st.Ending == Transferred:
		return in.kind == kindTransfer
	case in.takesKeys():
		return (st.Play == 0) != (st.Timer == 0)
	}
	return (in.kind == kindSay || in.kind == kindHangup) && st.Play != 0 && st.Timer == 0 && !st.Leaving
}

func cloneAnswers(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}
