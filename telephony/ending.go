package telephony

import (
	"context"
	"errors"
	"time"

	"example.org/c3i/contact"
	"example.org/c3i/ivr"
	"example.org/c3i/routing"
)

// tidyAfter lets the next caller's dial command go before what can wait: a
// handler who hung up is free at once, and the switch does one thing at a time.
const tidyAfter = 20 * time.Millisecond

// finish ends the call: a verdict, everybody's legs hung up, the bridge
// destroyed, routing or the ledger told. It happens once.
func (c *call) finish(r Reason) {
	if c.state == StateEnded {
		return
	}
	v := Judge(c.state, r)
	if r == ReasonCallerGone && c.state == StateIVR && c.session != nil && c.session.Ending() == ivr.IVRContained {
		// The caller heard the end of what they rang for.
		v.Code, v.Ledger = string(contact.IVRContained), contact.IVRContained
	}
	from := c.state
	c.enter(StateEnded)
	c.stopTimers()
	c.decided()
	c.ctl.o.Metrics.ended(v)
	c.log.Info().Str("verdict", v.Code).Str("fault", string(v.Fault)).Str("state", string(from)).Str("reason", string(r)).Msg("call ended")

	if l := c.leg; l != nil {
		c.leg = nil
		l.dead = true
		l.unwanted.Store(true)
		c.hangupLeg(l)
	}
	if c.try != nil && c.gone {
		c.hangUpCaller()
	}
	if !c.gone {
		sw, ch := c.ctl.o.Switch, c.channel
		c.job(c.hands, func() error {
			if r == ReasonHandlerGone {
				c.ctl.sleep(tidyAfter)
			}
			return c.ctl.persist("hangup", func(ctx ctxT) error { return sw.Hangup(ctx, ch, CauseNormal) })
		}, func(err error) {
			if err != nil {
				c.ctl.o.Metrics.leaked()
				c.log.Error().Str("cause", errCode(err)).Msg("the caller's leg could not be hung up")
			}
		})
	}
	if c.bridged != bridgeNone {
		sw, b := c.ctl.o.Switch, c.bridge
		c.job(c.joins, func() error {
			c.ctl.sleep(tidyAfter)
			return c.ctl.persist("destroy_bridge", func(ctx ctxT) error { return sw.DestroyBridge(ctx, b) })
		}, nil)
	}
	if c.known {
		// Routing ended it itself, or it goes on to be rung back.
		if from != StateClosing && from != StateParting && r != ReasonCallback {
			c.report(routing.ContactReleased{Contact: c.id, Cause: v.Release})
		}
		if r != ReasonNotRouted {
			return
		}
	}
	if c.outgoing {
		return // routing knows it
	}
	c.record(v.Ledger)
}

// record tells the ledger how a contact ended that routing may not know.
func (c *call) record(ending contact.Ending) {
	// A lane of its own: routing that cannot be told must not hold this up.
	c.job(&lane{ctl: c.ctl}, func() error {
		pause := 50 * time.Millisecond
		for try := 1; ; try++ {
			ctx, cancel := context.WithTimeout(c.ctl.ctx, c.ctl.o.Limits.Submit)
			err := c.ctl.o.Ledger.EndedInIVR(ctx, c.id, c.caller, c.arrival, ending, c.language)
			cancel()
			if err == nil || try == 20 || !c.ctl.sleep(pause) {
				return err
			}
			pause = min(2*pause, 5*time.Second)
		}
	}, func(err error) {
		if err != nil {
			c.log.Error().Str("ending", string(ending)).Msg("the ledger could not be told")
		}
	})
}

// handOver gives the caller to the dialplan's fallback: whatever goes wrong
// with us, they are not met by silence.
func (c *call) handOver(r Reason) {
	if c.state == StateEnded || c.gone || c.leaving != "" {
		return
	}
	c.dropLeg(c.leg)
	c.stopPlay()
	c.stopTimers()
	c.wantMusic(false)
	c.leaving = r
	sw, ch, to := c.ctl.o.Switch, c.channel, c.ctl.fallbackFor(c.args)
	c.job(c.hands, func() error {
		return c.ctl.persist("continue", func(ctx ctxT) error { return sw.Continue(ctx, ch, to) })
	}, func(err error) {
		c.leaving = ""
		if c.state == StateEnded {
			return
		}
		if err == nil {
			c.gone = true
		} else {
			c.log.Error().Str("cause", errCode(err)).Msg("the fallback did not take the caller: hung up")
		}
		c.finish(r)
	})
}

// fallbackFor is where a call we cannot serve goes on: one that came from the
// fallback goes on in it, so that its retries come to an end.
func (ctl *Controller) fallbackFor(args []string) Location {
	for _, a := range args {
		if a == argFallback {
			return Location{}
		}
	}
	return ctl.o.Fallback
}

// giveBack hands a channel that has no call to the fallback; if that fails it is
// hung up.
func (ctl *Controller) giveBack(ch ChannelID, args []string) {
	ctl.spawn(func() {
		err := ctl.persist("continue", func(ctx ctxT) error { return ctl.o.Switch.Continue(ctx, ch, ctl.fallbackFor(args)) })
		if err == nil || errors.Is(err, ErrConflict) {
			return
		}
		if err := ctl.persist("hangup", func(ctx ctxT) error { return ctl.o.Switch.Hangup(ctx, ch, CauseNormal) }); err != nil {
			ctl.o.Metrics.leaked()
		}
	})
}

// Drained tells what became of the calls that were up.
type Drained struct {
	// HandedOver went to the dialplan's fallback; Talking were left to the switch.
	HandedOver, Talking int
}

// Drain takes no new calls: they go to the dialplan's fallback. It returns when
// no call is left or, once ctx is done, when the callers who still wait have
// been handed to the fallback too. Conversations are left up.
func (ctl *Controller) Drain(ctx context.Context) Drained {
	ctl.draining.Store(true)
	var d Drained
	if ctl.awaitNone(ctx.Done()) {
		return d
	}
	ctl.mu.Lock()
	calls := make([]*call, 0, len(ctl.calls))
	for _, c := range ctl.calls {
		calls = append(calls, c)
	}
	ctl.mu.Unlock()
	for _, c := range calls {
		switch s := c.where(); s {
		case StateEnded:
		case StateTalking, StateHeld:
			d.Talking++
			ctl.o.Log.Info().Str("contact", string(c.id)).Str("state", string(s)).Msg("still talking: left up")
		default:
			d.HandedOver++
			c.post(func() {
				switch {
				case c.state == StateTalking || c.state == StateHeld:
				case c.gone || c.state == StateParting:
					c.finish(ReasonDrained) // nobody on the line, or about to hang up
				default:
					c.handOver(ReasonDrained)
				}
			})
		}
	}
	if d.HandedOver > 0 {
		bound, cancel := context.WithTimeout(ctl.ctx, ctl.o.Limits.HandOver)
		defer cancel()
		ctl.awaitAtMost(d.Talking, bound.Done())
	}
	return d
}

func (ctl *Controller) awaitNone(stop <-chan struct{}) bool { return ctl.awaitAtMost(0, stop) }

// awaitAtMost waits until at most n calls are left, false if stopped first.
func (ctl *Controller) awaitAtMost(n int, stop <-chan struct{}) bool {
	for {
		ctl.mu.Lock()
		left, changed := len(ctl.calls), ctl.changed
		ctl.mu.Unlock()
		if left <= n {
			return true
		}
		select {
		case <-changed:
		case <-stop:
			return false
		}
	}
}
