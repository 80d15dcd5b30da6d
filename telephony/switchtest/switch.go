package switchtest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"example.org/c3i/telephony"
)

// App is the application name Switch lists its channels under.
const App = "c3i"

// Switch is a telephone switch in memory. Its time is the time package's, so it
// lives in a testing/synctest bubble as well as outside one.
type Switch struct {
	mu       sync.Mutex
	channels map[telephony.ChannelID]*channel
	bridges  map[telephony.BridgeID]*bridge
	plays    map[telephony.PlaybackID]*playback
	played   map[telephony.PlaybackID]bool
	dialled  map[telephony.ChannelID]bool
	phones   map[string]Phone
	handed   []Handed
	sent     map[telephony.ChannelID]string
	ops      []Op
	faults   []*Fault
	filter   func(telephony.EventBody) int
	nextCall int

	up     bool
	epoch  uint64
	closed bool

	queue []telephony.Event
	ready chan struct{}
	out   chan telephony.Event
	quit  chan struct{}
	done  sync.WaitGroup
	// changed is closed and renewed at every change, for Await.
	changed chan struct{}
}

var _ telephony.Switch = (*Switch)(nil)

type channel struct {
	id       telephony.ChannelID
	state    telephony.ChannelState
	inApp    bool
	args     []string
	endpoint string
	bridge   telephony.BridgeID
	music    bool
	muted    map[telephony.Direction]bool
	watched  bool
	vars     map[string]string
	timers   []*time.Timer
}

type bridge struct{ channels []telephony.ChannelID }

type playback struct {
	channel telephony.ChannelID
	media   []string
	timer   *time.Timer
}

// Handed is a channel that was continued in the dialplan.
type Handed struct {
	Channel telephony.ChannelID
	To      telephony.Location
}

// Op is one command that was carried out or refused.
type Op struct {
	Name    string
	Channel telephony.ChannelID
	Bridge  telephony.BridgeID
	At      time.Time
	// Media is what a play command played, separated by spaces.
	Media string
}

// New makes a switch that is connected and has no phones.
func New() *Switch {
	s := &Switch{
		channels: map[telephony.ChannelID]*channel{}, bridges: map[telephony.BridgeID]*bridge{}, plays: map[telephony.PlaybackID]*playback{},
		played: map[telephony.PlaybackID]bool{}, dialled: map[telephony.ChannelID]bool{}, phones: map[string]Phone{}, sent: map[telephony.ChannelID]string{},
		ready: make(chan struct{}, 1), out: make(chan telephony.Event), quit: make(chan struct{}), changed: make(chan struct{}),
	}
	s.done.Go(s.pump)
	s.Connect()
	return s
}

// Close ends the event stream and every timer.
func (s *Switch) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	for _, ch := range s.channels {
		ch.stop()
	}
	for _, p := range s.plays {
		p.timer.Stop()
	}
	s.mu.Unlock()
	close(s.quit)
	s.done.Wait()
}

func (ch *channel) stop() {
	for _, t := range ch.timers {
		t.Stop()
	}
	ch.timers = nil
}

func (s *Switch) pump() {
	defer close(s.out)
	for {
		s.mu.Lock()
		batch := s.queue
		s.queue = nil
		s.mu.Unlock()
		for _, ev := range batch {
			select {
			case s.out <- ev:
			case <-s.quit:
				return
			}
		}
		if len(batch) > 0 {
			continue
		}
		select {
		case <-s.ready:
		case <-s.quit:
			return
		}
	}
}

// Events is the stream of telephony.Switch.
func (s *Switch) Events() <-chan telephony.Event { return s.out }

// emit queues an event, as the filter and the connection let it. s.mu is held.
func (s *Switch) emit(b telephony.EventBody) {
	s.note()
	if !s.up || s.closed {
		return
	}
	copies := 1
	if s.filter != nil {
		copies = s.filter(b)
	}
	s.push(b, copies)
}

func (s *Switch) push(b telephony.EventBody, copies int) {
	now := time.Now()
	for range copies {
		s.queue = append(s.queue, telephony.Event{Epoch: s.epoch, Sent: now, Received: now, Body: b})
	}
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// note wakes those who Await. s.mu is held.
func (s *Switch) note() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Await waits until done is true, looking again after each change. done is
// called while the switch stands still and must not use it other than through
// the View.
func (s *Switch) Await(ctx context.Context, what string, done func(View) bool) error {
	for {
		s.mu.Lock()
		v := s.view()
		ok, changed := done(v), s.changed
		s.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%s did not happen; the switch: %+v", what, v)
		}
	}
}

// View is what there is in the switch at one moment.
type View struct {
	// Channels by id: their state, "" for those that are not there.
	Channels map[telephony.ChannelID]telephony.ChannelState
	// Bridges lists who is in each.
	Bridges map[telephony.BridgeID][]telephony.ChannelID
	// Music tells who hears music, Muted whose own speech is stopped.
	Music, Muted map[telephony.ChannelID]bool
	// Playing counts playbacks in progress.
	Playing int
	Handed  []Handed
	Ops     []Op
}

// Now returns the view of this moment.
func (s *Switch) Now() View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view()
}

func (s *Switch) view() View {
	v := View{
		Channels: map[telephony.ChannelID]telephony.ChannelState{}, Bridges: map[telephony.BridgeID][]telephony.ChannelID{},
		Music: map[telephony.ChannelID]bool{}, Muted: map[telephony.ChannelID]bool{},
		Playing: len(s.plays), Handed: slices.Clone(s.handed), Ops: slices.Clone(s.ops),
	}
	for id, ch := range s.channels {
		v.Channels[id] = ch.state
		if ch.music {
			v.Music[id] = true
		}
		if ch.muted[telephony.DirectionIn] {
			v.Muted[id] = true
		}
	}
	for id, b := range s.bridges {
		v.Bridges[id] = slices.Clone(b.channels)
	}
	return v
}

// Hear tells whether two channels hear each other: in one bridge, neither muted
// nor on hold.
func (v View) Hear(a, b telephony.ChannelID) bool {
	for _, chs := range v.Bridges {
		if slices.Contains(chs, a) && slices.Contains(chs, b) {
			return !v.Music[a] && !v.Music[b] && !v.Muted[a] && !v.Muted[b]
		}
	}
	return false
}

// Count tells how often a command was given.
func (v View) Count(name string) int {
	n := 0
	for _, op := range v.Ops {
		if op.Name == name {
			n++
		}
	}
	return n
}

// Sent returns the key tones played to whoever is on a channel.
func (s *Switch) Sent(ch telephony.ChannelID) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent[ch]
}
