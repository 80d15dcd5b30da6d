package ivr

import "example.org/c3i/contact"

// Effect is something the driver must now do. Step returns effects in the order
// they must happen. The set is closed: Answer, Play, StopPlay, StartTimer,
// StopTimer, SetLanguage, Route, Transfer and Hangup of a Session, and RingBack and
// WaitOn of a Callback.
type Effect interface{ effect() }

// PlayID numbers the playbacks of one session from 1; 0 is none.
type PlayID int

// TimerID numbers the timers of one session from 1; 0 is none.
type TimerID int

// PromptRef names a prompt in a language. The language is always one of the
// catalogue's and always has the prompt.
type PromptRef struct {
	Name     string `json:"name"`
	Language string `json:"language"`
}

// Answer asks for the call to be answered. It is the first effect of Start.
type Answer struct{}

// Play asks for prompts to be played one after another as one playback. The
// driver answers with one PlayDone or PlayFailed for it, unless it was stopped.
// At most one playback is in progress: a StopPlay or the end comes before the
// next Play.
type Play struct {
	ID      PlayID
	Prompts []PromptRef
	// Interruptible tells that a key will stop it. It is information: the
	// session itself sends StopPlay.
	Interruptible bool
}

// StopPlay asks for a playback to be cut off. Stopping one that has already
// ended is harmless.
type StopPlay struct{ ID PlayID }

// StartTimer asks for TimerFired after a time. At most one timer runs.
type StartTimer struct {
	ID    TimerID
	After contact.Duration
}

// StopTimer asks for a timer to be forgotten.
type StopTimer struct{ ID TimerID }

// SetLanguage says which language the caller chose or is remembered for. Use it
// for what is played after the session, too.
type SetLanguage struct{ Code string }

// Route ends the session: the call goes to a queue. The driver identifies the
// caller and submits the contact.
type Route struct {
	// Queue names a queue, or is empty to let the plan's rules choose.
	Queue string
	// Callback tells that the caller would rather be rung back than wait: the driver
	// has the talk about it (Callback) once the call is queued, if the queue allows.
	Callback bool
	// Language is what the caller chose, else the flow's default. Never empty.
	Language string
	// Answers is what the caller told, by the name the flow gives each answer.
	// It is never nil.
	Answers map[string]string
	// Labels is the same in the order given, in words for the handler's screen.
	Labels []AnswerLabel
}

// AnswerLabel is one answer as the handler reads it.
type AnswerLabel struct {
	// Name and Value are as in Route.Answers.
	Name  string `json:"name"`
	Value string `json:"value"`
	// Question and Answer are the words the flow gives for them; without any
	// they repeat Name and Value.
	Question string `json:"question"`
	Answer   string `json:"answer"`
}

// Transfer hands the call to a destination named in the configuration, for
// example "emergency". Nothing is playing when it is sent. If the destination
// cannot be reached the driver tells the session TransferFailed and performs
// the effects it gets; on success it says nothing more, except HungUp.
type Transfer struct {
	Destination string
	// Language and Answers are as in Route, for whoever takes the call.
	Language string
	Answers  map[string]string
}

// Hangup ends the session: the call is hung up by us.
type Hangup struct{ Reason HangupReason }

// HangupReason says why we hung up.
type HangupReason string

// Reasons for hanging up.
const (
	// HangupFinished is a hangup step: the flow has given the caller what they
	// rang for.
	HangupFinished HangupReason = "finished"
)

// RingBack ends a Callback: the caller wants to be rung back on this number, which is
// Dialable.
type RingBack struct{ Number string }

// WaitOn ends a Callback: the caller goes on waiting.
type WaitOn struct{}

func (RingBack) effect()    {}
func (WaitOn) effect()      {}
func (Answer) effect()      {}
func (Play) effect()        {}
func (StopPlay) effect()    {}
func (StartTimer) effect()  {}
func (StopTimer) effect()   {}
func (SetLanguage) effect() {}
func (Route) effect()       {}
func (Transfer) effect()    {}
func (Hangup) effect()      {}
