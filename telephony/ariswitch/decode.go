package ariswitch

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/CyCoreSystems/ari/v5"

	"example.org/c3i/telephony"
)

// maxRaw bounds what is kept of an event that was not understood.
const maxRaw = 2048

// decoded is one message from the socket.
type decoded struct {
	sent time.Time
	// bodies are what it means to us, none for noise.
	bodies []telephony.EventBody
}

// decode reads one message. It never fails: what it cannot read is an
// telephony.Unknown, so that it is counted and nothing is torn down for it.
func decode(data []byte) decoded {
	var head struct {
		Type        string `json:"type"`
		Application string `json:"application"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return decoded{bodies: []telephony.EventBody{unknown(head.Type, data, fmt.Errorf("not an event: %w", err))}}
	}
	if !wanted[head.Type] {
		if noise[head.Type] {
			return decoded{}
		}
		return decoded{bodies: []telephony.EventBody{unknown(head.Type, data, nil)}}
	}
	ev, err := ari.DecodeEvent(data)
	if err != nil {
		return decoded{bodies: []telephony.EventBody{unknown(head.Type, data, err)}}
	}
	d := decoded{}
	body, err := translate(ev, &d.sent)
	if err != nil {
		return decoded{bodies: []telephony.EventBody{unknown(head.Type, data, err)}}
	}
	if body != nil {
		d.bodies = []telephony.EventBody{body}
	}
	return d
}

func unknown(typ string, data []byte, err error) telephony.Unknown {
	raw := data
	if len(raw) > maxRaw {
		raw = raw[:maxRaw]
	}
	return telephony.Unknown{Type: typ, Raw: strings.ToValidUTF8(string(raw), "?"), Err: err}
}

// wanted are the events we act on; noise those we know and need not look at.
var (
	wanted = setOf("ApplicationReplaced", "StasisStart", "StasisEnd", "ChannelHangupRequest", "ChannelDestroyed", "ChannelStateChange", "ChannelDtmfReceived",
		"PlaybackStarted", "PlaybackFinished", "ChannelEnteredBridge", "ChannelLeftBridge", "BridgeDestroyed", "Dial", "DeviceStateChanged")
	noise = setOf("ChannelCreated", "ChannelVarset", "ChannelDialplan", "ChannelCallerId", "ChannelConnectedLine",
		"ChannelHold", "ChannelUnhold", "ChannelUserevent", "ChannelTalkingStarted", "ChannelTalkingFinished", "BridgeCreated", "BridgeMerged",
		"BridgeVideoSourceChanged", "PlaybackContinuing", "EndpointStateChange", "ContactStatusChange", "PeerStatusChange",
		"RecordingStarted", "RecordingFinished", "RecordingFailed", "ApplicationRegistered", "ApplicationUnregistered")
)

func setOf(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// lacks is the error for an event without a field it cannot do without.
func lacks(field string) error { return fmt.Errorf("field %s is missing or empty", field) }

func translate(ev ari.Event, sent *time.Time) (telephony.EventBody, error) {
	stamp := func(e ari.EventData) {
		if t := time.Time(e.Timestamp); !t.IsZero() {
			*sent = t
		}
	}
	switch e := ev.(type) {
	case *ari.ApplicationReplaced:
		stamp(e.EventData)
		return telephony.Replaced{}, nil
	case *ari.StasisStart:
		stamp(e.EventData)
		if e.Channel.ID == "" {
			return nil, lacks("channel.id")
		}
		b := telephony.ChannelEntered{Channel: telephony.ChannelID(e.Channel.ID), Args: e.Args, State: telephony.ChannelState(e.Channel.State), Language: e.Channel.Language}
		if e.Channel.Caller != nil {
			b.Number, b.Name = e.Channel.Caller.Number, e.Channel.Caller.Name
		}
		if d := e.Channel.Dialplan; d != nil && isNumber(d.Exten) {
			b.Dialled = d.Exten
		}
		return b, nil
	case *ari.StasisEnd:
		stamp(e.EventData)
		if e.Channel.ID == "" {
			return nil, lacks("channel.id")
		}
		return telephony.ChannelLeft{Channel: telephony.ChannelID(e.Channel.ID)}, nil
	case *ari.ChannelHangupRequest:
		stamp(e.EventData)
		if e.Channel.ID == "" {
			return nil, lacks("channel.id")
		}
		return telephony.HangupRequested{Channel: telephony.ChannelID(e.Channel.ID)}, nil
	case *ari.ChannelDestroyed:
		stamp(e.EventData)
		if e.Channel.ID == "" {
			return nil, lacks("channel.id")
		}
		return telephony.ChannelDestroyed{Channel: telephony.ChannelID(e.Channel.ID), Cause: telephony.Cause(e.Cause)}, nil
	case *ari.ChannelStateChange:
		stamp(e.EventData)
		if e.Channel.ID == "" {
			return nil, lacks("channel.id")
		}
		return telephony.StateChanged{Channel: telephony.ChannelID(e.Channel.ID), State: telephony.ChannelState(e.Channel.State)}, nil
	case *ari.ChannelDtmfReceived:
		stamp(e.EventData)
		if e.Channel.ID == "" {
			return nil, lacks("channel.id")
		}
		if len(e.Digit) != 1 {
			return nil, fmt.Errorf("field digit must be one character, not %d", len(e.Digit))
		}
		return telephony.DigitReceived{Channel: telephony.ChannelID(e.Channel.ID), Digit: e.Digit[0]}, nil
	case *ari.PlaybackStarted:
		stamp(e.EventData)
		if e.Playback.ID == "" {
			return nil, lacks("playback.id")
		}
		return telephony.PlaybackStarted{Playback: telephony.PlaybackID(e.Playback.ID)}, nil
	case *ari.PlaybackFinished:
		stamp(e.EventData)
		if e.Playback.ID == "" {
			return nil, lacks("playback.id")
		}
		return telephony.PlaybackFinished{Playback: telephony.PlaybackID(e.Playback.ID), Failed: e.Playback.State == "failed"}, nil
	case *ari.ChannelEnteredBridge:
		stamp(e.EventData)
		if e.Bridge.ID == "" || e.Channel.ID == "" {
			return nil, lacks("bridge.id or channel.id")
		}
		return telephony.BridgeEntered{Bridge: telephony.BridgeID(e.Bridge.ID), Channel: telephony.ChannelID(e.Channel.ID)}, nil
	case *ari.ChannelLeftBridge:
		stamp(e.EventData)
		if e.Bridge.ID == "" || e.Channel.ID == "" {
			return nil, lacks("bridge.id or channel.id")
		}
		return telephony.BridgeLeft{Bridge: telephony.BridgeID(e.Bridge.ID), Channel: telephony.ChannelID(e.Channel.ID)}, nil
	case *ari.BridgeDestroyed:
		stamp(e.EventData)
		if e.Bridge.ID == "" {
			return nil, lacks("bridge.id")
		}
		return telephony.BridgeDestroyed{Bridge: telephony.BridgeID(e.Bridge.ID)}, nil
	case *ari.Dial:
		stamp(e.EventData)
		if e.Peer.ID == "" {
			return nil, lacks("peer.id")
		}
		return telephony.DialChanged{Channel: telephony.ChannelID(e.Peer.ID), Status: e.Dialstatus}, nil
	case *ari.DeviceStateChanged:
		stamp(e.EventData)
		if e.DeviceState.Name == "" {
			return nil, lacks("device_state.name")
		}
		return telephony.EndpointChanged{Endpoint: e.DeviceState.Name, Up: deviceUp(e.DeviceState.State)}, nil
	}
	return nil, fmt.Errorf("decoded as %T", ev)
}

// deviceUp reads Asterisk's device state: whether the phone can be rung at all.
func deviceUp(state string) bool {
	switch state {
	case "", "UNKNOWN", "INVALID", "UNAVAILABLE":
		return false
	}
	return true
}

// isNumber tells a dialled number from an extension such as "s".
func isNumber(s string) bool {
	if s == "" || len(s) > 32 {
		return false
	}
	for i, r := range s {
		if (r < '0' || r > '9') && (r != '+' || i != 0) && r != '*' && r != '#' {
			return false
		}
	}
	return true
}
