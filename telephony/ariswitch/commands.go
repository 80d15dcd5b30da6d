package ariswitch

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/CyCoreSystems/ari/v5"

	"example.org/c3i/telephony"
)

func channelPath(ch telephony.ChannelID, rest ...string) []string {
	return append([]string{"channels", string(ch)}, rest...)
}

func bridgePath(b telephony.BridgeID, rest ...string) []string {
	return append([]string{"bridges", string(b)}, rest...)
}

// Answer answers a call.
func (s *Switch) Answer(ctx context.Context, ch telephony.ChannelID) error {
	return s.call(ctx, request{op: "answer", method: http.MethodPost, path: channelPath(ch, "answer"), again: true})
}

// Ring lets the caller hear ringing.
func (s *Switch) Ring(ctx context.Context, ch telephony.ChannelID) error {
	return s.call(ctx, request{op: "ring", method: http.MethodPost, path: channelPath(ch, "ring"), again: true})
}

// Originate rings a phone. Asterisk refuses a second one with the same id, but
// not without harm to itself, so a repeat is found out here.
func (s *Switch) Originate(ctx context.Context, o telephony.Originate) error {
	if !s.dialled.add(string(o.Channel)) {
		return nil
	}
	err := s.originate(ctx, o)
	if err != nil {
		s.dialled.remove(string(o.Channel))
	}
	return err
}

func (s *Switch) originate(ctx context.Context, o telephony.Originate) error {
	req := struct {
		ari.OriginateRequest
		Language  string            `json:"-"`
		Variables map[string]string `json:"variables,omitempty"`
	}{
		OriginateRequest: ari.OriginateRequest{
			Endpoint: o.Endpoint, Timeout: max(1, int((o.Timeout+time.Second-1)/time.Second)), CallerID: callerID(o.CallerName, o.CallerNumber),
			App: s.o.App, AppArgs: strings.Join(o.Args, ","), ChannelID: string(o.Channel),
		},
		Variables: o.Variables,
	}
	if o.Language != "" {
		if req.Variables == nil {
			req.Variables = map[string]string{}
		}
		req.Variables["CHANNEL(language)"] = o.Language
	}
	err := s.onceOnly(ctx, request{op: "originate", method: http.MethodPost, path: []string{"channels"}, body: req}, "channels", string(o.Channel))
	var te *telephony.Error
	if errors.As(err, &te) && te.Status == http.StatusInternalServerError && strings.Contains(message(err), "alloc") ||
		errors.As(err, &te) && te.Status == http.StatusBadRequest && strings.Contains(message(err), "endpoint") {
		te.Kind = telephony.ErrUnreachable
	}
	if errors.Is(err, telephony.ErrConflict) {
		// "There is one of that id" is success: it is the one we asked for. But
		// Asterisk says it, too, of an endpoint it cannot dial when the thread that
		// answers met a real one before (ast_channel_errno is not reset).
		there := s.call(ctx, request{op: "channel", method: http.MethodGet, path: channelPath(o.Channel), again: true})
		if errors.Is(there, telephony.ErrNotFound) {
			return &telephony.Error{Op: "originate", Kind: telephony.ErrUnreachable, Status: te.Status, Message: te.Message}
		}
		return there
	}
	return err
}

// repeated makes "there is one of that id" a success: ids are ours, so it is the
// one we asked for.
func repeated(err error) error {
	if errors.Is(err, telephony.ErrConflict) {
		return nil
	}
	return err
}

// callerID writes a caller id as Asterisk reads it; characters that would end
// the name or number early are left out.
func callerID(name, number string) string {
	clean := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r < ' ' || strings.ContainsRune(`"<>\`, r) {
				return -1
			}
			return r
		}, s)
	}
	name, number = clean(name), clean(number)
	switch {
	case name == "":
		return number
	case number == "":
		return `"` + name + `" <>`
	}
	return `"` + name + `" <` + number + `>`
}

// Play plays media on a channel. Asterisk would play a second time what is asked
// for twice with one id, so that is found out here.
func (s *Switch) Play(ctx context.Context, p telephony.PlaybackID, ch telephony.ChannelID, media []string) error {
	if !s.played.add(string(p)) {
		return nil
	}
	r := request{
		op: "play", method: http.MethodPost, path: channelPath(ch, "play", string(p)),
		query: url.Values{"media": {strings.Join(media, ",")}},
	}
	err := s.onceOnly(ctx, r, "playbacks", string(p))
	if err != nil {
		s.played.remove(string(p))
	}
	return err
}

// onceOnly makes a request that must not be obeyed twice: one that was lost may
// have arrived, and only if what it makes is not there is it made again.
func (s *Switch) onceOnly(ctx context.Context, r request, kind, id string) error {
	r.again = false
	err := s.call(ctx, r)
	if !lost(err) || ctx.Err() != nil {
		return err
	}
	there := s.call(ctx, request{op: r.op, method: http.MethodGet, path: []string{kind, id}, again: true})
	if errors.Is(there, telephony.ErrNotFound) {
		return s.call(ctx, r)
	}
	return there
}

// StopPlay cuts a playback off.
func (s *Switch) StopPlay(ctx context.Context, p telephony.PlaybackID) error {
	return gone(s.call(ctx, request{op: "stop_play", method: http.MethodDelete, path: []string{"playbacks", string(p)}, again: true}))
}

// StartMusic starts music on hold.
func (s *Switch) StartMusic(ctx context.Context, ch telephony.ChannelID, class string) error {
	q := url.Values{}
	if class != "" {
		q.Set("mohClass", class)
	}
	return s.call(ctx, request{op: "start_music", method: http.MethodPost, path: channelPath(ch, "moh"), query: q, again: true})
}

// StopMusic stops it.
func (s *Switch) StopMusic(ctx context.Context, ch telephony.ChannelID) error {
	return s.call(ctx, request{op: "stop_music", method: http.MethodDelete, path: channelPath(ch, "moh"), again: true})
}

// CreateBridge makes a mixing bridge.
func (s *Switch) CreateBridge(ctx context.Context, b telephony.BridgeID) error {
	return repeated(s.call(ctx, request{
		op: "create_bridge", method: http.MethodPost, path: bridgePath(b),
		query: url.Values{"type": {"mixing"}, "name": {string(b)}}, again: true,
	}))
}

// AddToBridge joins channels.
func (s *Switch) AddToBridge(ctx context.Context, b telephony.BridgeID, chs ...telephony.ChannelID) error {
	err := s.call(ctx, request{
		op: "add_to_bridge", method: http.MethodPost, path: bridgePath(b, "addChannel"),
		query: url.Values{"channel": {joinIDs(chs)}}, again: true,
	})
	// ARI answers 400 when a channel is not there, 422 when it is not ours.
	return channelStatus(err)
}

// channelStatus reads the codes by which bridge commands speak of channels.
func channelStatus(err error) error {
	var te *telephony.Error
	if errors.As(err, &te) {
		switch te.Status {
		case http.StatusBadRequest:
			te.Kind = telephony.ErrNotFound
		case http.StatusUnprocessableEntity:
			te.Kind = telephony.ErrConflict
		}
	}
	return err
}

func joinIDs(chs []telephony.ChannelID) string {
	ids := make([]string, len(chs))
	for i, ch := range chs {
		ids[i] = string(ch)
	}
	return strings.Join(ids, ",")
}

// RemoveFromBridge takes a channel out; one that is not in it is success.
func (s *Switch) RemoveFromBridge(ctx context.Context, b telephony.BridgeID, ch telephony.ChannelID) error {
	err := channelStatus(s.call(ctx, request{
		op: "remove_from_bridge", method: http.MethodPost, path: bridgePath(b, "removeChannel"),
		query: url.Values{"channel": {string(ch)}}, again: true,
	}))
	if errors.Is(err, telephony.ErrConflict) {
		return nil
	}
	return err
}

// DestroyBridge ends a bridge.
func (s *Switch) DestroyBridge(ctx context.Context, b telephony.BridgeID) error {
	// 409 is a bridge already taken apart and still listed.
	return repeated(gone(s.call(ctx, request{op: "destroy_bridge", method: http.MethodDelete, path: bridgePath(b), again: true})))
}

// Hangup ends a channel.
func (s *Switch) Hangup(ctx context.Context, ch telephony.ChannelID, cause telephony.Cause) error {
	q := url.Values{}
	if cause != telephony.CauseNone {
		q.Set("reason_code", strconv.Itoa(int(cause)))
	}
	return gone(s.call(ctx, request{op: "hangup", method: http.MethodDelete, path: channelPath(ch), query: q, again: true}))
}

// Mute stops speech.
func (s *Switch) Mute(ctx context.Context, ch telephony.ChannelID, dir telephony.Direction) error {
	return s.call(ctx, request{op: "mute", method: http.MethodPost, path: channelPath(ch, "mute"), query: url.Values{"direction": {string(dir)}}, again: true})
}

// Unmute lets it through again.
func (s *Switch) Unmute(ctx context.Context, ch telephony.ChannelID, dir telephony.Direction) error {
	return s.call(ctx, request{op: "unmute", method: http.MethodDelete, path: channelPath(ch, "mute"), query: url.Values{"direction": {string(dir)}}, again: true})
}

// SendDTMF plays key tones.
func (s *Switch) SendDTMF(ctx context.Context, ch telephony.ChannelID, digits string) error {
	return s.call(ctx, request{op: "dtmf", method: http.MethodPost, path: channelPath(ch, "dtmf"), query: url.Values{"dtmf": {digits}}})
}

// Continue gives a channel back to the dialplan.
func (s *Switch) Continue(ctx context.Context, ch telephony.ChannelID, to telephony.Location) error {
	q := url.Values{}
	if to != (telephony.Location{}) {
		q.Set("context", to.Context)
		q.Set("extension", to.Extension)
		q.Set("priority", strconv.Itoa(max(1, to.Priority)))
	}
	return s.call(ctx, request{op: "continue", method: http.MethodPost, path: channelPath(ch, "continue"), query: q, again: true})
}

// Variables reads channel variables, all at once.
func (s *Switch) Variables(ctx context.Context, ch telephony.ChannelID, names ...string) (map[string]string, error) {
	values, errs := make([]string, len(names)), make([]error, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() { values[i], errs[i] = s.variable(ctx, ch, name) })
	}
	all.Wait()
	vars := make(map[string]string, len(names))
	for i, name := range names {
		vars[name] = values[i]
	}
	return vars, errors.Join(errs...)
}

func (s *Switch) variable(ctx context.Context, ch telephony.ChannelID, name string) (string, error) {
	var v struct {
		Value string `json:"value"`
	}
	err := s.call(ctx, request{
		op: "variable", method: http.MethodGet, path: channelPath(ch, "variable"),
		query: url.Values{"variable": {name}}, into: &v, again: true,
	})
	// 404 speaks of the variable as well as of the channel.
	if errors.Is(err, telephony.ErrNotFound) && strings.Contains(message(err), "variable") {
		err = nil
	}
	return v.Value, err
}

// Watch subscribes to a channel.
func (s *Switch) Watch(ctx context.Context, ch telephony.ChannelID) error {
	return s.subscribe(ctx, "channel:"+string(ch))
}

func (s *Switch) subscribe(ctx context.Context, source string) error {
	err := s.call(ctx, request{
		op: "subscribe", method: http.MethodPost, path: []string{"applications", s.o.App, "subscription"},
		query: url.Values{"eventSource": {source}}, again: true,
	})
	var te *telephony.Error
	if errors.As(err, &te) && te.Status == http.StatusUnprocessableEntity {
		te.Kind = telephony.ErrNotFound // "Event source does not exist"
	}
	return err
}

// channelData is ari.ChannelData with the fields it leaves out.
type channelData struct {
	ID       string `json:"id"`
	State    string `json:"state"`
	Dialplan struct {
		AppName string `json:"app_name"`
		AppData string `json:"app_data"`
	} `json:"dialplan"`
}

// Channels lists every channel.
func (s *Switch) Channels(ctx context.Context) ([]telephony.Channel, error) {
	var list []channelData
	if err := s.call(ctx, request{op: "list_channels", method: http.MethodGet, path: []string{"channels"}, into: &list, again: true}); err != nil {
		return nil, err
	}
	out := make([]telephony.Channel, len(list))
	for i, c := range list {
		out[i] = telephony.Channel{ID: telephony.ChannelID(c.ID), State: telephony.ChannelState(c.State)}
		if c.Dialplan.AppName == "Stasis" {
			out[i].App, out[i].Args = splitApp(c.Dialplan.AppData)
		}
	}
	return out, nil
}

func splitApp(data string) (string, []string) {
	app, rest, more := strings.Cut(data, ",")
	if !more {
		return app, nil
	}
	return app, strings.Split(rest, ",")
}

// Bridges lists every bridge.
func (s *Switch) Bridges(ctx context.Context) ([]telephony.Bridge, error) {
	var list []struct {
		ID       string   `json:"id"`
		Channels []string `json:"channels"`
	}
	if err := s.call(ctx, request{op: "list_bridges", method: http.MethodGet, path: []string{"bridges"}, into: &list, again: true}); err != nil {
		return nil, err
	}
	out := make([]telephony.Bridge, len(list))
	for i, b := range list {
		out[i].ID = telephony.BridgeID(b.ID)
		for _, ch := range b.Channels {
			out[i].Channels = append(out[i].Channels, telephony.ChannelID(ch))
		}
	}
	return out, nil
}
