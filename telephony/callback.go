package telephony

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// ringTone is what a handler hears while the caller is rung.
const ringTone = "tone:ring"

// errNoRoute says that no way out is configured for a number.
var errNoRoute = errors.New("no outgoing route")

// attempt is one ringing of a caller who asked to be rung back.
type attempt struct {
	ringFor time.Duration
	// unwanted tells the lane not to dial any more.
	unwanted atomic.Bool
	// dialled is when the dial command was answered, zero before.
	dialled time.Time
	// status is the last the switch said of the ringing.
	status string
	// ended tells that the caller's leg is no longer there, over that the outcome was
	// told.
	ended, over bool
	tone        PlaybackID
	watch       *time.Timer
}

// newOutgoing is the call for one offer of a callback: the handler's phone first,
// then the caller's. It has no caller until they answer.
func newOutgoing(ctl *Controller, o routing.Offer) *call {
	c := blankCall(ctl, o.Contact)
	c.outgoing, c.offer, c.gone = true, o.Offer, true
	c.channel, c.arrival, c.language = backID(o.Contact, o.Offer), o.Arrival, o.Facts.Language
	// Ids of playbacks do not repeat those of the contact's calls before.
	c.plays = int(o.Offer) * 1000
	c.caller.CLI, c.caller.Dialled = contact.CLIUnavailable, o.Facts.Dialled
	c.enter(StateWaiting)
	return c
}

// succeed makes the call for an offer of a callback. One that is still there under
// the contact's id, with the caller hearing goodbye or of an offer before, makes way;
// what is decided meanwhile waits for the new one.
func (ctl *Controller) succeed(o routing.Offer) {
	ctl.mu.Lock()
	defer ctl.mu.Unlock()
	if ctl.draining.Load() {
		ctl.spawn(func() {
			_ = ctl.submit(routing.OfferFailed{Offer: o.Offer, Agent: o.Agent, Cause: "stopping"})
		})
		return
	}
	old := ctl.calls[o.Contact]
	if old == nil {
		ctl.open(o)
		return
	}
	ctl.heirs[o.Contact] = append(ctl.heirs[o.Contact], o)
	old.post(old.makeWay)
}

// open starts the call for an offer. ctl.mu is held.
func (ctl *Controller) open(o routing.Offer) {
	c := newOutgoing(ctl, o)
	ctl.calls[c.id] = c
	ctl.spawn(c.run)
	c.post(func() { c.action(o) })
}

// inherit starts what waited for a call to be forgotten. ctl.mu is held.
func (ctl *Controller) inherit(id contact.ID) {
	actions := ctl.heirs[id]
	delete(ctl.heirs, id)
	for i, a := range actions {
		if o, is := a.(routing.Offer); is && i == 0 {
			ctl.open(o)
		} else if c := ctl.calls[id]; c != nil {
			c.post(func() { c.action(a) })
		}
	}
}

// makeWay ends a call for the one that follows it.
func (c *call) makeWay() {
	if c.outgoing && !c.known {
		c.finish(ReasonRetracted)
		return
	}
	c.finish(ReasonCallback)
}

// callBack rings the caller for the handler who accepted, as routing has decided.
func (c *call) callBack(a routing.CallBack) {
	l := c.leg
	if !c.outgoing || l == nil || l.offer != a.Offer || l.dead || l.gone {
		c.report(routing.ConnectFailed{Contact: c.id, Agent: a.Agent, Cause: "handler_gone"})
		if c.outgoing && !c.known {
			c.finish(ReasonRetracted)
		}
		return
	}
	if c.try != nil {
		return // repeated
	}
	c.try = &attempt{ringFor: a.RingFor.Std()}
	l.wanted = true
	if l.answered.IsZero() {
		return // taken on the desk: the phone still rings, under its watchdog
	}
	c.ringCaller(l)
}

// ringCaller dials the caller while the handler holds the line and hears it ring.
func (c *call) ringCaller(l *leg) {
	l.stopTimer()
	c.enter(StateCalling)
	if !l.joined {
		c.joinLeg(l)
	}
	t, sw := c.try, c.ctl.o.Switch
	c.ctl.register(c.channel, c)
	c.log.Info().Str("agent", string(l.agent)).Msg("ringing the caller back")
	c.job(c.hands, func() error {
		ctx, cancel := context.WithTimeout(c.ctl.ctx, c.ctl.o.Limits.Submit)
		defer cancel()
		number, err := c.ctl.o.number(ctx, c.id)
		if err != nil {
			return err
		}
		dial, ok := c.ctl.o.Outgoing(number)
		if !ok {
			return errNoRoute
		}
		o := Originate{
			Channel: c.channel, Endpoint: dial, CallerNumber: c.ctl.o.CallerNumber, Timeout: t.ringFor, Language: c.language,
			Args: []string{argLeg, string(c.id)},
		}
		return c.ctl.command("originate", t.unwanted.Load, func(ctx ctxT) error { return sw.Originate(ctx, o) })
	}, c.callerDialled)
	t.watch = c.after(t.ringFor+c.ctl.o.Limits.DialMargin, func() {
		if !t.over && c.gone {
			c.ctl.o.Metrics.watchdog("callback_dial")
			c.callFailed("dial_timeout", false)
		}
	})
	c.plays++
	t.tone = playbackID(c.id, c.plays)
	c.do(l.lane, "play", func(ctx ctxT) error { return sw.Play(ctx, t.tone, l.channel, []string{ringTone}) }, nil)
}

// number asks where a contact is to be rung.
func (o *Options) number(ctx context.Context, id contact.ID) (string, error) {
	if o.Numbers == nil || o.Outgoing == nil {
		return "", errNoRoute
	}
	return o.Numbers.NumberFor(ctx, id)
}

// callerDialled hears whether the switch took the dial command.
func (c *call) callerDialled(err error) {
	t := c.try
	t.dialled = c.ctl.o.Clock()
	switch {
	case err == nil || errors.Is(err, ErrConflict):
	case errors.Is(err, errSkipped):
		t.ended = true
	case errors.Is(err, ErrNoNumber), errors.Is(err, ErrUnsafeNumber):
		t.ended = true
		c.callFailed(numberCode(err), true)
	case errors.Is(err, errNoRoute):
		t.ended = true
		c.callFailed("no_route", false)
	default:
		var e *Error
		if !errors.As(err, &e) {
			t.ended = true // the number could not be had
			c.callFailed(numberCode(err), false)
			return
		}
		t.ended = errors.Is(err, ErrUnreachable) || errors.Is(err, ErrRefused)
		c.callFailed(errCode(err), false)
	}
}

// callerAnswered joins a caller who was rung back and the handler who holds the line.
func (c *call) callerAnswered() {
	t, l := c.try, c.leg
	switch {
	case t == nil || t.ended || c.state == StateEnded || !c.gone:
		return // repeated, or ended with the call
	case t.over || l == nil || l.dead || c.state != StateCalling:
		c.hangUpCaller() // too late
		return
	}
	t.watch.Stop()
	c.gone = false
	c.ctl.o.Metrics.leg("caller_answered")
	c.log.Info().Msg("the caller answered")
	c.stopTone(l)
	c.enter(StateConnecting)
	if l.joined {
		c.joinCaller(l)
	} else {
		c.joinLeg(l)
	}
}

// callerLost hears that the leg of a caller who was rung back has ended before they
// were joined.
func (c *call) callerLost(cause Cause, vanished bool) {
	t := c.try
	if t == nil || t.ended {
		return
	}
	answered := !c.gone
	t.ended, c.gone = true, true
	switch {
	case c.state == StateEnded:
	case answered:
		c.callFailed("hung_up", false)
	case vanished:
		c.callFailed("vanished", false)
	default:
		c.callFailed(JudgeLeg(cause, t.status).Code, false)
	}
}

// callFailed tells routing that the caller was not reached. It lets the handler go and
// with that ends this call.
func (c *call) callFailed(code string, final bool) {
	t, l := c.try, c.leg
	if t == nil || t.over {
		return
	}
	t.over = true
	t.watch.Stop()
	c.hangUpCaller()
	c.ctl.o.Metrics.leg("caller_" + code)
	c.log.Info().Str("cause", code).Bool("final", final).Msg("the caller was not reached")
	if c.state == StateEnded || l == nil {
		return
	}
	c.enter(StateCalling)
	c.report(routing.CallbackFailed{Contact: c.id, Agent: l.agent, Cause: code, Final: final})
	c.lapse()
}

// lapse ends a call that has nobody on the line unless routing withdraws its offer, as
// it should, before.
func (c *call) lapse() {
	if !c.outgoing || c.known || c.state == StateEnded {
		return
	}
	c.decided()
	c.decide = c.after(c.ctl.o.Limits.Decide, func() {
		c.ctl.o.Metrics.watchdog("callback")
		c.finish(ReasonRetracted)
	})
}

// hangUpCaller ends the caller's leg after whatever its lane still does.
func (c *call) hangUpCaller() {
	t := c.try
	if t == nil || t.ended {
		return
	}
	t.ended, c.gone = true, true
	t.unwanted.Store(true)
	sw, ch := c.ctl.o.Switch, c.channel
	c.job(c.hands, func() error {
		return c.ctl.persist("hangup", func(ctx ctxT) error { return sw.Hangup(ctx, ch, CauseNormal) })
	}, func(err error) {
		if err != nil {
			c.ctl.o.Metrics.leaked()
			c.log.Error().Str("cause", errCode(err)).Msg("a caller's leg could not be hung up")
		}
	})
}

// stopTone ends what the handler hears of the ringing.
func (c *call) stopTone(l *leg) {
	id, sw := c.try.tone, c.ctl.o.Switch
	if id != "" && !l.gone {
		c.do(l.lane, "stop_play", func(ctx ctxT) error { return sw.StopPlay(ctx, id) }, nil)
	}
}
