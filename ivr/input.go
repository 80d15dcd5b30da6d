package ivr

// Input is something that happened on the call. The set is closed: Start,
// Digit, PlayDone, PlayFailed, TimerFired, TransferFailed and HungUp.
type Input interface{ input() }

// Start begins the session; it must come first and counts once.
type Start struct {
	// Language is a language remembered for this caller, or empty. One the
	// catalogue does not have is taken as not remembered.
	Language string
}

// Digit is one key pressed by the caller: '0' to '9', '*' or '#'. Any other
// value (the A to D of ITU-T Q.23, noise) is ignored.
type Digit struct{ Key byte }

// PlayDone says that the playback with this id ended by itself. The end of a
// playback that was stopped, or of one never begun, is ignored.
type PlayDone struct{ ID PlayID }

// PlayFailed says that the playback could not be begun or broke off. The
// session goes on exactly as if it had finished: silence must not hold a caller.
type PlayFailed struct{ ID PlayID }

// TimerFired says that the timer's time has passed. A timer that was stopped is
// ignored.
type TimerFired struct{ ID TimerID }

// TransferFailed says that the destination of the last Transfer could not be
// reached. The session takes the call back and goes to the step's "failed"
// step. It means nothing before a Transfer.
type TransferFailed struct{}

// HungUp says that the caller is gone. It ends the session in every state.
type HungUp struct{}

func (Start) input()          {}
func (Digit) input()          {}
func (PlayDone) input()       {}
func (PlayFailed) input()     {}
func (TimerFired) input()     {}
func (TransferFailed) input() {}
func (HungUp) input()         {}
