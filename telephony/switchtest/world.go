package switchtest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"example.org/c3i/telephony"
)

// Phone is how a phone behaves when it is rung.
type Phone struct {
	// AnswerAfter answers after that long; negative never answers.
	AnswerAfter time.Duration
	// RefuseWith ends the ringing with this cause, after RefuseAfter.
	RefuseWith  telephony.Cause
	RefuseAfter time.Duration
	// HangupAfter hangs up that long after the answer; 0 never.
	HangupAfter time.Duration
	// Unreachable makes dialling it fail at once.
	Unreachable bool
	// Deaf ignores being hung up until it has answered: the answer that crosses a
	// withdrawal on the wire.
	Deaf bool
}

// Never is a phone that rings and is not answered.
var Never = Phone{AnswerAfter: -1}

// AddPhone gives a dial string a behaviour, from the next call to it on.
func (s *Switch) AddPhone(dial string, p Phone) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phones[dial] = p
}

// Caller is a call coming in.
type Caller struct {
	Number string
	Name   string
	// Args are what the dialplan passes; "inbound", "dialled=101", "pres=allowed"
	// if nil.
	Args    []string
	Dialled string
	// Vars are variables of the channel.
	Vars map[string]string
}

// Call lets a call come in and returns its channel.
func (s *Switch) Call(c Caller) telephony.ChannelID {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nextCall++
	id := telephony.ChannelID(fmt.Sprintf("caller-%d", s.nextCall))
	if c.Args == nil {
		c.Args = []string{"inbound", "dialled=101", "pres=allowed"}
	}
	s.channels[id] = &channel{id: id, state: telephony.ChannelRing, inApp: true, args: c.Args, vars: c.Vars, muted: map[telephony.Direction]bool{}}
	s.emit(telephony.ChannelEntered{Channel: id, Args: c.Args, State: telephony.ChannelRing, Number: c.Number, Name: c.Name, Dialled: c.Dialled})
	return id
}

// Press presses keys on the phone at the end of a channel.
func (s *Switch) Press(ch telephony.ChannelID, keys string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range len(keys) {
		s.emit(telephony.DigitReceived{Channel: ch, Digit: keys[i]})
	}
}

// HangUp is the far end hanging up a channel.
func (s *Switch) HangUp(ch telephony.ChannelID) { s.Drop(ch, telephony.CauseNormal) }

// Drop ends a channel from the far end with a cause.
func (s *Switch) Drop(ch telephony.ChannelID, cause telephony.Cause) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.channels[ch]; c != nil {
		s.end(c, cause)
	}
}

// Vanish ends a channel without any event, as one lost on the way.
func (s *Switch) Vanish(ch telephony.ChannelID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.channels[ch]; c != nil {
		was := s.up
		s.up = false
		s.end(c, telephony.CauseNormal)
		s.up = was
	}
}

// end takes a channel away. s.mu is held.
func (s *Switch) end(c *channel, cause telephony.Cause) {
	c.stop()
	if c.inApp || c.watched {
		s.emit(telephony.HangupRequested{Channel: c.id})
	}
	s.unplay(c.id)
	s.unbridge(c)
	delete(s.channels, c.id)
	if c.inApp {
		s.emit(telephony.ChannelLeft{Channel: c.id})
	}
	if c.watched {
		s.emit(telephony.ChannelDestroyed{Channel: c.id, Cause: cause})
	}
	s.note()
}

func (s *Switch) unplay(ch telephony.ChannelID) {
	for id, p := range s.plays {
		if p.channel == ch {
			p.timer.Stop()
			delete(s.plays, id)
			s.emit(telephony.PlaybackFinished{Playback: id, Failed: true})
		}
	}
}

func (s *Switch) unbridge(c *channel) {
	b := s.bridges[c.bridge]
	if b == nil {
		return
	}
	b.channels = slices.DeleteFunc(b.channels, func(ch telephony.ChannelID) bool { return ch == c.id })
	s.emit(telephony.BridgeLeft{Bridge: c.bridge, Channel: c.id})
	c.bridge = ""
}

// later runs f under the lock after d unless the channel ends first.
func (s *Switch) later(c *channel, d time.Duration, f func()) {
	c.timers = append(c.timers, time.AfterFunc(d, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.channels[c.id] == c && !s.closed {
			f()
		}
	}))
}

// answer picks a phone up. s.mu is held.
func (s *Switch) answer(c *channel, p Phone) {
	c.state = telephony.ChannelUp
	s.emit(telephony.StateChanged{Channel: c.id, State: telephony.ChannelUp})
	s.emit(telephony.DialChanged{Channel: c.id, Status: "ANSWER"})
	if !s.up {
		// Nobody to control it: the switch hangs up.
		s.end(c, telephony.CauseNormal)
		return
	}
	c.inApp = true
	s.emit(telephony.ChannelEntered{Channel: c.id, Args: c.args, State: telephony.ChannelUp})
	if p.HangupAfter > 0 {
		s.later(c, p.HangupAfter, func() { s.end(c, telephony.CauseNormal) })
	}
}

// BreakBridge destroys a bridge from outside; its channels stay.
func (s *Switch) BreakBridge(id telephony.BridgeID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.destroy(id)
}

func (s *Switch) destroy(id telephony.BridgeID) {
	b := s.bridges[id]
	if b == nil {
		return
	}
	for _, ch := range slices.Clone(b.channels) {
		if c := s.channels[ch]; c != nil {
			s.unbridge(c)
		}
	}
	delete(s.bridges, id)
	s.emit(telephony.BridgeDestroyed{Bridge: id})
}

// AddOrphan puts a channel into the switch that nobody was told of.
func (s *Switch) AddOrphan(id telephony.ChannelID, args ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels[id] = &channel{id: id, state: telephony.ChannelUp, inApp: true, args: args, muted: map[telephony.Direction]bool{}}
	s.note()
}

// AddOrphanBridge puts a bridge into the switch that nobody asked for.
func (s *Switch) AddOrphanBridge(id telephony.BridgeID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bridges[id] = &bridge{}
	s.note()
}

// Disconnect cuts the event stream: what happens until Connect is not told, and
// what was to be told of ringing legs is forgotten. A call that arrives
// meanwhile is not ours.
func (s *Switch) Disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.up {
		return
	}
	s.push(telephony.Disconnected{Err: fmt.Errorf("cut")}, 1)
	s.up = false
	for _, c := range s.channels {
		c.watched = false
	}
	s.note()
}

// Connect begins the next epoch.
func (s *Switch) Connect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.up = true
	s.epoch++
	s.push(telephony.Connected{}, 1)
	s.note()
}

// Replace ends the stream as another controller does.
func (s *Switch) Replace() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.push(telephony.Replaced{}, 1)
	s.up = false
}

// Tell delivers any event as if it had happened.
func (s *Switch) Tell(b telephony.EventBody) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.push(b, 1)
}

// Filter decides how often each event is delivered: 0 loses it, 2 repeats it.
// Nil is once each. f must not use the switch.
func (s *Switch) Filter(f func(telephony.EventBody) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.filter = f
}

// Fault changes what commands do.
type Fault struct {
	// Op names the command, as in the metrics, for example "add_to_bridge".
	Op string
	// Channel, if not empty, limits it to commands on that channel.
	Channel telephony.ChannelID
	// Times is how often it strikes; 0 is always.
	Times int
	// Delay passes before anything else.
	Delay time.Duration
	// Err is what the command comes to, nil for what it would.
	Err error
	// Done carries the command out although it fails: an answer lost on the way.
	Done bool
	// Stall waits for the command's deadline.
	Stall bool
}

// Inject adds a fault; the first that fits strikes.
func (s *Switch) Inject(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Heal removes all faults.
func (s *Switch) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Unavailable is the error of a switch that answers 500.
func Unavailable(op string) error {
	return &telephony.Error{Op: op, Kind: telephony.ErrUnavailable, Status: 500, Message: "scripted"}
}

// NotFound is the error of a switch that answers 404.
func NotFound(op string) error {
	return &telephony.Error{Op: op, Kind: telephony.ErrNotFound, Status: 404, Message: "scripted"}
}

// command records a command, lets a fault strike and carries it out.
func (s *Switch) command(ctx context.Context, op string, ch telephony.ChannelID, b telephony.BridgeID, do func() error) error {
	s.mu.Lock()
	s.ops = append(s.ops, Op{Name: op, Channel: ch, Bridge: b, At: time.Now()})
	var f Fault
	for i, g := range s.faults {
		if g.Op != op || g.Channel != "" && g.Channel != ch {
			continue
		}
		f = *g
		if g.Times == 1 {
			s.faults = slices.Delete(s.faults, i, i+1)
		} else if g.Times > 1 {
			g.Times--
		}
		break
	}
	s.note()
	s.mu.Unlock()

	late := func(err error) error { return &telephony.Error{Op: op, Kind: telephony.ErrUnavailable, Err: err} }
	if f.Delay > 0 {
		t := time.NewTimer(f.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return late(ctx.Err())
		}
	}
	if f.Stall {
		if f.Done {
			s.mu.Lock()
			_ = do()
			s.mu.Unlock()
		}
		<-ctx.Done()
		return late(ctx.Err())
	}
	if err := ctx.Err(); err != nil {
		return late(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return late(fmt.Errorf("the switch is closed"))
	}
	if f.Err != nil && !f.Done {
		return f.Err
	}
	err := do()
	s.note()
	if f.Err != nil {
		return f.Err
	}
	return err
}

// Return lets a channel that was continued in the dialplan enter again.
func (s *Switch) Return(ch telephony.ChannelID, args ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[ch]
	if c == nil || c.inApp {
		return
	}
	c.inApp, c.args = true, args
	s.emit(telephony.ChannelEntered{Channel: ch, Args: args, State: c.state})
}
