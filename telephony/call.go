package telephony

import (
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"example.org/c3i/contact"
	"example.org/c3i/ivr"
	"example.org/c3i/routing"
)

// call is one caller from arrival to ending. Its fields belong to the goroutine
// that runs its mailbox; everything else reaches it by mail.
type call struct {
	ctl *Controller
	id  contact.ID
	log zerolog.Logger
	box *mailbox

	channel  ChannelID
	args     []string
	caller   contact.Caller
	arrival  contact.Instant
	language string

	state State
	shown atomic.Value // State, for where
	// gone tells that the caller's leg is no longer ours.
	gone bool
	// leaving is set while the caller's leg is being given to the dialplan: its
	// leaving us is then not a hang-up.
	leaving Reason
	// known tells that routing was told of the contact.
	known bool
	// pending counts jobs in lanes; the call is forgotten when it has ended and
	// nothing is pending.
	pending int

	session Session
	timer   *time.Timer // the session's one timer
	timerID ivr.TimerID
	play    *playing
	plays   int

	// outgoing tells that the caller is rung back for offer, which this call is for;
	// try is the ringing.
	outgoing bool
	offer    routing.OfferID
	try      *attempt
	// wantsBack: the flow said that the caller would rather be rung back; offersBack:
	// key 1 asks for it; talk: they are asked on which number; asking: routing is.
	wantsBack, offersBack bool
	talk                  *ivr.Callback
	asking                bool
	askTimer              *time.Timer

	music  bool
	legs   map[ChannelID]*leg
	leg    *leg // the handler being rung or talked to
	decide *time.Timer

	bridge  BridgeID
	bridged bridgeState

	// hands do commands on the caller's leg, joins on the bridge, mouth tells
	// routing and the CRM.
	hands, joins, mouth *lane
}

func newCall(ctl *Controller, b ChannelEntered) *call {
	c := blankCall(ctl, ctl.o.NewID())
	c.channel, c.args = b.Channel, b.Args
	c.enter(StateArriving)
	return c
}

// blankCall is a call that has yet to enter its first state.
func blankCall(ctl *Controller, id contact.ID) *call {
	c := &call{
		ctl: ctl, id: id,
		log:     ctl.o.Log.With().Str("contact", string(id)).Logger(),
		arrival: contact.At(ctl.o.Clock()),
		legs:    map[ChannelID]*leg{},
		hands:   &lane{ctl: ctl}, joins: &lane{ctl: ctl}, mouth: &lane{ctl: ctl},
	}
	c.box = newMailbox(ctl.o.Limits.Mailbox, func(depth int) {
		ctl.o.Metrics.alarm()
		c.log.Warn().Int("depth", depth).Msg("call's mailbox is filling")
	})
	return c
}

// post puts work for the call's goroutine into its mailbox.
func (c *call) post(f func()) { c.box.put(f) }

// run is the call's goroutine.
func (c *call) run() {
	defer c.ctl.forget(c)
	for {
		select {
		case <-c.box.ready:
			for _, f := range c.box.take() {
				f()
			}
			if c.state == StateEnded && c.pending == 0 {
				return
			}
		case <-c.ctl.ctx.Done():
			c.stopTimers()
			c.enter(StateEnded)
			return
		}
	}
}

func (c *call) enter(s State) {
	if c.state == s {
		return
	}
	c.ctl.o.Metrics.moved(c.state, s)
	c.state = s
	c.shown.Store(s)
}

// where is the call's state for readers outside its goroutine.
func (c *call) where() State {
	s, _ := c.shown.Load().(State)
	return s
}

// do runs a switch command in a lane; done hears of its outcome in the call's
// goroutine.
func (c *call) do(l *lane, op string, f commandFunc, done func(error)) {
	c.job(l, func() error { return c.ctl.command(op, nil, f) }, done)
}

// job runs anything in a lane.
func (c *call) job(l *lane, f func() error, done func(error)) {
	c.pending++
	l.add(func() {
		err := f()
		c.post(func() {
			c.pending--
			if done != nil {
				done(err)
			}
		})
	})
}

// after posts f in d unless the timer is stopped.
func (c *call) after(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() { c.post(f) })
}

// report tells routing something it must hear.
func (c *call) report(ev routing.Event) {
	c.job(c.mouth, func() error { return c.ctl.submitSurely(ev) }, func(err error) {
		if err != nil {
			c.log.Error().Str("event", ev.Kind()).Msg("routing could not be told")
		}
	})
}

func (c *call) stopTimers() {
	for _, t := range []*time.Timer{c.timer, c.decide, c.askTimer} {
		if t != nil {
			t.Stop()
		}
	}
	c.timer, c.decide, c.askTimer = nil, nil, nil
	if c.try != nil && c.try.watch != nil {
		c.try.watch.Stop()
	}
	c.dropPlay()
	for _, l := range c.legs {
		l.stopTimer()
	}
}

// action performs what routing decided.
func (c *call) action(a routing.Action) {
	if c.state == StateEnded {
		switch a := a.(type) {
		case routing.Control:
			c.report(routing.ControlDone{Contact: c.id, Agent: a.Agent, Verb: a.Verb, Cause: "call_gone"})
		}
		return // its ending has been, or is being, told
	}
	switch a := a.(type) {
	case routing.Queued:
		c.queued(a)
	case routing.Announce:
		c.announced(a)
	case routing.CallbackNoted:
		c.noted()
	case routing.CallBack:
		c.callBack(a)
	case routing.QueueClosed:
		c.closed(a)
	case routing.Offer:
		c.offered(a)
	case routing.Retract:
		c.retracted(a)
	case routing.Connect:
		c.connect(a)
	case routing.Control:
		c.control(a)
	case routing.Refused:
		if a.Event == (routing.CallbackAsked{}).Kind() {
			c.backRefused(a.Code)
			return
		}
		if c.state == StateIdentifying {
			c.log.Error().Str("code", a.Code).Msg("routing refused the contact: the caller goes to the fallback")
			c.handOver(ReasonNotRouted)
		}
	}
}

// queued says that the contact waits.
func (c *call) queued(a routing.Queued) {
	c.decided()
	if c.state != StateIdentifying {
		return
	}
	c.enter(StateWaiting)
	c.offersBack = a.Callback && c.mayAskBack()
	switch {
	case !c.wantsBack:
		c.offersBack = false // until an announcement says so
	case c.offersBack:
		c.beginTalk()
	default:
		c.sayWaiting(ivr.PromptCallbackRefused)
	}
}

// decided stops the watchdog on routing.
func (c *call) decided() {
	if c.decide != nil {
		c.decide.Stop()
		c.decide = nil
	}
}

// wantMusic starts or stops music for the caller.
func (c *call) wantMusic(on bool) {
	if c.music == on || c.gone {
		return
	}
	c.music = on
	c.setMusic(on, 1)
}

// setMusic repeats the command a few times while it fails and is still wanted:
// music over a conversation, or silence in the queue, is not for want of a try.
func (c *call) setMusic(on bool, try int) {
	sw, ch := c.ctl.o.Switch, c.channel
	op, f := "stop_music", func(ctx ctxT) error { return sw.StopMusic(ctx, ch) }
	if on {
		class := c.ctl.o.Music(c.language)
		op, f = "start_music", func(ctx ctxT) error { return sw.StartMusic(ctx, ch, class) }
	}
	c.do(c.hands, op, f, func(err error) {
		if err == nil || try == 5 {
			return
		}
		c.after(100*time.Millisecond, func() {
			if c.music == on && !c.gone && c.state != StateEnded {
				c.setMusic(on, try+1)
			}
		})
	})
}

// channelGone handles the end of one of the call's legs.
func (c *call) channelGone(ch ChannelID, cause Cause, vanished bool) {
	if ch != c.channel {
		c.legGone(ch, cause, vanished)
		return
	}
	if c.outgoing && !c.known {
		c.callerLost(cause, vanished)
		return
	}
	if c.gone {
		return
	}
	c.gone = true
	if c.state == StateEnded {
		return
	}
	if c.asking {
		return // whether they are rung back or have left, routing's answer tells
	}
	if c.state == StateParting {
		c.finish(ReasonCallback)
		return
	}
	if c.leaving != "" {
		c.finish(c.leaving)
		return
	}
	if vanished {
		c.finish(ReasonVanished)
		return
	}
	if c.session != nil && (c.state == StateIVR || c.state == StateArriving) {
		c.session.Step(ivr.HungUp{})
	}
	c.finish(ReasonCallerGone)
}
