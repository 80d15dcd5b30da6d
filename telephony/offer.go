package telephony

import (
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// leg is a handler's phone, rung for one offer.
type leg struct {
	offer   routing.OfferID
	agent   routing.AgentID
	channel ChannelID
	made    time.Time

	// unwanted tells the lane not to ring a phone any more.
	unwanted atomic.Bool
	// dead tells that the call has done with the leg: whatever it still does, it
	// is hung up.
	dead bool
	// gone tells that the channel is no longer there.
	gone bool
	// dialled is when the dial command was answered, zero before.
	dialled time.Time
	// dialStatus is the last the switch said of the ringing.
	dialStatus string

	// answered is when the handler took the call; joining and joined whether the
	// leg is on its way into the bridge or in it; wanted whether routing has said Connect.
	answered time.Time
	joining  bool
	joined   bool
	wanted   bool
	muted    bool

	lane  *lane
	watch *time.Timer
}

func (l *leg) stopTimer() {
	if l.watch != nil {
		l.watch.Stop()
		l.watch = nil
	}
}

// bridgeState is how far the call's bridge has come.
type bridgeState int

const (
	bridgeNone bridgeState = iota
	bridgeMaking
	bridgeReady
)

// offered rings the handler's phone: nothing stands before or beside the dial
// command, and the bridge is made while the phone rings.
func (c *call) offered(a routing.Offer) {
	c.decided()
	switch c.state {
	case StateIdentifying, StateWaiting, StateOffered:
	default:
		c.report(routing.OfferFailed{Offer: a.Offer, Agent: a.Agent, Cause: "not_waiting"})
		return
	}
	if c.leg != nil {
		if c.leg.offer == a.Offer {
			return // repeated
		}
		c.dropLeg(c.leg)
	}
	dial, ok := c.ctl.o.Phones.Dial(a.Agent)
	if !ok {
		c.enter(StateWaiting)
		c.ctl.o.Metrics.leg("no_phone")
		c.report(routing.OfferFailed{Offer: a.Offer, Agent: a.Agent, Cause: "no_phone"})
		c.lapse()
		return
	}
	l := &leg{offer: a.Offer, agent: a.Agent, channel: legID(c.id, a.Offer), made: c.ctl.o.Clock(), lane: &lane{ctl: c.ctl}}
	ringFor := max(a.Deadline.Sub(contact.At(l.made)).Std(), 0) + c.ctl.o.Limits.DialMargin
	c.leg, c.legs[l.channel] = l, l
	c.ctl.register(l.channel, c)
	c.enter(StateOffered)
	c.log.Info().Str("agent", string(a.Agent)).Uint64("offer", uint64(a.Offer)).Msg("ringing handler")

	sw := c.ctl.o.Switch
	o := Originate{
		Channel: l.channel, Endpoint: dial, CallerNumber: c.caller.Number, Timeout: ringFor,
		Args: []string{argLeg, string(c.id), strconv.FormatUint(uint64(a.Offer), 10)},
	}
	c.job(l.lane, func() error {
		return c.ctl.command("originate", l.unwanted.Load, func(ctx ctxT) error { return sw.Originate(ctx, o) })
	}, func(err error) { c.dialled(l, err) })
	l.watch = c.after(ringFor, func() {
		if l.dead || !l.answered.IsZero() {
			return
		}
		c.ctl.o.Metrics.watchdog("dial")
		c.legFailed(l, "dial_timeout")
	})
}

// dialled hears whether the switch took the dial command.
func (c *call) dialled(l *leg, err error) {
	l.dialled = c.ctl.o.Clock()
	if errors.Is(err, errSkipped) {
		l.gone = true
		return
	}
	if err == nil || errors.Is(err, ErrConflict) {
		// A conflict means a repeat of our own request: the first one stands.
		c.ctl.o.Metrics.rang(c.ctl.o.Clock().Sub(l.made))
		if !l.dead {
			c.makeBridge()
		}
		return
	}
	if errors.Is(err, ErrUnreachable) || errors.Is(err, ErrRefused) {
		l.gone = true // no channel was made
	}
	if !l.dead {
		c.legFailed(l, errCode(err))
	}
}

func (c *call) dialChanged(ch ChannelID, status string) {
	if status == "" {
		return
	}
	if l := c.legs[ch]; l != nil {
		l.dialStatus = status
	} else if ch == c.channel && c.try != nil {
		c.try.status = status
	}
}

// legEntered hears that a handler's phone was answered.
func (c *call) legEntered(ch ChannelID) {
	l := c.legs[ch]
	if l == nil {
		if c.outgoing && ch == c.channel {
			c.callerAnswered()
		}
		return
	}
	if l.dead {
		c.hangupLeg(l) // too late: it was taken back meanwhile
		return
	}
	if !l.answered.IsZero() {
		return // repeated
	}
	l.stopTimer()
	l.answered = c.ctl.o.Clock()
	c.ctl.o.Metrics.leg("answered")
	c.log.Info().Str("agent", string(l.agent)).Msg("handler answered")
	if l.wanted {
		// Taken on the desk before the phone was picked up.
		if c.try != nil {
			c.ringCaller(l)
			return
		}
		c.hush()
		c.enter(StateConnecting)
		c.wantMusic(false)
		c.joinLeg(l)
		return
	}
	c.job(c.mouth, func() error {
		return c.ctl.submit(routing.OfferAccepted{Offer: l.offer, Agent: l.agent})
	}, func(err error) {
		if err != nil && !l.dead {
			c.log.Error().Msg("routing did not take the answer")
			c.legFailed(l, "not_taken")
		}
	})
	// While routing decides, what joining needs is done already.
	c.hush()
	c.wantMusic(false)
	c.joinLeg(l)
	l.watch = c.after(c.ctl.o.Limits.Decide, func() {
		if l.dead || l.wanted {
			return
		}
		c.ctl.o.Metrics.watchdog("accept")
		c.legFailed(l, "not_decided")
	})
}

// hangupRequested hears that a handler put the phone down in a conversation:
// they are free some milliseconds before the switch has tidied up. Any other leg
// is judged by its end, which tells the cause.
func (c *call) hangupRequested(ch ChannelID) {
	if l := c.legs[ch]; l != nil && c.leg == l && (c.state == StateTalking || c.state == StateHeld) {
		c.legGone(ch, CauseNormal, false)
	}
}

// legGone hears that a handler's leg has ended.
func (c *call) legGone(ch ChannelID, cause Cause, vanished bool) {
	l := c.legs[ch]
	if l == nil || l.gone {
		return
	}
	l.gone = true
	if l.dead {
		return
	}
	switch {
	case c.leg == l && (c.state == StateTalking || c.state == StateHeld):
		if vanished {
			c.finish(ReasonVanished)
		} else {
			c.finish(ReasonHandlerGone)
		}
	case l.wanted:
		c.connectFailed(l, "handler_gone")
	case !l.answered.IsZero():
		// The acceptance is on its way: Connect or Retract will come and find the
		// leg gone.
		c.log.Info().Str("agent", string(l.agent)).Msg("handler hung up before being connected")
		c.wantMusic(true)
	default:
		v := JudgeLeg(cause, l.dialStatus)
		if vanished {
			v = LegVerdict{Code: "vanished"}
		}
		c.legEnded(l, v)
	}
}

// legFailed gives up on a leg that was not the handler's to refuse.
func (c *call) legFailed(l *leg, code string) { c.legEnded(l, LegVerdict{Code: code}) }

// legEnded tells routing what became of ringing and goes back to waiting.
func (c *call) legEnded(l *leg, v LegVerdict) {
	if l.wanted {
		c.connectFailed(l, v.Code)
		return
	}
	c.ctl.o.Metrics.leg(v.Code)
	c.log.Info().Str("agent", string(l.agent)).Str("cause", v.Code).Bool("declined", v.Declined).Msg("handler's phone not answered")
	c.dropLeg(l)
	if v.Declined {
		c.report(routing.OfferDeclined{Offer: l.offer, Agent: l.agent, Reason: ""})
	} else {
		c.report(routing.OfferFailed{Offer: l.offer, Agent: l.agent, Cause: v.Code})
	}
	c.lapse()
}

// retracted stops the ringing.
func (c *call) retracted(a routing.Retract) {
	if c.outgoing && !c.known {
		if a.Offer == c.offer {
			c.finish(ReasonRetracted)
		}
		return
	}
	l := c.leg
	if l == nil || l.offer != a.Offer {
		return
	}
	if !l.dead && l.answered.IsZero() {
		c.ctl.o.Metrics.leg("retracted_" + string(a.Cause))
	}
	c.dropLeg(l)
}

// dropLeg has done with a leg: it is hung up, and a caller who is still with us
// waits with music.
func (c *call) dropLeg(l *leg) {
	if l == nil || l.dead {
		return
	}
	l.dead = true
	l.unwanted.Store(true)
	l.stopTimer()
	c.hangupLeg(l)
	if c.leg != l {
		return
	}
	c.leg = nil
	switch c.state {
	case StateOffered, StateCalling, StateConnecting, StateTalking, StateHeld:
		// Talking, routing gave up on the connection while it came about.
		if !c.gone && (c.state == StateConnecting || c.state == StateTalking) {
			c.leaveBridge()
		}
		c.enter(StateWaiting)
		c.wantMusic(true)
	}
}

// refused hears that routing did not want an answer it was told of: the phone
// that was picked up is put down.
func (c *call) refused(offer routing.OfferID) {
	if l := c.leg; l != nil && l.offer == offer && !l.answered.IsZero() && !l.wanted && !l.dead {
		c.legFailed(l, "offer_closed")
	}
}

// leaveBridge takes the caller out of a bridge they may have entered.
func (c *call) leaveBridge() {
	sw, ch, b := c.ctl.o.Switch, c.channel, c.bridge
	if c.gone || b == "" {
		return
	}
	c.do(c.hands, "remove_from_bridge", func(ctx ctxT) error { return sw.RemoveFromBridge(ctx, b, ch) }, nil)
}

// hangupLeg ends the leg's channel, after whatever its lane still does.
func (c *call) hangupLeg(l *leg) {
	if l.gone {
		return
	}
	sw := c.ctl.o.Switch
	c.job(l.lane, func() error {
		return c.ctl.persist("hangup", func(ctx ctxT) error { return sw.Hangup(ctx, l.channel, CauseNormal) })
	}, func(err error) {
		if err != nil {
			c.ctl.o.Metrics.leaked()
			c.log.Error().Str("cause", errCode(err)).Msg("a handler's leg could not be hung up")
		}
	})
}
