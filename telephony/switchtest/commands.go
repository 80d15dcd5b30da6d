package switchtest

import (
	"context"
	"slices"
	"strings"
	"time"

	"example.org/c3i/telephony"
)

func notFound(op string) error {
	return &telephony.Error{Op: op, Kind: telephony.ErrNotFound, Status: 404}
}

func conflict(op string) error {
	return &telephony.Error{Op: op, Kind: telephony.ErrConflict, Status: 409}
}

// onChannel carries a command out on a channel that is ours.
func (s *Switch) onChannel(ctx context.Context, op string, ch telephony.ChannelID, do func(*channel) error) error {
	return s.command(ctx, op, ch, "", func() error {
		c := s.channels[ch]
		if c == nil {
			return notFound(op)
		}
		if !c.inApp {
			return conflict(op)
		}
		return do(c)
	})
}

// Answer answers a call.
func (s *Switch) Answer(ctx context.Context, ch telephony.ChannelID) error {
	return s.onChannel(ctx, "answer", ch, func(c *channel) error {
		if c.state != telephony.ChannelUp {
			c.state = telephony.ChannelUp
			s.emit(telephony.StateChanged{Channel: ch, State: telephony.ChannelUp})
		}
		return nil
	})
}

// Ring lets the caller hear ringing.
func (s *Switch) Ring(ctx context.Context, ch telephony.ChannelID) error {
	return s.onChannel(ctx, "ring", ch, func(*channel) error { return nil })
}

// Originate rings a phone.
func (s *Switch) Originate(ctx context.Context, o telephony.Originate) error {
	return s.command(ctx, "originate", o.Channel, "", func() error {
		if s.dialled[o.Channel] {
			return nil
		}
		p, known := s.phones[o.Endpoint]
		if !known || p.Unreachable {
			return &telephony.Error{Op: "originate", Kind: telephony.ErrUnreachable, Status: 500}
		}
		s.dialled[o.Channel] = true
		c := &channel{
			id: o.Channel, state: telephony.ChannelRinging, args: o.Args, endpoint: o.Endpoint, watched: true,
			vars: o.Variables, muted: map[telephony.Direction]bool{},
		}
		s.channels[o.Channel] = c
		s.emit(telephony.DialChanged{Channel: c.id})
		s.emit(telephony.StateChanged{Channel: c.id, State: telephony.ChannelRinging})
		switch {
		case p.RefuseWith != 0:
			s.later(c, p.RefuseAfter, func() { s.end(c, p.RefuseWith) })
		case p.AnswerAfter >= 0:
			s.later(c, p.AnswerAfter, func() { s.answer(c, p) })
		}
		s.later(c, o.Timeout, func() {
			if c.state == telephony.ChannelRinging {
				s.end(c, telephony.CauseNoAnswer)
			}
		})
		return nil
	})
}

// PlayTime is how long a playback of Switch takes per item of media.
const PlayTime = 2 * time.Second

// Play plays media: nothing is heard, PlayTime passes for each. Media whose name
// begins with "bad:" fails; "endless:" never ends by itself.
func (s *Switch) Play(ctx context.Context, p telephony.PlaybackID, ch telephony.ChannelID, media []string) error {
	return s.onChannel(ctx, "play", ch, func(*channel) error {
		if s.played[p] {
			return nil
		}
		s.played[p] = true
		for i, op := range slices.Backward(s.ops) {
			if op.Name == "play" && op.Channel == ch && op.Media == "" {
				s.ops[i].Media = strings.Join(media, " ")
				break
			}
		}
		s.emit(telephony.PlaybackStarted{Playback: p})
		total, failed := time.Duration(len(media))*PlayTime, false
		for _, m := range media {
			failed = failed || strings.HasPrefix(m, "bad:")
			if strings.HasPrefix(m, "endless:") || m == "tone:ring" {
				total = 1000 * time.Hour
			}
		}
		if failed {
			total = 0
		}
		pb := &playback{channel: ch, media: media}
		s.plays[p] = pb
		pb.timer = time.AfterFunc(total, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.plays[p] == pb && !s.closed {
				delete(s.plays, p)
				s.emit(telephony.PlaybackFinished{Playback: p, Failed: failed})
			}
		})
		return nil
	})
}

// StopPlay cuts a playback off.
func (s *Switch) StopPlay(ctx context.Context, p telephony.PlaybackID) error {
	return s.command(ctx, "stop_play", "", "", func() error {
		if pb := s.plays[p]; pb != nil {
			pb.timer.Stop()
			delete(s.plays, p)
			s.emit(telephony.PlaybackFinished{Playback: p})
		}
		return nil
	})
}

// StartMusic starts music on hold.
func (s *Switch) StartMusic(ctx context.Context, ch telephony.ChannelID, _ string) error {
	return s.onChannel(ctx, "start_music", ch, func(c *channel) error { c.music = true; return nil })
}

// StopMusic stops it.
func (s *Switch) StopMusic(ctx context.Context, ch telephony.ChannelID) error {
	return s.onChannel(ctx, "stop_music", ch, func(c *channel) error { c.music = false; return nil })
}

// CreateBridge makes a bridge.
func (s *Switch) CreateBridge(ctx context.Context, b telephony.BridgeID) error {
	return s.command(ctx, "create_bridge", "", b, func() error {
		if s.bridges[b] == nil {
			s.bridges[b] = &bridge{}
		}
		return nil
	})
}

// AddToBridge joins channels.
func (s *Switch) AddToBridge(ctx context.Context, b telephony.BridgeID, chs ...telephony.ChannelID) error {
	var first telephony.ChannelID
	if len(chs) > 0 {
		first = chs[0]
	}
	return s.command(ctx, "add_to_bridge", first, b, func() error {
		br := s.bridges[b]
		if br == nil {
			return notFound("add_to_bridge")
		}
		for _, id := range chs {
			switch c := s.channels[id]; {
			case c == nil:
				return notFound("add_to_bridge")
			case !c.inApp:
				return conflict("add_to_bridge")
			}
		}
		for _, id := range chs {
			c := s.channels[id]
			if c.bridge == b {
				continue
			}
			s.unbridge(c)
			c.bridge = b
			br.channels = append(br.channels, id)
			s.emit(telephony.BridgeEntered{Bridge: b, Channel: id})
		}
		return nil
	})
}

// RemoveFromBridge takes a channel out.
func (s *Switch) RemoveFromBridge(ctx context.Context, b telephony.BridgeID, ch telephony.ChannelID) error {
	return s.command(ctx, "remove_from_bridge", ch, b, func() error {
		if s.bridges[b] == nil || s.channels[ch] == nil {
			return notFound("remove_from_bridge")
		}
		if c := s.channels[ch]; c.bridge == b {
			s.unbridge(c)
		}
		return nil
	})
}

// DestroyBridge ends a bridge.
func (s *Switch) DestroyBridge(ctx context.Context, b telephony.BridgeID) error {
	return s.command(ctx, "destroy_bridge", "", b, func() error { s.destroy(b); return nil })
}

// Hangup ends a channel.
func (s *Switch) Hangup(ctx context.Context, ch telephony.ChannelID, cause telephony.Cause) error {
	return s.command(ctx, "hangup", ch, "", func() error {
		c := s.channels[ch]
		if c == nil {
			return nil
		}
		if p := s.phones[c.endpoint]; p.Deaf && c.state != telephony.ChannelUp {
			return nil
		}
		s.end(c, cause)
		return nil
	})
}

// Mute stops speech.
func (s *Switch) Mute(ctx context.Context, ch telephony.ChannelID, dir telephony.Direction) error {
	return s.onChannel(ctx, "mute", ch, func(c *channel) error { c.mute(dir, true); return nil })
}

// Unmute lets it through again.
func (s *Switch) Unmute(ctx context.Context, ch telephony.ChannelID, dir telephony.Direction) error {
	return s.onChannel(ctx, "unmute", ch, func(c *channel) error { c.mute(dir, false); return nil })
}

func (ch *channel) mute(dir telephony.Direction, on bool) {
	for _, d := range []telephony.Direction{telephony.DirectionIn, telephony.DirectionOut} {
		if dir == d || dir == telephony.DirectionBoth {
			ch.muted[d] = on
		}
	}
}

// SendDTMF keeps the digits for Sent.
func (s *Switch) SendDTMF(ctx context.Context, ch telephony.ChannelID, digits string) error {
	return s.onChannel(ctx, "dtmf", ch, func(*channel) error { s.sent[ch] += digits; return nil })
}

// Continue gives a channel to the dialplan, where it stays up.
func (s *Switch) Continue(ctx context.Context, ch telephony.ChannelID, to telephony.Location) error {
	return s.onChannel(ctx, "continue", ch, func(c *channel) error {
		s.unplay(ch)
		s.unbridge(c)
		c.inApp, c.music, c.watched = false, false, false
		s.handed = append(s.handed, Handed{ch, to})
		s.emit(telephony.ChannelLeft{Channel: ch})
		return nil
	})
}

// Variables reads variables.
func (s *Switch) Variables(ctx context.Context, ch telephony.ChannelID, names ...string) (map[string]string, error) {
	vars := map[string]string{}
	err := s.command(ctx, "variables", ch, "", func() error {
		c := s.channels[ch]
		if c == nil {
			return notFound("variables")
		}
		for _, n := range names {
			vars[n] = c.vars[n]
		}
		return nil
	})
	return vars, err
}

// Watch asks for a channel's end.
func (s *Switch) Watch(ctx context.Context, ch telephony.ChannelID) error {
	return s.command(ctx, "watch", ch, "", func() error {
		c := s.channels[ch]
		if c == nil {
			return notFound("watch")
		}
		c.watched = true
		return nil
	})
}

// Channels lists every channel.
func (s *Switch) Channels(ctx context.Context) ([]telephony.Channel, error) {
	var list []telephony.Channel
	err := s.command(ctx, "list_channels", "", "", func() error {
		for _, c := range s.channels {
			ch := telephony.Channel{ID: c.id, State: c.state}
			if c.inApp {
				ch.App, ch.Args = App, c.args
			}
			list = append(list, ch)
		}
		return nil
	})
	slices.SortFunc(list, func(a, b telephony.Channel) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return list, err
}

// Bridges lists every bridge.
func (s *Switch) Bridges(ctx context.Context) ([]telephony.Bridge, error) {
	var list []telephony.Bridge
	err := s.command(ctx, "list_bridges", "", "", func() error {
		for id, b := range s.bridges {
			list = append(list, telephony.Bridge{ID: id, Channels: slices.Clone(b.channels)})
		}
		return nil
	})
	slices.SortFunc(list, func(a, b telephony.Bridge) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return list, err
}
