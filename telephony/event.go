package telephony

import "time"

// Event is one thing that happened in the switch.
type Event struct {
	// Epoch numbers the connection that delivered it, from 1.
	Epoch uint64
	// Sent is the switch's own time stamp, Received ours.
	Sent, Received time.Time
	Body           EventBody
}

// EventBody is what happened. The set is closed.
type EventBody interface{ eventBody() }

// Connected says that the event stream begins (again). Whatever happened since
// the last Disconnected was missed; commands work.
type Connected struct{}

// Disconnected says that the event stream is interrupted.
type Disconnected struct{ Err error }

// Replaced says that another controller took our place: the stream has ended
// and will not be tried again.
type Replaced struct{}

// ChannelEntered says that a channel is now ours to command: an incoming call,
// or a leg of ours that was answered.
type ChannelEntered struct {
	Channel ChannelID
	// Args are the arguments from the dialplan or from Originate.
	Args  []string
	State ChannelState
	// Number and Name are the calling line as presented: personal data.
	Number, Name string
	// Dialled is the number rung where the switch says so, else empty.
	Dialled  string
	Language string
}

// ChannelLeft says that a channel is no longer ours: hung up, or continued in
// the dialplan. It comes once for each ChannelEntered.
type ChannelLeft struct{ Channel ChannelID }

// HangupRequested says that a channel is about to go: the phone at its other end
// was put down, and the switch has yet to tidy up.
type HangupRequested struct{ Channel ChannelID }

// ChannelDestroyed says that a channel is gone, and why. It comes for legs we
// originated; for others ChannelLeft may be the last that is heard of them.
type ChannelDestroyed struct {
	Channel ChannelID
	Cause   Cause
}

// StateChanged says how far a channel has come.
type StateChanged struct {
	Channel ChannelID
	State   ChannelState
}

// DigitReceived is one key pressed on the phone at the other end of a channel.
type DigitReceived struct {
	Channel ChannelID
	Digit   byte
}

// PlaybackStarted says that a playback, or the next item of one, is heard.
type PlaybackStarted struct{ Playback PlaybackID }

// PlaybackFinished ends a playback; Failed tells that media could not be played.
type PlaybackFinished struct {
	Playback PlaybackID
	Failed   bool
}

// BridgeEntered says that a channel joined a bridge.
type BridgeEntered struct {
	Bridge  BridgeID
	Channel ChannelID
}

// BridgeLeft says that a channel left a bridge.
type BridgeLeft struct {
	Bridge  BridgeID
	Channel ChannelID
}

// BridgeDestroyed says that a bridge is gone. It need not come for one that we
// destroyed.
type BridgeDestroyed struct{ Bridge BridgeID }

// DialChanged tells how ringing a leg goes: "", RINGING, PROGRESS, ANSWER,
// BUSY, NOANSWER, CANCEL, CONGESTION, CHANUNAVAIL.
type DialChanged struct {
	Channel ChannelID
	Status  string
}

// EndpointChanged says whether a phone can be rung. Endpoint is as in a dial
// string, for example "PJSIP/desk1".
type EndpointChanged struct {
	Endpoint string
	Up       bool
}

// Unknown is an event we have no use for or could not read. It is delivered so
// that it is counted; Raw is cut to a bounded length.
type Unknown struct {
	Type string
	Raw  string
	// Err tells why a known type could not be read; nil for an unknown type.
	Err error
}

func (Connected) eventBody()        {}
func (Disconnected) eventBody()     {}
func (Replaced) eventBody()         {}
func (ChannelEntered) eventBody()   {}
func (ChannelLeft) eventBody()      {}
func (HangupRequested) eventBody()  {}
func (ChannelDestroyed) eventBody() {}
func (StateChanged) eventBody()     {}
func (DigitReceived) eventBody()    {}
func (PlaybackStarted) eventBody()  {}
func (PlaybackFinished) eventBody() {}
func (BridgeEntered) eventBody()    {}
func (BridgeLeft) eventBody()       {}
func (BridgeDestroyed) eventBody()  {}
func (DialChanged) eventBody()      {}
func (EndpointChanged) eventBody()  {}
func (Unknown) eventBody()          {}
