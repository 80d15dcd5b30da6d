package telephony

import (
	"context"
	"time"
)

// ChannelID names one leg of a call in the switch.
type ChannelID string

// BridgeID names a bridge in the switch.
type BridgeID string

// PlaybackID names one playback in the switch.
type PlaybackID string

// Switch is a telephone switch that does as it is told and says what happens.
//
// Guarantees every implementation gives, checked by switchtest.Contract:
//
//   - Ids of originated channels, bridges and playbacks are chosen by the
//     caller before the request. A command repeated with the same id does
//     nothing new: the first outcome stands and the repeat succeeds.
//   - Hanging up, stopping or destroying what is already gone is success.
//   - Every other command on something that is gone gives ErrNotFound; one that
//     the thing's state does not allow gives ErrConflict; a switch that cannot
//     be reached, fails or is too slow gives ErrUnavailable. See [Error].
//   - Every command ends by the context's deadline, or by one of the
//     implementation's own where the context has none. After ErrUnavailable the
//     command may or may not have been carried out.
//   - All methods may be called at once from many goroutines; commands on one
//     thing happen in the order they were made only if each is awaited.
type Switch interface {
	// Answer takes an incoming call off the hook. Answering twice is success.
	Answer(ctx context.Context, ch ChannelID) error
	// Ring lets the caller of a call not yet answered hear ringing.
	Ring(ctx context.Context, ch ChannelID) error
	// Originate rings a phone. It returns once the phone is being dialled; what
	// becomes of it is told by events. An endpoint that cannot be dialled at all
	// is ErrUnreachable, and no channel is left behind.
	Originate(ctx context.Context, o Originate) error
	// Play plays media one after another on a channel as one playback, which
	// ends with one PlaybackFinished.
	Play(ctx context.Context, p PlaybackID, ch ChannelID, media []string) error
	// StopPlay cuts a playback off; its PlaybackFinished still comes.
	StopPlay(ctx context.Context, p PlaybackID) error
	// StartMusic plays music on hold of a class, empty for the default, until
	// StopMusic.
	StartMusic(ctx context.Context, ch ChannelID, class string) error
	// StopMusic ends it; stopping where nothing plays is success.
	StopMusic(ctx context.Context, ch ChannelID) error
	// CreateBridge makes an empty bridge that mixes speech.
	CreateBridge(ctx context.Context, b BridgeID) error
	// AddToBridge joins channels; those already in it stay.
	AddToBridge(ctx context.Context, b BridgeID, chs ...ChannelID) error
	// RemoveFromBridge takes a channel out. One that is not in it is success.
	RemoveFromBridge(ctx context.Context, b BridgeID, ch ChannelID) error
	// DestroyBridge ends a bridge; its channels stay up.
	DestroyBridge(ctx context.Context, b BridgeID) error
	// Hangup ends a channel.
	Hangup(ctx context.Context, ch ChannelID, cause Cause) error
	// Mute stops speech of one direction, Unmute lets it through again.
	Mute(ctx context.Context, ch ChannelID, dir Direction) error
	Unmute(ctx context.Context, ch ChannelID, dir Direction) error
	// SendDTMF plays key tones to whoever is on the channel.
	SendDTMF(ctx context.Context, ch ChannelID, digits string) error
	// Continue gives a channel back to the switch's own dialplan. The zero
	// Location goes on after the step that handed it to us.
	Continue(ctx context.Context, ch ChannelID, to Location) error
	// Variables reads channel variables and functions; one that is not set is
	// empty.
	Variables(ctx context.Context, ch ChannelID, names ...string) (map[string]string, error)
	// Watch asks that a channel's end be reported although it has not entered:
	// needed for a ringing leg after the event stream was interrupted.
	Watch(ctx context.Context, ch ChannelID) error
	// Channels lists every channel of the switch, Bridges every bridge.
	Channels(ctx context.Context) ([]Channel, error)
	Bridges(ctx context.Context) ([]Bridge, error)
	// Events is the one stream of what happens, in order and without a bound: a
	// slow reader costs memory, never an event. It is closed when the switch is
	// closed for good. There is one stream; whoever reads an event has it.
	Events() <-chan Event
}

// Originate describes a phone to ring.
type Originate struct {
	// Channel is the id the new leg gets.
	Channel ChannelID
	// Endpoint is the dial string, for example "PJSIP/desk1".
	Endpoint string
	// CallerNumber and CallerName are shown on the phone; empty shows nothing.
	CallerNumber, CallerName string
	// Timeout ends the ringing, in whole seconds, at least one.
	Timeout time.Duration
	// Args come back with ChannelEntered.
	Args []string
	// Variables are set on the new channel.
	Variables map[string]string
	// Language is the leg's language, or empty.
	Language string
}

// Direction is which way speech goes through a channel.
type Direction string

// Directions, as ARI has them: in is what the switch hears of the phone, out
// what the phone hears of the switch.
const (
	DirectionIn   Direction = "in"
	DirectionOut  Direction = "out"
	DirectionBoth Direction = "both"
)

// Location is a place in the dialplan; the zero value is "the next step".
type Location struct {
	Context   string
	Extension string
	Priority  int
}

// ChannelState is how far a channel has come.
type ChannelState string

// Channel states; a switch may report others.
const (
	ChannelDown    ChannelState = "Down"
	ChannelRing    ChannelState = "Ring"    // an incoming call not answered
	ChannelRinging ChannelState = "Ringing" // a phone of ours rings
	ChannelUp      ChannelState = "Up"
)

// Channel is one leg as the switch lists it.
type Channel struct {
	ID    ChannelID
	State ChannelState
	// App is the application that controls it, empty if the dialplan does.
	App string
	// Args are what the dialplan passed with it.
	Args []string
}

// Bridge is one bridge as the switch lists it.
type Bridge struct {
	ID       BridgeID
	Channels []ChannelID
}

// Cause is a Q.850 cause code (ITU-T Q.850 table 1).
type Cause int

// Causes used here.
const (
	CauseNone          Cause = 0
	CauseUnallocated   Cause = 1
	CauseNormal        Cause = 16
	CauseUserBusy      Cause = 17
	CauseNoResponse    Cause = 18
	CauseNoAnswer      Cause = 19
	CauseAbsent        Cause = 20
	CauseRejected      Cause = 21
	CauseOutOfOrder    Cause = 27
	CauseNormalUnspec  Cause = 31
	CauseCongestion    Cause = 34
	CauseFailure       Cause = 38
	CauseTemporary     Cause = 41
	CauseSwitchTrouble Cause = 42
)
