package telephony

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// Controller owns every call: it performs what the IVR and routing decide and
// tells routing what happened. Make one with New, run it with Run, feed it
// actions with Do.
type Controller struct {
	o    Options
	gate *gate

	// ctx is Run's; until Run it is one that New made.
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
	spawns sync.RWMutex // held to read while work may begin, to write when none may any more

	draining atomic.Bool
	epoch    atomic.Uint64

	mu sync.Mutex
	// calls by contact, and by each channel that belongs to one.
	calls    map[contact.ID]*call
	channels map[ChannelID]*call
	// heirs holds what is decided of callbacks whose call before is still there.
	heirs map[contact.ID][]routing.Action
	// gone remembers channels lately destroyed, so that a repeated event does not
	// bring one back as a ghost.
	gone gonelist
	// changed is closed and renewed whenever a call ends.
	changed chan struct{}
}

// New makes a controller; the error names every option that is missing.
func New(o Options) (*Controller, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ctl := &Controller{
		o: o, gate: newGate(), ctx: ctx, cancel: cancel,
		calls: map[contact.ID]*call{}, channels: map[ChannelID]*call{}, heirs: map[contact.ID][]routing.Action{}, changed: make(chan struct{}),
	}
	return ctl, nil
}

// ErrReplaced is what Run returns when another controller took the switch over.
var ErrReplaced = errors.New("another controller has taken over the switch")

// ErrSwitchClosed is what Run returns when the event stream ended for good.
var ErrSwitchClosed = errors.New("the switch's event stream has ended")

// Run takes events until ctx is done (nil), the switch is closed, or another
// controller replaced us. It returns once every goroutine it started has ended.
// Calls still up are left to the switch: Drain first. It must be called once.
func (ctl *Controller) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, ctl.cancel)
	defer stop()
	defer func() {
		ctl.spawns.Lock()
		ctl.cancel()
		ctl.spawns.Unlock()
		ctl.work.Wait()
	}()

	audit := time.NewTicker(ctl.o.Limits.Audit)
	defer audit.Stop()
	events := ctl.o.Switch.Events()
	for {
		select {
		case <-ctl.ctx.Done():
			return nil
		case <-audit.C:
			if ctl.gate.isOpen() {
				ctl.startAudit(ctl.epoch.Load())
			}
		case ev, ok := <-events:
			if !ok {
				if ctl.ctx.Err() != nil {
					return nil
				}
				return ErrSwitchClosed
			}
			if err := ctl.event(ev); err != nil {
				return err
			}
		}
	}
}

// spawn starts a goroutine that Run waits for; after Run's end it does nothing.
func (ctl *Controller) spawn(f func()) {
	ctl.spawns.RLock()
	defer ctl.spawns.RUnlock()
	if ctl.ctx.Err() == nil {
		ctl.work.Go(f)
	}
}

// Ready reports whether the switch's event stream stands.
func (ctl *Controller) Ready() bool { return ctl.gate.isOpen() && !ctl.draining.Load() }

// event routes one event. It never waits.
func (ctl *Controller) event(ev Event) error {
	ctl.o.Metrics.event(ctl.o.Clock(), ev)
	switch b := ev.Body.(type) {
	case Connected:
		ctl.epoch.Store(ev.Epoch)
		ctl.o.Metrics.link(true)
		ctl.o.Log.Info().Uint64("epoch", ev.Epoch).Msg("switch connected")
		ctl.gate.set(true)
		ctl.startAudit(ev.Epoch)
		ctl.watchLegs()
	case Disconnected:
		ctl.gate.set(false)
		ctl.o.Metrics.link(false)
		ctl.o.Log.Warn().Err(b.Err).Msg("switch disconnected: commands are held")
	case Replaced:
		ctl.gate.set(false)
		ctl.o.Metrics.link(false)
		ctl.o.Log.Error().Msg("another controller has taken over the switch: stopping")
		return ErrReplaced
	case ChannelEntered:
		ctl.entered(b)
	case ChannelLeft:
		ctl.left(b.Channel)
	case HangupRequested:
		if c := ctl.onChannel(b.Channel); c != nil {
			c.post(func() { c.hangupRequested(b.Channel) })
		}
	case ChannelDestroyed:
		ctl.destroyed(b)
	case StateChanged, BridgeEntered, BridgeLeft, PlaybackStarted:
		// Nothing waits for these: answers to commands and ends carry the news.
	case DigitReceived:
		if c := ctl.onChannel(b.Channel); c != nil {
			c.post(func() { c.digit(b.Channel, b.Digit) })
		}
	case PlaybackFinished:
		if c := ctl.onObject(string(b.Playback), "-play-"); c != nil {
			c.post(func() { c.playbackFinished(b.Playback, b.Failed) })
		}
	case BridgeDestroyed:
		if c := ctl.onObject(string(b.Bridge), "-bridge-"); c != nil {
			c.post(func() { c.bridgeDestroyed(b.Bridge) })
		}
	case DialChanged:
		if c := ctl.onChannel(b.Channel); c != nil {
			c.post(func() { c.dialChanged(b.Channel, b.Status) })
		}
	case EndpointChanged:
		if ctl.o.Endpoint != nil {
			ctl.o.Endpoint(b.Endpoint, b.Up)
		}
	case Unknown:
		ctl.o.Log.Debug().Str("type", typeLabel(b.Type)).AnErr("err", b.Err).Msg("switch event not understood")
	}
	return nil
}

// entered takes a channel that is now ours: a new call, or a leg answered.
func (ctl *Controller) entered(b ChannelEntered) {
	isLeg := isOurLeg(b.Channel) || len(b.Args) > 0 && b.Args[0] == argLeg
	ctl.mu.Lock()
	c, known := ctl.channels[b.Channel]
	if known {
		ctl.mu.Unlock()
		if isLeg {
			c.post(func() { c.legEntered(b.Channel) })
		}
		return // else a repeated event
	}
	if ctl.gone.has(b.Channel) {
		ctl.mu.Unlock()
		return
	}
	if isLeg {
		ctl.mu.Unlock()
		ctl.releaseOrphan(b.Channel, true, b.Args)
		return
	}
	if ctl.draining.Load() {
		ctl.mu.Unlock()
		ctl.giveBack(b.Channel, b.Args)
		return
	}
	c = newCall(ctl, b)
	ctl.calls[c.id] = c
	ctl.channels[b.Channel] = c
	ctl.mu.Unlock()
	ctl.spawn(c.run)
	c.post(func() { c.arrive(b) })
}

// left routes the end of our control over a channel. The channel may come back
// as a new call, so the caller's leg is forgotten at once.
func (ctl *Controller) left(ch ChannelID) {
	ctl.mu.Lock()
	c := ctl.channels[ch]
	if c != nil && c.channel == ch {
		delete(ctl.channels, ch)
	}
	ctl.mu.Unlock()
	if c != nil {
		c.post(func() { c.channelGone(ch, CauseNone, false) })
	}
}

func (ctl *Controller) destroyed(b ChannelDestroyed) {
	ctl.mu.Lock()
	c := ctl.channels[b.Channel]
	delete(ctl.channels, b.Channel)
	ctl.gone.add(b.Channel)
	ctl.mu.Unlock()
	if c != nil {
		c.post(func() { c.channelGone(b.Channel, b.Cause, false) })
	}
}

func (ctl *Controller) onChannel(ch ChannelID) *call {
	ctl.mu.Lock()
	defer ctl.mu.Unlock()
	return ctl.channels[ch]
}

// onObject finds the call whose id an object of ours carries.
func (ctl *Controller) onObject(object, kind string) *call {
	rest, ours := strings.CutPrefix(object, idPrefix)
	id, _, found := strings.Cut(rest, kind)
	if !ours || !found {
		return nil
	}
	return ctl.onContact(contact.ID(id))
}

func (ctl *Controller) onContact(id contact.ID) *call {
	ctl.mu.Lock()
	defer ctl.mu.Unlock()
	return ctl.calls[id]
}

// register makes a channel of ours known before anything can arrive for it.
func (ctl *Controller) register(ch ChannelID, c *call) {
	ctl.mu.Lock()
	defer ctl.mu.Unlock()
	ctl.channels[ch] = c
}

// forget removes a call that has ended and has nothing under way.
func (ctl *Controller) forget(c *call) {
	ctl.mu.Lock()
	defer ctl.mu.Unlock()
	delete(ctl.calls, c.id)
	if ctl.channels[c.channel] == c {
		delete(ctl.channels, c.channel)
	}
	for ch := range c.legs {
		delete(ctl.channels, ch)
	}
	ctl.inherit(c.id)
	close(ctl.changed)
	ctl.changed = make(chan struct{})
}

// Do performs a routing action; it is a sink of the routing driver and never
// blocks: the action is put into its call's mailbox. Actions that do not concern
// phone calls are ignored. An action for a call that is no longer there is
// answered with the event that lets routing finish with it.
func (ctl *Controller) Do(_ context.Context, a routing.Action) error {
	var id contact.ID
	var missing routing.Event
	switch a := a.(type) {
	case routing.Queued:
		if a.Channel != contact.Phone || a.RingBack {
			return nil
		}
		id, missing = a.Contact, routing.ContactReleased{Contact: a.Contact, Cause: routing.ReleasedByFailure}
	case routing.Offer:
		if a.Channel != contact.Phone {
			return nil
		}
		if a.Callback {
			ctl.succeed(a)
			return nil
		}
		id, missing = a.Contact, routing.ContactReleased{Contact: a.Contact, Cause: routing.ReleasedByFailure}
	case routing.QueueClosed:
		id = a.Contact
	case routing.Announce:
		id = a.Contact
	case routing.CallbackNoted:
		id = a.Contact
	case routing.CallBack:
		id, missing = a.Contact, routing.ConnectFailed{Contact: a.Contact, Agent: a.Agent, Cause: "call_gone"}
	case routing.Retract:
		id = a.Contact
	case routing.Connect:
		id, missing = a.Contact, routing.ContactReleased{Contact: a.Contact, Cause: routing.ReleasedByFailure}
	case routing.Control:
		id, missing = a.Contact, routing.ControlDone{Contact: a.Contact, Agent: a.Agent, Verb: a.Verb, Cause: "call_gone"}
	case routing.Refused:
		switch a.Event {
		case (routing.ContactArrived{}).Kind(), (routing.CallbackAsked{}).Kind():
			id = a.Contact
		case (routing.OfferAccepted{}).Kind():
			ctl.offerRefused(a.Offer)
			return nil
		default:
			return nil
		}
	default:
		return nil
	}
	c, waits := ctl.heir(id, a)
	if waits {
		return nil
	}
	if c == nil {
		// Connect and Control are also made for contacts of other channels, whose
		// package answers them; only a contact of ours can be missing here.
		if missing != nil && phoneAction(a) {
			ctl.spawn(func() { _ = ctl.submit(missing) })
		}
		return nil
	}
	c.post(func() { c.action(a) })
	return nil
}

// heir finds the call an action is for; it keeps the action when that call has yet to
// be made.
func (ctl *Controller) heir(id contact.ID, a routing.Action) (c *call, waits bool) {
	ctl.mu.Lock()
	defer ctl.mu.Unlock()
	if len(ctl.heirs[id]) > 0 {
		ctl.heirs[id] = append(ctl.heirs[id], a)
		return nil, true
	}
	return ctl.calls[id], false
}

// offerRefused tells the call that has the offer; a refusal does not name it.
func (ctl *Controller) offerRefused(offer routing.OfferID) {
	ctl.mu.Lock()
	defer ctl.mu.Unlock()
	for _, c := range ctl.calls {
		if c.where() == StateOffered {
			c.post(func() { c.refused(offer) })
		}
	}
}

// phoneAction tells whether an action is about a phone call beyond doubt.
func phoneAction(a routing.Action) bool {
	switch a.(type) {
	case routing.Queued, routing.Offer, routing.CallBack:
		return true
	}
	return false
}

// Settle tells routing that contacts it believes to be calls are gone, where
// there is no such call: for use once after a start, with the contacts that the
// journal left open on the phone.
func (ctl *Controller) Settle(open []contact.ID) error {
	var errs []error
	for _, id := range open {
		if ctl.onContact(id) == nil {
			errs = append(errs, ctl.submit(routing.ContactReleased{Contact: id, Cause: routing.ReleasedByFailure}))
		}
	}
	return errors.Join(errs...)
}

// submit sends one event with the deadline.
func (ctl *Controller) submit(ev routing.Event) error {
	ctx, cancel := context.WithTimeout(ctl.ctx, ctl.o.Limits.Submit)
	defer cancel()
	return ctl.o.Submit.Submit(ctx, ev)
}

// submitSurely repeats until the event is taken, for up to about a minute.
func (ctl *Controller) submitSurely(ev routing.Event) error {
	pause := 50 * time.Millisecond
	for try := 1; ; try++ {
		err := ctl.submit(ev)
		if err == nil || try == 20 || !ctl.sleep(pause) {
			return err
		}
		pause = min(2*pause, 5*time.Second)
	}
}

// Live counts the calls there are by state.
func (ctl *Controller) Live() map[State]int {
	ctl.mu.Lock()
	defer ctl.mu.Unlock()
	n := map[State]int{}
	for _, c := range ctl.calls {
		n[c.where()]++
	}
	return n
}

// gonelist remembers the last few thousand channels destroyed.
type gonelist struct {
	set  map[ChannelID]struct{}
	ring [4096]ChannelID
	next int
}

func (g *gonelist) add(ch ChannelID) {
	if g.set == nil {
		g.set = map[ChannelID]struct{}{}
	}
	if _, has := g.set[ch]; has {
		return
	}
	delete(g.set, g.ring[g.next])
	g.ring[g.next] = ch
	g.set[ch] = struct{}{}
	g.next = (g.next + 1) % len(g.ring)
}

func (g *gonelist) has(ch ChannelID) bool {
	_, has := g.set[ch]
	return has
}
