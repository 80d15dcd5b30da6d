package switchtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"example.org/c3i/telephony"
)

// Subject is a switch under test with the world around it.
type Subject struct {
	Switch telephony.Switch
	// App is the application its channels are listed under.
	App string
	// Ring lets a call come in from a number and returns its far end.
	Ring func(number string) FarEnd
	// Answers, Busy, Declines and Never are dial strings of phones that behave so:
	// Answers within a second, Never rings for ever. Unreachable cannot be dialled.
	Answers, Busy, Declines, Never, Unreachable string
	// Sound is something to play, of a second or more.
	Sound string
	// Elsewhere is a place in the dialplan that keeps a channel for a while.
	Elsewhere telephony.Location
}

// FarEnd is the other side of a call.
type FarEnd interface {
	HangUp()
	Press(keys string)
}

// Contract checks what telephony.Switch promises. factory makes a new subject
// for each part and cleans up by the test's Cleanup.
func Contract(t *testing.T, factory func(t *testing.T) Subject) {
	for _, part := range []struct {
		name string
		test func(*bench)
	}{
		{"an incoming call", incomingCall},
		{"keys", keys},
		{"playbacks", playbacks},
		{"phones", phones},
		{"withdrawn ringing", withdrawnRinging},
		{"bridges", bridges},
		{"music, mute and tones", audio},
		{"words between music", wordsBetweenMusic},
		{"ringing back", ringingBack},
		{"what is gone", whatIsGone},
		{"the dialplan", dialplan},
		{"lists and variables", lists},
		{"deadlines", deadlines},
	} {
		t.Run(part.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
			defer cancel()
			b := &bench{T: t, ctx: ctx, Subject: factory(t), changed: make(chan struct{})}
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() { defer close(stopped); b.read(stop) }()
			defer func() { close(stop); <-stopped }()
			b.await("the first event", func(e telephony.EventBody) bool { _, is := e.(telephony.Connected); return is })
			part.test(b)
		})
	}
}

// bench runs one part.
type bench struct {
	*testing.T
	Subject
	ctx context.Context

	mu      sync.Mutex
	events  []telephony.EventBody
	changed chan struct{}
}

func (b *bench) read(stop <-chan struct{}) {
	for {
		select {
		case ev, ok := <-b.Switch.Events():
			if !ok {
				return
			}
			b.mu.Lock()
			b.events = append(b.events, ev.Body)
			close(b.changed)
			b.changed = make(chan struct{})
			b.mu.Unlock()
		case <-stop:
			return
		}
	}
}

// await waits for an event and returns it.
func (b *bench) await(what string, is func(telephony.EventBody) bool) telephony.EventBody {
	b.Helper()
	for {
		b.mu.Lock()
		for _, e := range b.events {
			if is(e) {
				b.mu.Unlock()
				return e
			}
		}
		changed, seen := b.changed, len(b.events)
		b.mu.Unlock()
		select {
		case <-changed:
		case <-b.ctx.Done():
			b.mu.Lock()
			defer b.mu.Unlock()
			b.Fatalf("%s did not come; %d events: %+v", what, seen, b.events)
		}
	}
}

func (b *bench) count(e telephony.EventBody) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, got := range b.events {
		if _, has := got.(telephony.ChannelEntered); !has && got == e {
			n++
		}
	}
	return n
}

func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) is(err, want error) {
	b.Helper()
	if !errors.Is(err, want) {
		b.Errorf("error = %v, want %v", err, want)
	}
	var te *telephony.Error
	if err != nil && !errors.As(err, &te) {
		b.Errorf("error is a %T, not a *telephony.Error", err)
	}
}

// incoming brings a call in and answers it.
func (b *bench) incoming(number string) (telephony.ChannelID, FarEnd) {
	b.Helper()
	far := b.Ring(number)
	e := b.entered(func(e telephony.ChannelEntered) bool { return e.Number == number })
	b.ok(b.Switch.Answer(b.ctx, e.Channel))
	return e.Channel, far
}

func (b *bench) entered(is func(telephony.ChannelEntered) bool) telephony.ChannelEntered {
	b.Helper()
	e := b.await("a channel", func(e telephony.EventBody) bool {
		c, entered := e.(telephony.ChannelEntered)
		return entered && is(c)
	})
	return e.(telephony.ChannelEntered)
}

func (b *bench) destroyed(ch telephony.ChannelID) telephony.Cause {
	b.Helper()
	e := b.await("the end of "+string(ch), func(e telephony.EventBody) bool {
		d, is := e.(telephony.ChannelDestroyed)
		return is && d.Channel == ch
	})
	return e.(telephony.ChannelDestroyed).Cause
}

func (b *bench) originate(id telephony.ChannelID, dial string, timeout time.Duration) error {
	return b.Switch.Originate(b.ctx, telephony.Originate{
		Channel: id, Endpoint: dial, CallerNumber: "02079460111", Timeout: timeout, Args: []string{"leg", string(id), "1"},
	})
}

// answered rings a phone that answers.
func (b *bench) answered(id telephony.ChannelID) {
	b.Helper()
	b.ok(b.originate(id, b.Answers, 20*time.Second))
	b.entered(func(e telephony.ChannelEntered) bool { return e.Channel == id })
}

const (
	someone = "02079460101"
	nobody  = telephony.ChannelID("c3i-nobody-leg-1")
)

func incomingCall(b *bench) {
	far := b.Ring(someone)
	e := b.entered(func(e telephony.ChannelEntered) bool { return e.Number == someone })
	if len(e.Args) == 0 || e.Args[0] != "inbound" {
		b.Errorf("args = %q", e.Args)
	}
	b.ok(b.Switch.Ring(b.ctx, e.Channel))
	b.ok(b.Switch.Answer(b.ctx, e.Channel))
	b.ok(b.Switch.Answer(b.ctx, e.Channel))
	far.HangUp()
	b.await("leaving", func(ev telephony.EventBody) bool { return ev == telephony.ChannelLeft{Channel: e.Channel} })
	b.absent(e.Channel)
	b.is(b.Switch.Answer(b.ctx, e.Channel), telephony.ErrNotFound)
}

// absent waits until the switch no longer lists a channel that is on its way out.
func (b *bench) absent(ch telephony.ChannelID) {
	b.Helper()
	for b.ctx.Err() == nil {
		list, err := b.Switch.Channels(b.ctx)
		b.ok(err)
		if !slices.ContainsFunc(list, func(c telephony.Channel) bool { return c.ID == ch }) {
			return
		}
	}
	b.Fatalf("channel %s is still listed", ch)
}

func keys(b *bench) {
	ch, far := b.incoming(someone)
	far.Press("1#")
	for _, d := range []byte("1#") {
		b.await("key "+string(d), func(e telephony.EventBody) bool { return e == telephony.DigitReceived{Channel: ch, Digit: d} })
	}
}

func playbacks(b *bench) {
	ch, _ := b.incoming(someone)
	finished := func(p telephony.PlaybackID) {
		b.Helper()
		b.await("the end of "+string(p), func(e telephony.EventBody) bool {
			f, is := e.(telephony.PlaybackFinished)
			return is && f.Playback == p
		})
	}
	b.ok(b.Switch.Play(b.ctx, "c3i-x-play-1", ch, []string{b.Sound, b.Sound}))
	b.ok(b.Switch.Play(b.ctx, "c3i-x-play-1", ch, []string{b.Sound, b.Sound}))
	finished("c3i-x-play-1")
	b.ok(b.Switch.Play(b.ctx, "c3i-x-play-2", ch, []string{b.Sound}))
	b.ok(b.Switch.StopPlay(b.ctx, "c3i-x-play-2"))
	finished("c3i-x-play-2")
	b.ok(b.Switch.StopPlay(b.ctx, "c3i-x-play-2"))
	b.ok(b.Switch.StopPlay(b.ctx, "c3i-never-was-play-1"))
	b.is(b.Switch.Play(b.ctx, "c3i-x-play-3", nobody, []string{b.Sound}), telephony.ErrNotFound)
	// The second request for the first, had it been obeyed, would have ended
	// before this one.
	b.ok(b.Switch.Play(b.ctx, "c3i-x-play-4", ch, []string{b.Sound, b.Sound}))
	finished("c3i-x-play-4")
	if n := b.count(telephony.PlaybackFinished{Playback: "c3i-x-play-1"}); n != 1 {
		b.Errorf("a playback asked for twice with one id ended %d times", n)
	}
}

func phones(b *bench) {
	b.ok(b.originate("c3i-a-leg-1", b.Answers, 20*time.Second))
	b.ok(b.originate("c3i-a-leg-1", b.Answers, 20*time.Second))
	e := b.entered(func(e telephony.ChannelEntered) bool { return e.Channel == "c3i-a-leg-1" })
	if fmt.Sprint(e.Args) != "[leg c3i-a-leg-1 1]" || e.State != telephony.ChannelUp {
		b.Errorf("entered = %+v", e)
	}
	b.ok(b.originate("c3i-b-leg-1", b.Busy, 20*time.Second))
	if c := b.destroyed("c3i-b-leg-1"); c != telephony.CauseUserBusy {
		b.Errorf("a busy phone's cause is %d", c)
	}
	b.ok(b.originate("c3i-d-leg-1", b.Declines, 20*time.Second))
	if c := b.destroyed("c3i-d-leg-1"); c != telephony.CauseRejected {
		b.Errorf("a declining phone's cause is %d", c)
	}
	b.ok(b.originate("c3i-n-leg-1", b.Never, time.Second))
	b.destroyed("c3i-n-leg-1")
	b.is(b.originate("c3i-u-leg-1", b.Unreachable, 5*time.Second), telephony.ErrUnreachable)
	list, err := b.Switch.Channels(b.ctx)
	b.ok(err)
	if len(list) != 1 || list[0].ID != "c3i-a-leg-1" {
		b.Errorf("channels = %+v, want the answered one alone", list)
	}
	b.ok(b.Switch.Hangup(b.ctx, "c3i-a-leg-1", telephony.CauseNormal))
	b.destroyed("c3i-a-leg-1")
}

func withdrawnRinging(b *bench) {
	b.ok(b.originate("c3i-w-leg-1", b.Never, 20*time.Second))
	b.ok(b.Switch.Watch(b.ctx, "c3i-w-leg-1"))
	b.ok(b.Switch.Hangup(b.ctx, "c3i-w-leg-1", telephony.CauseNormal))
	b.destroyed("c3i-w-leg-1")
	b.ok(b.Switch.Hangup(b.ctx, "c3i-w-leg-1", telephony.CauseNormal))
	b.is(b.Switch.Watch(b.ctx, "c3i-w-leg-1"), telephony.ErrNotFound)
}

func bridges(b *bench) {
	const br = telephony.BridgeID("c3i-x-bridge-1")
	ch, _ := b.incoming(someone)
	b.answered("c3i-a-leg-1")
	b.ok(b.Switch.CreateBridge(b.ctx, br))
	b.ok(b.Switch.CreateBridge(b.ctx, br))
	b.ok(b.Switch.AddToBridge(b.ctx, br, "c3i-a-leg-1", ch))
	for _, c := range []telephony.ChannelID{ch, "c3i-a-leg-1"} {
		b.await("joining", func(e telephony.EventBody) bool { return e == telephony.BridgeEntered{Bridge: br, Channel: c} })
	}
	b.ok(b.Switch.AddToBridge(b.ctx, br, ch))
	b.has(br, 2)
	b.ok(b.Switch.RemoveFromBridge(b.ctx, br, ch))
	b.await("parting", func(e telephony.EventBody) bool { return e == telephony.BridgeLeft{Bridge: br, Channel: ch} })
	b.ok(b.Switch.RemoveFromBridge(b.ctx, br, ch))
	b.has(br, 1)
	b.ok(b.Switch.AddToBridge(b.ctx, br, ch))
	b.is(b.Switch.AddToBridge(b.ctx, br, nobody), telephony.ErrNotFound)
	b.has(br, 2)
	b.is(b.Switch.AddToBridge(b.ctx, "c3i-none-bridge-1", ch), telephony.ErrNotFound)
	b.ok(b.Switch.DestroyBridge(b.ctx, br))
	b.ok(b.Switch.DestroyBridge(b.ctx, br))
	for b.ctx.Err() == nil {
		list, err := b.Switch.Bridges(b.ctx)
		b.ok(err)
		if !slices.ContainsFunc(list, func(l telephony.Bridge) bool { return l.ID == br }) {
			break
		}
	}
	b.ok(b.ctx.Err())
	b.ok(b.Switch.StartMusic(b.ctx, ch, "")) // it stayed up
}

// has checks how many are in a bridge, by the switch's own list.
func (b *bench) has(br telephony.BridgeID, want int) {
	b.Helper()
	list, err := b.Switch.Bridges(b.ctx)
	b.ok(err)
	for _, l := range list {
		if l.ID == br {
			if len(l.Channels) != want {
				b.Errorf("%d channels in the bridge, want %d", len(l.Channels), want)
			}
			return
		}
	}
	b.Errorf("bridge %s is not listed", br)
}

func audio(b *bench) {
	ch, _ := b.incoming(someone)
	for range 2 {
		b.ok(b.Switch.StartMusic(b.ctx, ch, ""))
	}
	for range 2 {
		b.ok(b.Switch.StopMusic(b.ctx, ch))
	}
	for range 2 {
		b.ok(b.Switch.Mute(b.ctx, ch, telephony.DirectionIn))
	}
	for range 2 {
		b.ok(b.Switch.Unmute(b.ctx, ch, telephony.DirectionIn))
	}
	b.ok(b.Switch.SendDTMF(b.ctx, ch, "12#"))
}

// wordsBetweenMusic: a waiting caller's announcement ends by itself, between music.
func wordsBetweenMusic(b *bench) {
	ch, _ := b.incoming(someone)
	for i := range 2 {
		p := telephony.PlaybackID(fmt.Sprintf("c3i-a-play-%d", i+1))
		b.ok(b.Switch.StartMusic(b.ctx, ch, ""))
		b.ok(b.Switch.StopMusic(b.ctx, ch))
		b.ok(b.Switch.Play(b.ctx, p, ch, []string{b.Sound}))
		b.await("the end of the words", func(e telephony.EventBody) bool { return e == telephony.PlaybackFinished{Playback: p} })
	}
	b.ok(b.Switch.StartMusic(b.ctx, ch, ""))
	b.ok(b.Switch.Hangup(b.ctx, ch, telephony.CauseNormal))
}

// ringingBack: a handler who holds the line in a bridge hears the caller ring, until
// they answer and join; a caller who does not answer leaves the handler where they are.
func ringingBack(b *bench) {
	const br, tone = telephony.BridgeID("c3i-x-bridge-7"), telephony.PlaybackID("c3i-x-play-7000")
	b.answered("c3i-x-leg-7")
	b.ok(b.Switch.CreateBridge(b.ctx, br))
	b.ok(b.Switch.AddToBridge(b.ctx, br, "c3i-x-leg-7"))
	b.ok(b.Switch.Play(b.ctx, tone, "c3i-x-leg-7", []string{"tone:ring"}))
	b.await("the tone", func(e telephony.EventBody) bool { return e == telephony.PlaybackStarted{Playback: tone} })
	b.ok(b.originate("c3i-x-leg-back-6", b.Busy, 20*time.Second))
	if c := b.destroyed("c3i-x-leg-back-6"); c != telephony.CauseUserBusy {
		b.Errorf("a busy caller's cause is %d", c)
	}
	b.answered("c3i-x-leg-back-7")
	b.ok(b.Switch.StopPlay(b.ctx, tone))
	b.await("the end of the tone", func(e telephony.EventBody) bool {
		f, is := e.(telephony.PlaybackFinished)
		return is && f.Playback == tone
	})
	b.ok(b.Switch.AddToBridge(b.ctx, br, "c3i-x-leg-back-7"))
	list, err := b.Switch.Bridges(b.ctx)
	b.ok(err)
	for _, x := range list {
		if x.ID == br && len(x.Channels) != 2 {
			b.Errorf("in the bridge are %v, want both", x.Channels)
		}
	}
	for _, ch := range []telephony.ChannelID{"c3i-x-leg-7", "c3i-x-leg-back-7"} {
		b.ok(b.Switch.Hangup(b.ctx, ch, telephony.CauseNormal))
		b.destroyed(ch)
	}
	b.ok(b.Switch.DestroyBridge(b.ctx, br))
}

func whatIsGone(b *bench) {
	b.ok(b.Switch.Hangup(b.ctx, nobody, telephony.CauseNormal))
	b.ok(b.Switch.DestroyBridge(b.ctx, "c3i-none-bridge-1"))
	for name, err := range map[string]error{
		"answer": b.Switch.Answer(b.ctx, nobody), "ring": b.Switch.Ring(b.ctx, nobody),
		"start music": b.Switch.StartMusic(b.ctx, nobody, ""), "stop music": b.Switch.StopMusic(b.ctx, nobody),
		"mute": b.Switch.Mute(b.ctx, nobody, telephony.DirectionIn), "unmute": b.Switch.Unmute(b.ctx, nobody, telephony.DirectionIn),
		"tones": b.Switch.SendDTMF(b.ctx, nobody, "1"), "continue": b.Switch.Continue(b.ctx, nobody, b.Elsewhere),
	} {
		if !errors.Is(err, telephony.ErrNotFound) {
			b.Errorf("%s on a channel that is gone: %v", name, err)
		}
	}
	// Names that would say something else in a URL.
	for _, odd := range []telephony.ChannelID{"a/b", "..", "a?x=1", "a b", "%2e", "ä"} {
		b.ok(b.Switch.Hangup(b.ctx, odd, telephony.CauseNormal))
	}
}

func dialplan(b *bench) {
	ch, _ := b.incoming(someone)
	b.ok(b.Switch.Continue(b.ctx, ch, b.Elsewhere))
	b.await("leaving", func(e telephony.EventBody) bool { return e == telephony.ChannelLeft{Channel: ch} })
	if err := b.Switch.StartMusic(b.ctx, ch, ""); !errors.Is(err, telephony.ErrConflict) {
		b.Errorf("a command on a channel that is no longer ours: %v", err)
	}
	list, err := b.Switch.Channels(b.ctx)
	b.ok(err)
	for _, c := range list {
		if c.ID == ch && c.App != "" {
			b.Errorf("listed as ours: %+v", c)
		}
	}
	b.ok(b.Switch.Hangup(b.ctx, ch, telephony.CauseNormal))
}

func lists(b *bench) {
	ch, _ := b.incoming(someone)
	list, err := b.Switch.Channels(b.ctx)
	b.ok(err)
	if len(list) != 1 || list[0].ID != ch || list[0].App != b.App || list[0].State != telephony.ChannelUp || len(list[0].Args) == 0 || list[0].Args[0] != "inbound" {
		b.Errorf("channels = %+v", list)
	}
	vars, err := b.Switch.Variables(b.ctx, ch, "C3I_NOT_SET", "odd name & more")
	b.ok(err)
	if vars["C3I_NOT_SET"] != "" {
		b.Errorf("variables = %q", vars)
	}
	_, err = b.Switch.Variables(b.ctx, nobody, "C3I_NOT_SET")
	b.is(err, telephony.ErrNotFound)
}

func deadlines(b *bench) {
	ch, _ := b.incoming(someone)
	done, cancel := context.WithCancel(b.ctx)
	cancel()
	b.is(b.Switch.StartMusic(done, ch, ""), telephony.ErrUnavailable)
	b.is(b.Switch.CreateBridge(done, "c3i-late-bridge-1"), telephony.ErrUnavailable)
	_, err := b.Switch.Channels(done)
	b.is(err, telephony.ErrUnavailable)
}
